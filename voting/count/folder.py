"""The bundle's folder: made beside its final place, and given its name when all of it is on disk."""

import os
import shutil
from pathlib import Path

from voting.refusals import CannotCount


def refuse_taken(out: Path) -> None:
    """Refuse to write over anything; CannotCount."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CannotCount(reason=f"{out} is not an empty folder")


def begin_part(out: Path) -> Path:
    """Make the folder beside `out`; what an interrupted run left there is cleared away."""
    part = out.with_name(out.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    return part


def publish(part: Path, out: Path) -> None:
    """Make the part durable and give it its name."""
    for path in (*part.rglob("*"), part):
        _sync(path)
    if out.exists():
        out.rmdir()
    part.rename(out)
    _sync(out.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
