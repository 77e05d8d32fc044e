"""The arguments of a model, a function of both densities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from typing import Any


def arguments(model: Callable[..., Any], p: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are keyword-only arguments of a model."""
    return {name: p[name] for name in keywords(model)}


@cache
def more_arguments(model: Callable[..., Any]) -> tuple[str, ...]:
    """Return which of ``field`` and ``intrinsic`` a model takes after the densities, in order."""
    kinds = signature(model).parameters.items()
    plain = [name for name, kind in kinds if kind.kind is kind.POSITIONAL_OR_KEYWORD]
    return tuple(name for name in plain[2:] if name in ("field", "intrinsic"))


@cache
def joins_ends(model: Callable[..., Any]) -> bool:
    """Whether a model takes the densities at the ends of a tunneling path, ``n_end, p_end``."""
    return tuple(signature(model).parameters)[:2] == ("n_end", "p_end")


@cache
def keywords(model: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the keyword-only arguments of a model."""
    kinds = signature(model).parameters.items()
    return tuple(name for name, kind in kinds if kind.kind is kind.KEYWORD_ONLY)
