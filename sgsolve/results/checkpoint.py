"""Checkpoints: files from which an interrupted run is resumed.

A checkpoint holds the branch so far, the state of the run and a fingerprint of its settings. It is
replaced in one step, so there is always a complete file. A damaged file, or one of another run,
raises `CheckpointError`; the message lists the settings that differ.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from ..errors import CheckpointError, DataTypeError, InputError
from ..user_warnings import warn
from .branch_file import Content, part, read, write

STATE, PRINT = "state ", "fingerprint"


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written; the run continues, and tries again later."""


@dataclass
class Checkpoint:
    """File to which a run writes its points, and how often.

    If a write fails (the disk is full, the folder is gone) the run continues with a
    `CheckpointWarning`. It writes again after as many points, and at its end; the file of the
    last write that succeeded stays whole.

    Parameters
    ----------
    path : str or Path
        The file.
    points : int
        Write after this many points at the latest.
    seconds : float
        Write after this time at the latest, when the next point is there.

    Raises
    ------
    InputError
        If the path cannot be written to, or a number is out of range.
    DataTypeError
        If the path is no path.

    See Also
    --------
    Problem.sweep : Takes it as ``checkpoint=``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sgsolve import Checkpoint, Problem
    >>> problem = Problem(lambda x, a: x**2 - a)
    >>> with TemporaryDirectory() as folder:
    ...     file = Checkpoint(Path(folder, "roots.npz"), points=5)
    ...     first = problem.sweep([1.0], "a", [1.0, 4.0], checkpoint=file)
    ...     again = problem.sweep([1.0], "a", [1.0, 4.0], checkpoint=file, resume=True)
    >>> len(again)
    2
    """

    path: str | Path
    points: int = 10
    seconds: float = 30.0
    _since: int = field(default=0, repr=False)
    _last: float = field(default_factory=monotonic, repr=False)

    def __post_init__(self) -> None:
        if self.points < 1 or not self.seconds >= 0.0:
            raise InputError("points must be at least 1 and seconds not negative")
        if not isinstance(self.path, str | PathLike):
            raise DataTypeError(f"checkpoint must be the path of a file, not {self.path!r}")
        path = Path(self.path)  # to find out at the first write would cost what is computed by then
        folder = path.absolute().parent
        if path.is_dir() or not folder.is_dir():
            raise InputError(f"checkpoint={str(path)!r} cannot be a file; make its folder first")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(
                f"checkpoint={str(path)!r} cannot be written: the folder {str(folder)!r} may not "
                "be written to; choose another folder or change its permissions"
            )

    def due(self, points: int = 1) -> bool:
        """Count new points, and say whether it is time to write."""
        self._since += points
        return self._since >= self.points or monotonic() - self._last >= self.seconds

    def write(self, branch: Mapping[str, Any], state: Mapping[str, Any], mark: Any) -> None:
        """Write a packed branch, the state to go on from, and the fingerprint of the run.

        A write that fails is a warning, and the run continues.
        """
        content = {**branch, **{STATE + key: value for key, value in state.items()}}
        self._since, self._last = 0, monotonic()
        try:
            write({**content, PRINT: fingerprint(mark)}, self.path)
        except OSError as error:
            warn(
                f"the checkpoint {str(self.path)!r} could not be written: {error}. The run "
                f"continues and writes again after {self.points} points, {self.seconds:g} seconds, "
                "or at its end. Free space on the disk, or make the folder writable again",
                CheckpointWarning,
            )

    def read(self, mark: Any) -> tuple[Content, Content] | None:
        """Return (packed branch, state) of the file, or None if there is no file.

        Raises
        ------
        CheckpointError
            If the file is damaged, or was written by another run.
        """
        if not Path(self.path).exists():
            return None
        content = read(self.path)
        if PRINT not in content:
            raise CheckpointError(f"{self.path} is a saved branch, not a checkpoint")
        theirs, ours = json.loads(str(content[PRINT])), json.loads(fingerprint(mark))
        differing = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
        if differing:
            key = differing[0]
            raise CheckpointError(
                f"{self.path} belongs to another run: {', '.join(differing)} differ "
                f"({key}: {_short(theirs.get(key))} there, {_short(ours.get(key))} here); "
                "use another path, or resume=False to overwrite it"
            )
        return content, part(content, STATE)


def as_checkpoint(checkpoint: Checkpoint | str | Path | None, resume: bool) -> Checkpoint | None:
    """Return the settings for a path; raise if there is nothing to resume from."""
    if checkpoint is None:
        if resume:
            raise InputError("resume=True needs checkpoint=path, the file to continue from")
        return None
    return checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)


def fingerprint(mark: Mapping[str, Any]) -> str:
    """Return the text by which two runs are compared."""
    return json.dumps({key: _plain_value(value) for key, value in mark.items()}, sort_keys=True)


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    return type(value).__name__


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
