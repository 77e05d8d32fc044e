"""The functions of a problem, the parameters they take, and checks of their values."""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ... import ad
from ...ad.drivers.function_calls import evaluate_vector
from ...errors import DataTypeError, InputError, NotFiniteError, ParameterError, SgsolveError

PLAIN = (float, np.float64, int)  # types of most values of parameters
TIME = "t"  # the name of the parameter that is the time


def is_function_of_time(value: Any) -> bool:
    """Whether a value is a function of time: callable, and ``t`` all that it needs.

    Callable objects, as those that interpolate, and functions of NumPy name it otherwise.
    """
    if not callable(value) or isinstance(value, type):
        return False
    if isinstance(value, np.ufunc):
        return value.nin == 1
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return False
    required = [p.name for p in parameters if p.default is p.empty]
    return required == [TIME] or (len(required) == 1 and not inspect.isroutine(value))


def parameter_names(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of parameters, given as one name or as several.

    Raises
    ------
    ParameterError
        It is neither.
    """
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not names or not all(isinstance(k, str) for k in names):
        raise ParameterError(f"parameter must be a name or a list of names, not {given!r:.60}")
    return tuple(names)


class Signature:
    """A residual, its Jacobian if the user has one, and the parameters they take."""

    def __init__(
        self,
        residual: Callable[..., Any],
        jacobian: Callable[..., Any] | None,
        params: Mapping[str, Any] | None,
    ) -> None:
        if not callable(residual):
            raise DataTypeError(f"residual must be a function of x, not {residual!r}")
        if jacobian is not None and not callable(jacobian):
            raise DataTypeError(f"jacobian must be a function of x, not {jacobian!r}")
        if params is not None and not isinstance(params, Mapping):
            raise DataTypeError(f"params must map names to values, not {params!r}")
        self.residual, self.jacobian = residual, jacobian
        self.accepted, self.defaults, self.required = _keywords(residual, "the residual")
        self._of_jacobian = None if jacobian is None else _keywords(jacobian, "jacobian")
        self.params: dict[str, Any] = {}
        self._take(self._checked(params or {}))
        self.scalars = frozenset(k for k, v in self.known.items() if isinstance(v, numbers.Real))

    @property
    def known(self) -> dict[str, Any]:
        """Every parameter that has a value without the call saying one."""
        return {**self.defaults, **self.params}

    @property
    def shared(self) -> dict[str, Any]:
        """The residual's own defaults for parameters that the Jacobian names too."""
        accepted = None if self._of_jacobian is None else self._of_jacobian[0]
        return {k: v for k, v in self.defaults.items() if accepted is not None and k in accepted}

    def value_of(self, name: str) -> Any:
        """Return the value of a parameter without the call saying one, or None."""
        return self.params.get(name, self.defaults.get(name))

    def at(self, params: Mapping[str, Any]) -> Signature:
        """Return the same functions with other values of some parameters."""
        other = object.__new__(Signature)
        vars(other).update(vars(self))  # the same scalars: a function of time stands for a number
        other._take({**self.params, **self._checked(params)})
        return other

    def _take(self, params: dict[str, Any]) -> None:
        """Take values of parameters, and note which are functions of time."""
        self.params = params
        self.functions_of_time = {
            name: f for name, f in self.known.items() if callable(f) and is_function_of_time(f)
        }

    def call(self, overrides: Mapping[str, Any]) -> Call:
        """Return the functions with all parameters given; raise if one is unknown or missing."""
        given = {**self.params, **self._checked(overrides)}
        missing = [name for name in self.required if name not in given]
        if TIME in missing:
            raise ParameterError(
                f"the residual takes the time {TIME!r}, which Problem.transient alone gives it; "
                f"at({TIME}=...) gives the equations of one time, and for a periodic orbit write "
                "the forcing as two more unknowns, an oscillator"
            )
        if missing:
            them = "it" if len(missing) == 1 else "them"
            raise ParameterError(
                f"the residual needs {_list(missing)}; give {them} in params, or by at(name=value)"
            )
        for name in self.functions_of_time:
            if name not in overrides and name in self.scalars:
                raise ParameterError(
                    f"parameter {name!r} is a function of time, which only Problem.transient "
                    f"takes; give it a value, at({name}=...)"
                )
        self._jacobian_takes(given)
        return Call(self, given)

    def explained(
        self, error: TypeError, params: Mapping[str, Any], in_time: bool = False
    ) -> TypeError | ParameterError:
        """Return an error of the residual, explained by a function of time among the parameters.

        In a run in time, another function may be meant as one.
        """
        others = [
            name for name, value in self.known.items() if in_time and inspect.isroutine(value)
        ]
        if isinstance(error, SgsolveError) or not (self.functions_of_time or others):
            return error
        if not self.functions_of_time:
            return ParameterError(
                f"the residual raised {error!r}: it got the function {others[0]!r} itself; a "
                f"function of time has one argument, t, and is replaced by its value: {others[0]}="
                "lambda t: ..."
            )
        name, function = next(iter(self.functions_of_time.items()))
        if params.get(name) is function:
            advice = (
                f"parameter {name!r} looks like a function of time, which Problem.transient alone "
                f"evaluates; give it a value, at({name}=...)"
            )
        else:
            advice = (
                f"parameter {name!r} was taken for a function of time, and replaced by its value; "
                f"write a law of the model as a function of another argument, lambda x: {name}(x)"
            )
        return ParameterError(f"the residual raised {error!r}: {advice}")

    def takes(self, name: str) -> bool:
        """Whether the residual takes a parameter of that name."""
        if self.accepted is None:
            return name in (*self.known, *self.required)
        return name in self.accepted

    def numeric(self, name: str) -> float:
        """Return the value of a parameter that a call varies; raise if it is no number."""
        self._know(name)
        value = self.known.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ParameterError(
                f"parameter {name!r} is {value!r}, and a number is needed; make the number in it "
                "that is to change an argument of the residual"
            )
        return float(value)

    def differentiable(self, name: str) -> None:
        """Raise `ParameterError` if a parameter is neither a number nor an array of numbers."""
        self._know(name)
        kind = np.asarray(self.known.get(name, 0.0)).dtype.kind
        if name not in self.known and self.accepted is None:
            raise ParameterError(f"parameter {name!r} has no value; give it by at({name}=...)")
        if kind == "c":
            raise ParameterError(
                f"cannot differentiate with respect to parameter {name!r}: it is complex; make its "
                f"real part and its imaginary part two parameters, and write {name} = real + 1j * "
                "imaginary in the residual"
            )
        if kind not in "iuf":
            raise ParameterError(
                f"cannot differentiate with respect to parameter {name!r}: it must be a number or "
                f"a numeric array, not {self.known.get(name)!r}"
            )

    def _checked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        for name, value in params.items():
            self._know(name)
            if type(value) in PLAIN and math.isfinite(value):
                continue
            default = self.value_of(name)
            if isinstance(value, ad.ADArray):
                raise ParameterError(
                    f"parameter {name!r} is an AD array; give numbers: Problem.sensitivity has the "
                    "derivatives of a solution by parameters"
                )
            if np.ma.is_masked(value):
                raise ParameterError(f"parameter {name!r} is a masked array; fill its elements")
            number = isinstance(default, numbers.Real) and not isinstance(default, bool)
            array = getattr(value, "dtype", None)
            if is_function_of_time(value):
                continue
            if number and not isinstance(value, numbers.Number) and array is None:
                hint = "; np.array(...) if it is a field" if isinstance(value, list | tuple) else ""
                if callable(value):
                    hint = "; a function of time has one argument, t"
                raise ParameterError(f"parameter {name!r} must be a number, not {value!r}{hint}")
            if isinstance(value, numbers.Real) and not np.isfinite(float(value)):
                raise NotFiniteError(f"parameter {name!r} is {value}")
            if array is not None and array.kind in "fc" and not np.all(np.isfinite(value)):
                raise NotFiniteError(f"parameter {name!r} holds values that are not finite")
        return dict(params)

    def _know(self, name: str) -> None:
        if not isinstance(name, str):
            raise ParameterError(f"parameter must be the name of one, not {name!r:.60}")
        if self.accepted is not None and name not in self.accepted:
            known = _list(sorted(self.accepted)) if self.accepted else "none"
            whole = re.split(r"[.\[]", name)[0]
            hint = "; only whole arguments are parameters: make the number in it an argument"
            raise ParameterError(
                f"the residual has no parameter {name!r}; it has {known}"
                f"{hint if whole in self.accepted else ''}"
            )
        if self.accepted is None and self.params and name not in (*self.known, *self.required):
            # a residual with **parameters cannot tell a slip of the pen from a parameter
            raise ParameterError(
                f"there is no parameter {name!r} in the params of this problem, which has "
                f"{_list(sorted(self.known))}; if the residual takes it, give params a value for it"
            )

    def _jacobian_takes(self, given: Mapping[str, Any]) -> None:
        """Raise if the Jacobian cannot be called with the residual's parameters."""
        if self._of_jacobian is None:
            return
        accepted, _, required = self._of_jacobian
        foreign = [] if accepted is None else [name for name in given if name not in accepted]
        if foreign:
            raise ParameterError(
                f"jacobian does not take {_list(foreign)}, which the residual is given; both are "
                "called with the same parameters"
            )
        missing = [name for name in required if name not in {**self.defaults, **given}]
        if missing:
            raise ParameterError(f"jacobian needs {_list(missing)}; give params a value for it")


class Call:
    """The functions of a signature with values for all parameters."""

    def __init__(self, signature: Signature, params: dict[str, Any]) -> None:
        self.signature, self.params = signature, params

    def residual(self, x: Any) -> Any:
        """Call the user's residual; a list of equations, nested or not, becomes one vector."""
        try:
            return evaluate_vector(self.signature.residual, x, **self.params)
        except TypeError as error:
            raise self.signature.explained(error, self.params) from error

    def unjoined(self, x: Any) -> Any:
        """Call the user's residual; a list of equations stays a list."""
        return self.signature.residual(x, **self.params)

    def jacobian(self, x: Any) -> Any:
        """Call the user's Jacobian with what the residual gets, its own defaults included."""
        assert self.signature.jacobian is not None
        return self.signature.jacobian(x, **{**self.signature.shared, **self.params})

    def replaced(self, params: Mapping[str, Any]) -> Call:
        """Return the same with other values, unchecked."""
        return Call(self.signature, {**self.params, **params})


Keywords = tuple[frozenset[str] | None, dict[str, Any], list[str]]


def _keywords(function: Callable[..., Any], what: str) -> Keywords:
    """Return (names a function takes besides x or None for any, their defaults, those it needs)."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin tells nothing
        return None, {}, []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not parameters or parameters[0].kind not in (*positional, inspect.Parameter.VAR_POSITIONAL):
        raise InputError(f"{what} must take the unknowns as its first positional argument")
    rest = parameters[1:]
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in rest):
        accepted = None
    else:
        accepted = frozenset(
            p.name
            for p in rest
            if p.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        )
    named = [p for p in rest if p.kind is not inspect.Parameter.VAR_KEYWORD]
    named = [p for p in named if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    defaults = {p.name: p.default for p in named if p.default is not inspect.Parameter.empty}
    required = [p.name for p in named if p.default is inspect.Parameter.empty]
    return accepted, defaults, required


def _list(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
