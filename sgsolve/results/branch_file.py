"""Branches as files: NumPy ``npz`` archives of plain arrays.

There is no pickle, so that reading a file executes no code. A checksum over the contents detects
damaged files. A new file replaces the old one in one step, so that at any moment one of the two is
complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import ranks
from ..errors import CheckpointError
from .blocks import Blocks
from .history import COUNTS, Stats
from .special_points import ApproximateSpecialPoint, SpecialPoint
from .status import Status

FORMAT = "sgsolve branch 6"
NUMBERS = {"coefficient": "coefficients", "along": "along"}  # of a special point, by name
Content = dict[str, Any]


def save(attributes: Mapping[str, Any], path: str | Path) -> None:
    """Write the attributes of a branch, by name; see `Branch.save`."""
    write(packed(attributes), path)


def load(path: str | Path) -> dict[str, Any]:
    """Return the attributes of the branch in a file, by name; see `Branch.load`."""
    content = read(path)
    try:
        return unpacked(content)
    except (KeyError, ValueError, IndexError) as error:
        raise CheckpointError(f"{path} is no branch that sgsolve saved: {error}") from error


def write(content: Mapping[str, Any], path: str | Path) -> None:
    """Write arrays under their names, atomically, with a checksum; of several ranks, the first."""
    path = Path(path)
    if ranks.rank() == 0:
        _write(content, path)
    ranks.agree(f"has written {path.name}")


def _write(content: Mapping[str, Any], path: Path) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    arrays = {key: np.asarray(value) for key, value in content.items()}
    arrays["checksum"] = np.asarray(_checksum(arrays))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # one could be allow_pickle
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):  # the folder is gone, or may not be changed any more
            part.unlink(missing_ok=True)


def read(path: str | Path) -> Content:
    """Return the arrays of a file that `write` wrote.

    Raises
    ------
    CheckpointError
        If it is damaged or something else.
    FileNotFoundError
    """
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            content = {key: file[key] for key in file.files}
        claimed = str(content.pop("checksum"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    # a damaged archive shows up as any of several errors of zipfile, zlib and NumPy
    except Exception as error:
        raise CheckpointError(f"{path} is no file that sgsolve wrote, or damaged") from error
    if claimed != _checksum(content):
        raise CheckpointError(f"{path} is damaged: its checksum does not match its content")
    if str(content.get("format")) != FORMAT:
        raise CheckpointError(f"{path} is no branch of this version: {content.get('format')}")
    return content


def packed(attributes: Mapping[str, Any]) -> Content:
    """Return a branch as arrays by name; parameters that are no numbers or texts are left out."""
    stats, blocks, rejected = (attributes[name] for name in ("stats", "blocks", "rejected"))
    content: Content = {"format": FORMAT, "status": attributes["status"].name}
    content |= {key: attributes[key] for key in ("name", "kind", "message", "states", "reached")}
    content |= {f"column {key}": value for key, value in attributes["columns"].items()}
    content |= {f"count {key}": getattr(stats, key) for key in COUNTS}
    content |= {f"seconds {key}": value for key, value in stats.seconds.items()}
    content |= {"backend": stats.backend, "along": np.array(attributes["along"], dtype=str)}
    for key, value in attributes["params"].items():
        if np.asarray(value).dtype.kind in "biufcU":
            content[f"param {key}"] = value
    for name in blocks or ():
        content |= _packed_block(blocks, name)
    for key in ("kept", "weights", "bounds"):
        if attributes[key] is not None:
            content[key] = attributes[key]
    content["rejected at"] = np.array([value for value, _ in rejected], dtype=float)
    content["rejected why"] = np.array([why for _, why in rejected], dtype=str)
    return content | packed_special_points(attributes["special_points"])


def packed_special_points(special_points: Sequence[SpecialPoint]) -> Content:
    """Return special points as arrays by name."""
    content: Content = {}
    for i, special in enumerate(special_points):
        values = {key: value for key, value in vars(special).items() if value is not None}
        for word, name in NUMBERS.items():
            numbers = values.pop(name)
            values |= {f"{word} {key}": value for key, value in numbers.items()}
        content |= {f"special {i} {key}": value for key, value in values.items()}
    return content


def unpacked(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a branch by name, from the arrays of a file."""
    stats = Stats()
    for key, value in part(content, "count ").items():
        setattr(stats, key, int(value))
    stats.seconds = {key: float(value) for key, value in part(content, "seconds ").items()}
    stats.backend = str(content["backend"])
    return {
        "name": str(content["name"]),
        "columns": part(content, "column "),
        "states": content["states"],
        "params": {key: value[()] for key, value in part(content, "param ").items()},
        "status": Status[str(content["status"])],
        "message": str(content["message"]),
        "stats": stats,
        "special_points": unpacked_special_points(content),
        "rejected": _rejected(content),
        "reached": float(content["reached"]),
        "kept": content.get("kept"),
        "weights": content.get("weights"),
        "along": tuple(content["along"].tolist()),
        "blocks": _saved_blocks(content),
        "bounds": tuple(content["bounds"].tolist()) if "bounds" in content else None,
        "kind": str(content.get("kind", "solutions")),
    }


def _packed_block(blocks: Any, name: str) -> Content:
    """Return the place and the shape of a block, under its name."""
    where = np.arange(blocks.n)[blocks[name]]
    return {f"block {name}": where, f"shape {name}": np.array(blocks.shapes[name], dtype=int)}


def _saved_blocks(content: Mapping[str, Any]) -> Blocks | None:
    """Return the blocks of a file; None if the branch had none."""
    places = part(content, "block ")
    if not places:
        return None
    blocks = Blocks(sum(len(where) for where in places.values()), places)
    shapes = part(content, "shape ")
    blocks.shapes = {name: tuple(shapes[name].tolist()) for name in blocks.names}
    return blocks


def part(content: Mapping[str, Any], prefix: str) -> Content:
    """Return the entries whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in content.items() if k.startswith(prefix)}


def _rejected(content: Mapping[str, Any]) -> list[tuple[float, str]]:
    pairs = zip(content["rejected at"].tolist(), content["rejected why"].tolist(), strict=True)
    return [(float(value), str(why)) for value, why in pairs]


def unpacked_special_points(content: Mapping[str, Any]) -> list[SpecialPoint]:
    """Return the special points of arrays by name."""
    found: list[SpecialPoint] = []
    while fields := part(content, f"special {len(found)} "):
        place = str(fields["kind"]), float(fields["parameter"]), fields["x"]
        special = SpecialPoint(*place)
        if "uncertainty" in fields:
            special = ApproximateSpecialPoint(*place, uncertainty=float(fields["uncertainty"]))
        special.index, special.frequency = int(fields["index"]), float(fields["frequency"])
        special.marker, special.nature = str(fields["marker"]), str(fields["nature"])
        special.changes_stability = bool(fields["changes_stability"])
        for word, name in NUMBERS.items():
            numbers = part(fields, f"{word} ")
            setattr(special, name, {key: float(value) for key, value in numbers.items()})
        for key in ("vector", "tangent", "other_tangent"):
            setattr(special, key, fields.get(key))
        found.append(special)
    return found


def _checksum(arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key}|{array.dtype.str}|{np.shape(arrays[key])}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
