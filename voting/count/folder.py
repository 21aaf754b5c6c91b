"""The bundle's folder: made beside its final place, and given its name when all of it is on disk.

The bundle with its result takes the place of the one without, in the same folder: the old one is set aside first, so
that there is a whole bundle or none, and deleted last.
"""

import json
import shutil
from pathlib import Path

from voting.kept_file import make_durable
from voting.refusals import CannotCount
from voting.verify import format as form


def refuse_taken(out: Path, uuid: str, *stages: str) -> None:
    """Refuse to write over anything but an empty folder, or this poll's bundle of one of the stages; CannotCount."""
    if not out.exists() or _holds_bundle(out, uuid, stages):
        return
    if not out.is_dir() or any(out.iterdir()):
        raise CannotCount(reason=f"{out} is neither an empty folder nor what an earlier step wrote of this poll")


def _holds_bundle(out: Path, uuid: str, stages: tuple[str, ...]) -> bool:
    """Tell by the manifest's own words and by the names of all files: nothing else is ever deleted."""
    try:
        manifest = json.loads((out / form.MANIFEST).read_bytes())
        named = [uuid == manifest["uuid"] and manifest["stage"] == stage for stage in stages]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    found = {str(path.relative_to(out)) for path in out.rglob("*")} - {form.ARCHIVES}
    return any(
        is_it and found == {*form.listed(stage, uuid), form.MANIFEST, form.SIGNATURE}
        for is_it, stage in zip(named, stages, strict=True)
    )


def begin_part(out: Path) -> Path:
    """Make the folder beside `out`; what an interrupted run left there is cleared away."""
    part = _part(out)
    for left in (part, _aside(out)):
        if left.exists():
            shutil.rmtree(left)
    (part / form.ARCHIVES).mkdir(parents=True)
    return part


def publish(out: Path) -> None:
    """Make the part durable and give it its name."""
    part, aside = _part(out), _aside(out)
    for path in (*part.rglob("*"), part):
        make_durable(path)
    if out.exists():
        out.rename(aside)
    part.rename(out)
    make_durable(out.parent)
    if aside.exists():
        shutil.rmtree(aside)


def _part(out: Path) -> Path:
    return out.with_name(out.name + ".part")


def _aside(out: Path) -> Path:
    return out.with_name(out.name + ".part.old")
