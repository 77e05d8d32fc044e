"""`Device`: a mesh, doping, contacts, models and parameters, with its solves and currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from ..errors import DataTypeError
from ..problem import Problem
from ..results import Branch, Result
from .constants import CODATA2018, Constants
from .equations.argument_checks import device_checks as checks
from .equations.argument_checks import parameter_checks, unit_checks
from .equations.argument_checks.kinds import check_kinds
from .equations.argument_checks.part_checks import check_parts
from .equations.boundaries.floating import firmness, gathering
from .equations.model import Model
from .equations.potential_form import Equations
from .equations.rows import carrier_rows, poisson_rows
from .equations.transport.terminal import Cut, current
from .meshes.mesh import Mesh
from .meshes.regions import Regions
from .models.carrier_statistics import Boltzmann, CarrierStatistics
from .models.contacts import Contact
from .models.device_layout import DeviceLayout
from .models.heat import Heat, check_heat
from .models.interfaces import emission_edges
from .models.ions import Ion, IonRegion
from .models.trap_levels import LevelNodes, TrapLevel
from .models.tunnel_junction import tunnel_junctions
from .solving.in_time import Waveform, device_transient
from .solving.kept_fluxes import form_of
from .solving.start import equilibrium, solve_device, sweep_device

Array = Any


class Device(Equations):
    """A semiconductor device: mesh, doping, contacts, models and parameters.

    Parameters
    ----------
    mesh : Mesh
        Nodes, edges, couples and volumes.
    doping : ndarray, shape (mesh.n,)
        Net doping, donors minus acceptors, cm^-3.
    contacts : dict of str to Ohmic, Schottky or Gate
        By name; each adds the parameter ``V_<name>``, its voltage (V), 0 at first.
    parameters : dict of str to float or ndarray
        ``eps_r`` and either ``ni`` or ``Nc, Nv`` (cm^-3) and ``Ec, Ev`` (eV); ``mu_n``, ``mu_p``
        (cm^2/(V s)); those that the models ask for by name; optional ``T`` (300 K) and ``G``
        (0 cm^-3 s^-1, multiplied by `profile`). Arrays run over the nodes of the semiconductor, or
        over edges for ``eps_r``, ``mu_n`` and ``mu_p``. The device adds the parameters
        ``doping`` and ``profile``.
    recombination : sequence of functions
        Each ``f(n, p, *, names...)`` gives a rate factor in cm^3/s, such as `srh`. It gets the
        parameters of the device that it names.
    traps : sequence of functions
        Each gives a density of charge (in units of q, cm^-3) from n and p, such as
        `donor_traps`; in the steady state only.
    trap_levels : dict of str to TrapLevel
        Traps in the volume or at interfaces that recombine carriers and store charge, in the
        steady state, in small signals and in time. Each adds the parameter ``N_<name>``.
    mobility : function, optional
        ``f(mu, field, *, names...)``, the mobility on the edges in a field along them (V/cm), such
        as `velocity_saturation`; ``names_n`` are its parameters for electrons, ``names_p``
        for holes.
    ionization : function, optional
        ``f(field, *, names...)``, the coefficient of impact ionization (1/cm) in a field along the
        current (V/cm), such as `van_overstraeten`; ``names_n`` are its parameters for electrons,
        ``names_p`` for holes. A state then has the fluxes after the potentials.
    field : {"potential", "quasi_fermi"}
        What drives that field: the drop of the electrostatic potential over the edge's length, or
        that of the carrier's own quasi-Fermi potential, which vanishes in equilibrium.
    surfaces : dict of str to Surface
        Recombining surfaces.
    interfaces : dict of str to Thermionic, SheetCharge or TunnelJunction
        Emission over steps of the bands, tunneling between the bands, and sheets of fixed charge;
        each sheet adds the parameter ``sheet_<name>`` (per cm^2).
    ions : dict of str to Ion
        Mobile ions and vacancies. A state then has their levels (V) after the potentials.
    statistics : CarrierStatistics, default Boltzmann
        Of both carriers.
    profile : float or ndarray, default 1
        Shape of the generation ``G``.
    active : (couples, volumes), optional
        Those of the semiconductor alone, where the mesh has insulators too.
    regions : Regions, optional
        Layers of several materials. The doping and all arrays of parameters then run over its
        pairs of a node and a region, so that a node at an interface has parameters of each.
    heat : Heat, optional
        Self-heating. A state then has ``k (T_i - T) / q`` (V) at all nodes after the potentials.
    flux : {"diffusion_enhanced", "excess_potential"}
        How the fluxes follow statistics other than Boltzmann's: see the theory of devices. The
        two differ by the square of the mesh size.
    constants : Constants
        Charge, Boltzmann constant, vacuum permittivity.
    compiled : bool
        Evaluate the equations by compiled kernels, as `Problem` does; with ``sgsolve[compiled]``.
    backend : str or object, default "auto"
        The linear back end, as of `Problem`; for a device in three dimensions ``"multigrid"`` or
        `petsc.Petsc`. The blocks are the potentials ``psi``, ``phin`` and ``phip``.

    See Also
    --------
    SmallSignal : Admittance and capacitance.
    derivatives : Sensitivity of a current.
    drive_current : Sweep a current instead of a voltage.

    Examples
    --------
    A mesh made by hand: everything comes in as an argument.

    >>> import numpy as np
    >>> from sgsolve.devices import Constants, Device, Mesh, Ohmic, auger, radiative, srh
    >>> x = np.linspace(0.0, 2e-4, 201)                                  # cm
    >>> doping = np.where(x < 1e-4, -1e16, 1e16)                         # cm^-3
    >>> edges = np.stack([np.arange(200), np.arange(1, 201)], axis=1)
    >>> volumes = np.full(201, 1e-6); volumes[[0, -1]] /= 2
    >>> device = Device(
    ...     Mesh(x, edges, couples=np.ones(200), volumes=volumes),
    ...     doping,
    ...     contacts={"anode": Ohmic(0), "cathode": Ohmic(200)},
    ...     recombination=[srh, radiative, auger],
    ...     constants=Constants(q=1.6e-19, k=1.3806503e-23, eps0=8.85e-14),
    ...     parameters=dict(
    ...         T=300.0, eps_r=11.9, ni=1e10, mu_n=1000.0, mu_p=400.0,
    ...         tau_n=1e-7, tau_p=1e-7, n1=1e10, p1=1e10, B_rad=1e-14, C_n=1e-31, C_p=1e-31,
    ...     ),
    ... )
    >>> sweep = device.sweep("anode", [0.0, 0.3, 0.6])
    >>> current = device.currents(sweep, "anode")                        # A/cm^2
    >>> bool(abs(current[0]) < 1e-25), round(float(current[-1]), 2)
    (True, 7.05)
    """

    def __init__(
        self,
        mesh: Mesh,
        doping: np.ndarray,
        contacts: Mapping[str, Contact],
        parameters: Mapping[str, Any],
        *,
        recombination: Sequence[Model] = (),
        traps: Sequence[Model] = (),
        trap_levels: Mapping[str, TrapLevel] | None = None,
        mobility: Model | None = None,
        ionization: Model | None = None,
        field: str = "potential",
        surfaces: Mapping[str, Any] | None = None,
        interfaces: Mapping[str, Any] | None = None,
        ions: Mapping[str, Ion] | None = None,
        statistics: CarrierStatistics | None = None,
        profile: float | np.ndarray = 1.0,
        active: tuple[np.ndarray, np.ndarray] | None = None,
        regions: Regions | None = None,
        heat: Heat | None = None,
        flux: str = "diffusion_enhanced",
        constants: Constants = CODATA2018,
        compiled: bool = False,
        backend: Any = "auto",
    ) -> None:
        models: dict[str, Any] = {"recombination": recombination, "traps": traps}
        models |= {"mobility": mobility, "ionization": ionization}
        named = {"surfaces": surfaces, "interfaces": interfaces}
        named |= {"trap_levels": trap_levels, "ions": ions}
        check_kinds(mesh, contacts, parameters, constants, models, named, heat, regions, statistics)
        self.compiled, self.backend = compiled, backend
        self.mesh, self.contacts, self.constants = mesh, dict(contacts), constants
        self.recombination, self.traps, self.mobility = tuple(recombination), tuple(traps), mobility
        self.ionization, self.heat = ionization, heat
        self.surfaces, self.field = dict(surfaces or {}), checks.field(field)
        self.flux = checks.flux(flux)
        self.interfaces = dict(interfaces or {})
        self.statistics = statistics or Boltzmann()
        doping, self.regions = checks.doping(mesh, regions, doping), regions
        self.layout = DeviceLayout(mesh, contacts, active, regions)
        self._made_of = dict(vars(self))
        self._set_up(trap_levels or {}, ions or {}, {**parameters}, (doping, profile))

    def _set_up(
        self,
        trap_levels: Mapping[str, TrapLevel],
        ions: Mapping[str, Ion],
        parameters: dict[str, Any],
        fields: tuple[Any, Any],
    ) -> None:
        """Take the parameters, with doping and profile, and make all that depends on them."""
        self._given = trap_levels, ions, parameters, fields
        self.trap_levels = {
            name: LevelNodes(self, name, level) for name, level in trap_levels.items()
        }
        self.ions = {name: IonRegion(self, name, ion) for name, ion in ions.items()}
        checks.held_carriers(self)
        self._take_parameters(parameters, dict(zip(("doping", "profile"), fields, strict=True)))
        self._make_equations()

    def at(self, /, **params: Any) -> Self:
        """Return the same device at other values of some parameters.

        The other methods take parameters as keywords too, but not those that have the name of one
        of their own arguments, such as ``x0``. The device is set up anew: where only a voltage
        changes from solve to solve, give it to `solve` or `sweep`.

        Parameters
        ----------
        **params
            The parameters that change, with their values; any name is allowed.

        Returns
        -------
        Device
            At the new values.

        Raises
        ------
        InputError, NotFiniteError, ParameterError, ShapeError
            If the device has no such parameter, or the value cannot be one.

        See Also
        --------
        solve : Solve at these values.
        Problem.at : The same for a problem.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> slow = bar.at(mu_n=500.0)
        >>> round(float(slow.current(slow.solve(V_a=0.1).x, "a", V_a=0.1)), 2)  # A/cm^2
        8.01
        """
        parameter_checks.overrides(self, params)
        trap_levels, ions, given, (doping, profile) = self._given
        given = {**given, **params}
        fields = given.pop("doping", doping), given.pop("profile", profile)
        other = object.__new__(type(self))
        vars(other).update(self._made_of, _made_of=self._made_of)
        other._set_up(trap_levels, ions, given, fields)
        return other

    def _take_parameters(self, parameters: Mapping[str, Any], fields: dict[str, Any]) -> None:
        """Check the parameters, with those of the heat equation and the fields given apart."""
        check_heat(self)
        if self.heat is not None and self.heat.values is not None:
            given = self.heat.values(parameters.get("T", 300.0))
            parameters = {**parameters, **{k: v for k, v in given.items() if k != "T"}}
        self.parameters = parameter_checks.parameters(self, parameters) | fields
        if self.heat is not None:
            for level in self.trap_levels.values():
                level.follow(self.parameters)
        parameter_checks.overrides(self, fields)
        checks.surfaces(self)
        check_parts(self)
        checks.cells(self)

    def _make_equations(self) -> None:
        """Make the rows of the balances, and the problem of them."""
        self.emission = emission_edges(self)
        self.tunneling = tunnel_junctions(self)
        unit_checks.units(self)
        self.poisson_rows = poisson_rows(self)
        self.carrier_rows = {
            name: carrier_rows(self, name, floating) for name, floating in gathering(self).items()
        }
        self.firmness = firmness(self)
        self.diagonal = self.layout.fixed + self.firmness
        self.built_in, self.demanded, self.forms = {}, None, {}
        self.problem = Problem(
            self.residual,
            params=self.parameters,
            blocks=self.blocks(),
            scale=self.thermal_voltage,
            compiled=self.compiled,
            backend=self.backend,
        )
        if self.keeps_fluxes:
            self.problem = form_of(self).problem

    def __repr__(self) -> str:
        return f"Device({self.mesh.n} nodes, contacts {', '.join(self.contacts)})"

    def equilibrium(self, **p: Any) -> np.ndarray:
        """Return the solution in the dark without voltages, without an initial guess.

        Parameters
        ----------
        **p
            Parameters that differ from the device's.

        Returns
        -------
        ndarray, shape (n,)
            The three potentials, V.

        See Also
        --------
        solve : At any voltages.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> bar.equilibrium()[:11].round(4).tolist()[::5]  # kT/q log(N/ni)
        [0.2976, 0.2976, 0.2976]
        """
        return equilibrium(self, p)

    def solve(self, x0: np.ndarray | None = None, **p: Any) -> Result:
        """Return the solution at given parameters, from x0 or without an initial guess.

        Parameters
        ----------
        x0 : ndarray, optional
            A solution at parameters nearby.
        **p
            Voltages ``V_<name>`` (V) and other parameters that differ from the device's.

        Returns
        -------
        Result
            Its ``x`` holds the potentials in V.

        Raises
        ------
        ConvergenceError
            If no solution was found.
        InputError, ParameterError
            If a parameter is wrong.

        See Also
        --------
        sweep : Many voltages.
        current : The current of a solution.

        Examples
        --------
        A bar of 10 um with 10^15 donors per cm^3; q N mu V / L is the current:

        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> result = bar.solve(V_a=0.1)
        >>> round(float(bar.current(result.x, "a", V_a=0.1)), 3)  # A/cm^2
        16.022
        """
        return solve_device(self, x0, p)

    def sweep(self, name: str, values: Any, x0: np.ndarray | None = None, **p: Any) -> Branch:
        """Sweep a contact's voltage or any other parameter through values.

        Parameters
        ----------
        name : str
            A contact, or a parameter.
        values : sequence of float
            Each is solved for; where steps are too long, points between are added.
        x0 : ndarray, optional
            A solution near the first value.
        **p
            Other parameters that differ from the device's.

        Returns
        -------
        Branch
            Partial, with a `PartialBranchWarning`, if a value could not be reached.

        Raises
        ------
        ConvergenceError
            If the first value fails.
        InputError, ParameterError
            If a name or a value is wrong.

        See Also
        --------
        currents : The currents of the sweep.
        drive_current : Sweep a current.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> sweep = bar.sweep("a", [0.1, 0.2])
        >>> bar.currents(sweep, "a").round(2).tolist()  # A/cm^2
        [16.02, 32.04]
        """
        return sweep_device(self, name, values, x0, p)

    def transient(
        self,
        waveforms: Mapping[str, Waveform],
        interval: tuple[float, float],
        x0: np.ndarray | None = None,
        *,
        rtol: float = 1e-4,
        outputs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Branch:
        """Integrate in time while voltages or other parameters change.

        Parameters
        ----------
        waveforms : mapping of str to float or callable
            Contacts (their voltage, V) or parameters that are numbers, such as ``G``, ``T``: a
            value, or a function of time (s). `sgsolve.transient.Pulse` and `PiecewiseLinear`
            declare their jumps.
        interval : (float, float)
            First and last time, s.
        x0 : ndarray, optional
            The state at the first time; the steady state at its values by default.
        rtol : float
            Relative tolerance of the error of a step. The absolute one is `rtol` times kT/q, so
            densities are computed to about `rtol`.
        outputs : mapping, optional
            Further outputs, see `Problem.transient`.
        **options
            Those of `Problem.transient`.

        Returns
        -------
        Branch
            Columns ``I_<contact>``: currents into the device with their displacement parts, A/cm^2
            or A/cm. They add up to zero to rounding. States are psi, phin and phip, then the fluxes
            where a steady state has them, and the densities of ions.

        Raises
        ------
        InputError
            If a waveform is of an array, or the device has traps that hold charge.
        ParameterError
            If there is no such contact or parameter.

        See Also
        --------
        sweep : Steady states.
        Problem.transient : The options.

        Examples
        --------
        A bar follows its voltage at once:

        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 51)), np.full(51, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> run = bar.transient({"a": lambda t: 1e6 * t}, (0.0, 1e-6))
        >>> print(f"{run['I_a'][-1]:.1f}", bool(abs(run["I_a"] + run["I_b"]).max() < 1e-12))
        160.2 True
        """
        return device_transient(self, waveforms, interval, x0, rtol, outputs, options)

    def current(self, x: Array, contact: str, cut: Cut | None = None, **p: Any) -> Any:
        """Return the current into the device at a contact.

        Parameters
        ----------
        x : ndarray
            A solution.
        contact : str
            The contact.
        cut : pair of arrays, optional
            Where the current is read; chosen for accuracy by default.
        **p
            The parameters of the solution that differ from the device's.

        Returns
        -------
        float
            A/cm^2; A per cm of width in two dimensions, A in three.

        See Also
        --------
        currents : For a sweep.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> round(float(bar.current(bar.solve(V_a=0.1).x, "a", V_a=0.1)), 2)  # A/cm^2
        16.02
        """
        checks.state(self, "x", x)
        return current(self, x, contact, self.parameters | p, cut)

    def currents(self, branch: Branch, contact: str) -> np.ndarray:
        """Return the currents at all points of a sweep.

        Parameters
        ----------
        branch : Branch
            Of `sweep`.
        contact : str
            The contact.

        Returns
        -------
        ndarray, shape (points,)
            A/cm^2; A per cm of width in two dimensions, A in three.

        Raises
        ------
        DataTypeError
            If the argument is no branch.

        See Also
        --------
        current : For one solution.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve.devices import Device, Ohmic, interval
        >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
        ...              {"a": Ohmic(0), "b": Ohmic(-1)},
        ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
        >>> bar.currents(bar.sweep("a", [0.1, 0.2]), "a").round(2).tolist()  # A/cm^2
        [16.02, 32.04]
        """
        if not isinstance(branch, Branch):
            raise DataTypeError(
                f"branch: must be what a sweep returns, not {type(branch).__name__}; for one state "
                "use device.current"
            )
        every = (branch.at(i) for i in range(len(branch)))
        return np.array([current(self, x, contact, self.parameters | p) for x, p in every])
