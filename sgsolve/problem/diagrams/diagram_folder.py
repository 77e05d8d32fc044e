"""Folder of a bifurcation diagram: a file for each branch, from which a search goes on.

A manifest has the arguments of the call. A branch that is complete has a file of its own; that
which is being followed has a checkpoint beside it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import CheckpointError, DataTypeError, InputError
from ...results.branch import Branch
from ...results.checkpoint import fingerprint

MANIFEST = "diagram.json"


class DiagramFolder:
    """The files of a diagram.

    Parameters
    ----------
    path : str or Path
        Made if it is not there.
    mark : mapping
        Tells diagrams apart.

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    CheckpointError
        If it has the branches of another diagram.
    """

    def __init__(self, path: Any, mark: Mapping[str, Any]) -> None:
        if not isinstance(path, str | os.PathLike):
            raise DataTypeError(f"folder must be a path, not {path!r}")
        self.path = Path(path)
        text = fingerprint(mark)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            known = self._manifest()
            if known is None:
                self._write_manifest(text)
        except OSError as error:
            raise InputError(
                f"folder={str(path)!r} cannot be used: {error}; choose another folder"
            ) from error
        ours = json.loads(text)
        differing = [] if known is None else [k for k in ours if known.get(k) != ours[k]]
        if differing:
            raise CheckpointError(
                f"{self.path} has the branches of another diagram: {', '.join(differing)} differ; "
                "choose another folder"
            )

    def complete(self, name: str) -> Branch | None:
        """Return the branch with a name; None if it is not complete."""
        path = self.file(name)
        if not path.exists():
            return None
        self.unfinished(name).unlink(missing_ok=True)  # of a kill between two lines of `keep`
        return Branch.load(path)

    def keep(self, name: str, branch: Branch) -> None:
        """Write a branch that is complete, in place of its checkpoint."""
        branch.save(self.file(name))
        self.unfinished(name).unlink(missing_ok=True)

    def file(self, name: str) -> Path:
        """Return the path of a branch."""
        return self.path / f"{name}.npz"

    def unfinished(self, name: str) -> Path:
        """Return the path of the checkpoint of a branch."""
        return self.path / f"{name}.part.npz"

    def _manifest(self) -> dict[str, Any] | None:
        manifest = self.path / MANIFEST
        if not manifest.exists():
            return None
        try:
            known = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError:
            known = None
        if not isinstance(known, dict):
            raise CheckpointError(f"{manifest} is damaged; choose another folder")
        return known

    def _write_manifest(self, text: str) -> None:
        """Write the manifest in one step, so that a kill leaves a whole one or none."""
        part = self.path / f".{MANIFEST}.{os.getpid()}.part"
        part.write_text(text, encoding="utf-8")
        os.replace(part, self.path / MANIFEST)
