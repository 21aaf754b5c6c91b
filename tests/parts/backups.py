"""What tests of backups start from: a poll that is being held, a file of it, an empty place."""

import json
from pathlib import Path
from typing import Any

import pyrage
from electorate import Electorate
from prepared import NOW, SECRETS
from sqlalchemy import insert, select

import bot.schema
from voting import schema
from voting.backup.making import Made, make, secrets_of
from voting.backup.restoring import Restored, Sources, restore
from voting.store.columns import METADATA
from voting.store.database import Database

TYPED = b"typed a moment ago"
OF_THE_HOUR = {"hours"}  # in a secrets file: the key of what people typed
assert bot.schema.inbox.metadata is METADATA  # its tables join the metadata: a backup knows every table


async def back_up(database: Database, path: Path, **named: Any) -> Made:
    """Make a backup."""
    return await make(database, SECRETS, path, **{"working": path.parent, "now": NOW} | named)


async def restore_into(url: str, secrets_path: Path, path: Path, **named: Any) -> Restored:
    """Restore one."""
    return await restore(Sources(**{"file": path, "secrets": secrets_of(path)} | named), url, secrets_path)


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Read every table."""
    async with database.reading() as connection:
        return {
            table.name: [
                dict(row)
                for row in (await connection.execute(select(table).order_by(*table.primary_key.columns))).mappings()
            ]
            for table in METADATA.sorted_tables
        }


def left_in(folder: Path) -> set[str]:
    """Name what is in a folder."""
    return {path.name for path in folder.iterdir()}


def keys_changed(one: Path, other: Path) -> set[str]:
    """Name what differs between two secrets files."""
    first, second = json.loads(one.read_text()), json.loads(other.read_text())
    assert first.keys() == second.keys()
    return {name for name, word in first.items() if second[name] != word}


async def opens_a_paper(town: Electorate) -> None:
    """Have a voting paper open that has a secret with it."""
    async with town.database.writing() as connection:
        row = {"id": "open", "member_id": 1, "pack_id": 1, "chat": "telegram:1", "opened_at": NOW}
        await connection.execute(insert(schema.intent), row | {"credential_secret": TYPED})


def age_keys(folder: Path) -> tuple[str, Path]:
    """Make a recipient, and the file of its identity as `age-keygen` writes it."""
    identity = pyrage.x25519.Identity.generate()
    path = folder / "identity.txt"
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public()), path
