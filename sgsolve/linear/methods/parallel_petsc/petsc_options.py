"""What all uses of PETSc share: its module, its options, its errors as errors of sgsolve."""

from __future__ import annotations

import itertools
import shlex
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

from .... import private_api, ranks
from ....errors import BackendError, DataTypeError, InputError
from ....user_warnings import warn

# The tolerances follow from the accuracy that an answer needs.
OURS = ("ksp_rtol", "ksp_atol")
OUT_OF_MEMORY = 55  # PETSC_ERR_MEM
_numbers = itertools.count(1)


def loaded() -> Any:
    """Return the module petsc4py.PETSc.

    Raises
    ------
    BackendError
        It is not installed.
    """
    try:
        import petsc4py

        if petsc4py.__name__ + ".PETSc" not in sys.modules:
            # PETSc would turn Ctrl-C and faults of other libraries into errors of its own.
            petsc4py.init(["sgsolve", "-no_signal_handler"])
        from petsc4py import PETSc
    except ImportError as error:
        raise BackendError(
            f"petsc4py cannot be loaded ({error}); install PETSc, then `pip install "
            "'sgsolve[petsc]'`. The page \"Install sgsolve\" has a recipe for Debian and Ubuntu. "
            "Or use 'multigrid'"
        ) from error
    return PETSc


def parsed(options: str | Mapping[str, Any], ours: Sequence[str] = OURS) -> dict[str, str]:
    """Return options by name, without the hyphen; a flag has an empty value.

    Raises
    ------
    DataTypeError
        They are neither a string nor a mapping.
    InputError
        A value stands where a name should, or an option is one that sgsolve sets.
    """
    if isinstance(options, str):
        found = _from_words(shlex.split(options))
    elif isinstance(options, Mapping):
        found = {str(name).removeprefix("-"): _text(value) for name, value in options.items()}
    else:
        raise DataTypeError(
            f"options of PETSc are a string such as '-pc_type gamg' or a mapping, not {options!r}"
        )
    for name in ours:
        if name in found:
            raise InputError(
                f"leave out the option -{name}: sgsolve sets it, from the accuracy that it needs"
            )
    return found


def _from_words(words: list[str]) -> dict[str, str]:
    """Return the options of a command line."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word[:1] == "-" and word[1:2].isalpha():
            name = word[1:]
            found[name] = ""
        elif not name:
            raise InputError(f"{word!r} is no name of an option of PETSc: names begin with '-'")
        else:
            found[name], name = word, ""
    return found


def _text(value: Any) -> str:
    """Return a value as PETSc reads it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class UnusedOptionsWarning(UserWarning):
    """PETSc has not read an option, which may be misspelled."""


class Installed:
    """Options in PETSc's database under a prefix of their own, until this object is gone.

    Attributes
    ----------
    prefix : str
        The same on all ranks.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self.prefix = f"sgsolve_{next(_numbers)}_"
        self._names = tuple(options)
        database = loaded().Options(self.prefix)
        for name, value in options.items():
            database[name] = value or None
        weakref.finalize(self, _removed, database, self._names)

    def report_unused(self) -> None:
        """Warn of the options that PETSc has not read."""
        module = loaded()
        unused = [
            f"-{name}"
            for name in self._names
            if not private_api.petsc_option_used(module, self.prefix + name)
        ]
        if unused:
            warn(
                f"PETSc has not read the options {', '.join(unused)}: they are misspelled, or "
                "belong to a part that is not in use",
                UnusedOptionsWarning,
            )


def _removed(database: Any, names: tuple[str, ...]) -> None:
    for name in names:
        database.delValue(name)


def join_ranks(module: Any) -> None:
    """Find out whether this program runs on several ranks."""
    if module.COMM_WORLD.getSize() == 1 or ranks.size() > 1:
        return
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise BackendError(
            f"several ranks need mpi4py, which cannot be loaded ({error}); `pip install mpi4py`"
        ) from error
    ranks.join(MPI.COMM_WORLD.Dup())


@contextmanager
def own_petsc_errors() -> Iterator[None]:
    """Raise errors of PETSc as errors that a back end may raise."""
    module = loaded()
    try:
        yield
    except module.Error as error:
        if error.ierr == OUT_OF_MEMORY:
            raise MemoryError(petsc_words(error)) from error
        raise BackendError(f"PETSc stops: {petsc_words(error)}") from error


def petsc_words(error: Any) -> str:
    """Return the sentence in an error of PETSc, without the functions that it passed through."""
    lines = [line.partition("] ")[2].strip() or line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and " at /" not in line and "() line" not in line]
    return "; ".join(said[-2:]) if said else str(error)


def integers(index: NDArray[Any]) -> NDArray[Any]:
    """Return indices in the type of PETSc."""
    return index.astype(loaded().IntType, copy=False)
