"""What tests of upgrades start from: what is kept of a released version, the migrations of a later one, schemas."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Final

import pytest
from electorate import Letter
from sqlalchemy import text

from voting.store import revision, upgrade
from voting.store.database import Database

RELEASED: Final = Path(__file__).parents[1] / "data" / "released"  # made by tests/released.py
REVISION: Final = "0200"
LATER: Final = "0201"
_STEP = '''"""A later version's change."""

import sqlalchemy as sa
from alembic import op

revision = "{later}"
down_revision = "0200"


def upgrade() -> None:
    """Run the statements."""
    for statement in {statements!r}:
        op.get_bind().exec_driver_sql(statement)
'''


def letters_of(released: str) -> list[Letter]:
    """Give the letters of the poll that is kept."""
    return [Letter(**one) for one in json.loads((RELEASED / released / "letters.json").read_text())]


def kept_file(released: str, name: str) -> bytes:
    """Give what is kept in a file, without its compression."""
    return gzip.decompress((RELEASED / released / f"{name}.gz").read_bytes())


def later_version(monkeypatch: pytest.MonkeyPatch, folder: Path, *statements: str) -> None:
    """Have this program be a later version, whose one migration after 0200 runs these statements."""
    migrations = folder / "migrations"
    shutil.copytree(revision.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / f"{LATER}_later.py").write_text(_STEP.format(later=LATER, statements=statements))
    for module in (revision, upgrade):
        monkeypatch.setattr(module, "MIGRATIONS", migrations)


_IN_WORDS = (
    (
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||"
        " coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public'"
    ),
    (
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
    ),
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname || ' ' || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)


async def schema_in_words(database: Database) -> set[str]:
    """Give everything that a database is made of, but its rows."""
    asked = ("SELECT coalesce(sql, name) FROM sqlite_master",) if database.is_sqlite else _IN_WORDS
    async with database.reading() as connection:
        return {str(found) for question in asked for found in await connection.scalars(text(question))}
