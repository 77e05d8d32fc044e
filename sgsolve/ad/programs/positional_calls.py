"""Functions with keywords, and methods, as functions of positional arguments only.

Operations of a graph are equal where their functions are. The same call therefore gets the same
object each time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class WithKeywords:
    """A function as one of positional arguments only.

    Attributes
    ----------
    count : int
        Number of arguments that are positional; the others are keywords.
    names : tuple of str
        Of the keywords.
    """

    __slots__ = ("count", "function", "names")

    def __init__(self, function: Callable[..., Any], count: int, names: tuple[str, ...]) -> None:
        self.function, self.count, self.names = function, count, names

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        keywords = zip(self.names, arguments[self.count :], strict=True)
        return self.function(*arguments[: self.count], **dict(keywords))


class Method:
    """A method of ndarrays as a function."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, x: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call the method of x."""
        return getattr(x, self.name)(*args, **kwargs)


_made = functools.lru_cache(maxsize=10_000)(WithKeywords)
method_named = functools.lru_cache(maxsize=1000)(Method)


def of_positions(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return a function of positional arguments only, and these."""
    if not kwargs:
        return function, tuple(args)
    names = tuple(sorted(kwargs))
    return _made(function, len(args), names), (*args, *(kwargs[n] for n in names))
