"""Keywords: what a call of a run is given by name, options and parameters in one list.

One idea: a keyword that could be either is refused; to take it for the option in silence would
leave a parameter as it was.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ParameterError
from ..systems.intake import Signature

SETTINGS = ("step", "max_step")  # options that can be given in Arclength as well


def refuse_both(signature: Signature, given: Iterable[str]) -> None:
    """Complain of options that were given and have the name of a parameter."""
    parameters = {*(signature.accepted or ()), *signature.known, *signature.required}
    for name in sorted(parameters & {*given}):
        option = f"method=Arclength({name}=...)" if name in SETTINGS else "another parameter name"
        raise ParameterError(
            f"{name!r} is a parameter of this problem and an option of this call: which of them is "
            f"meant cannot be told. For the parameter, Problem(..., params={{{name!r}: value}}); "
            f"for the option, {option}"
        )


def given_options(call: Callable[..., Any], values: Mapping[str, Any]) -> list[str]:
    """Return the options of a call whose values are not the defaults."""
    options = [p for p in inspect.signature(call).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return [p.name for p in options if values[p.name] is not p.default]
