"""An older backup, brought up to our schema before it is restored: in a copy, the file itself stays as it is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from voting.backup import file
from voting.store.database import VERSIONS, Database
from voting.store.revision import revisions
from voting.store.upgrade import upgrade


async def at_our_revision(plain: Path, folder: Path) -> Path:
    """Give the file itself, or in `folder` a copy with the missing steps run if its revision is a known older one."""
    if _revision(plain) not in revisions()[:-1]:
        return plain
    copy = folder / f"{plain.name}.upgraded"
    shutil.copyfile(plain, copy)
    database = Database(URL.create("sqlite+aiosqlite", database=str(copy)))
    try:
        await upgrade(database)
    finally:
        await database.close()
    file.lay_to_rest(copy)
    return copy


def _revision(plain: Path) -> str | None:
    """Read the revision of a file, None of one that is no database of ours: why not is said when it is opened."""
    try:
        with closing(sqlite3.connect(f"{plain.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            found = connection.execute(f"SELECT version_num FROM {VERSIONS}").fetchone()  # noqa: S608 - our own constant
    except sqlite3.DatabaseError:
        return None
    return None if found is None else str(found[0])
