"""The solar cell against curves of an independent program in 128-bit arithmetic."""

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cell_data(reference):
    from pin_solar_cell import main

    nodes, jv = reference("pin_solar_cell_nodes"), reference("pin_solar_cell_jv")
    return main(nodes["x_cm"], nodes["NetDoping_cm3"], jv["V_top"]), jv


@pytest.mark.parametrize(
    ("rate", "column"), [(0.0, "J_G0"), (1e20, "J_G1e20"), (2.5e21, "J_G2.5e21")]
)
def test_every_current_agrees_with_the_reference_to_1e_9(cell_data, rate, column):
    data, jv = cell_data
    compared = np.abs(jv[column]) > 1e-20
    ratio = data.current[rate][compared] / jv[column][compared]
    assert compared.sum() == (34 if rate == 0 else 35)
    assert np.abs(ratio - 1).max() < 1e-9


def test_dark_current_vanishes_without_voltage(cell_data):
    data, jv = cell_data
    assert abs(data.current[0.0][jv["V_top"] == 0][0]) < 1e-22


def test_open_circuit_and_fill_factor(cell_data):
    data, _ = cell_data
    short, v_oc, fill = data.figures[2.5e21]
    assert short == pytest.approx(0.07093353031160059, rel=1e-9)
    assert v_oc == pytest.approx(0.76411, abs=1e-5)
    assert abs(data.device.current(
        data.device.solve(V_top=v_oc, G=2.5e21).x, "top", V_top=v_oc, G=2.5e21
    )) < 1e-9 * short  # fmt: skip
    assert 0.5 < fill < 0.9
    assert data.figures[1e20][1] < v_oc
