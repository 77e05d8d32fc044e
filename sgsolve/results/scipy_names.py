"""Access to a result by SciPy's names, as in ``result["x"]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NAMES = ("x", "success", "status", "message", "fun", "nfev", "njev", "nit")


class SciPyNames:
    """Attributes under SciPy's names, as the items of a mapping; the base of `Result`."""

    def keys(self) -> tuple[str, ...]:
        """Return the names of all items."""
        return NAMES

    def __getitem__(self, name: str) -> Any:
        if name not in NAMES:
            raise KeyError(f"a result has no {name!r}; it has {', '.join(self.keys())}")
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def get(self, name: str, default: Any = None) -> Any:
        """Return an item, or a default if there is none."""
        try:
            return self[name]
        except KeyError:
            return default

    def items(self) -> list[tuple[str, Any]]:
        """Return names and values."""
        return [(name, self[name]) for name in self]
