"""`backup` and `restore` as they are typed: what travels, what is said, and the way back into the vote."""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from backups import TYPED, age_keys, everything, left_in
from electorate import Electorate, open_electorate
from prepared import NOW, SECRETS
from sqlalchemy import insert
from typed import says, types

from bot.schema import chat, inbox
from voting import secrets_file
from voting.audit.signer import Signer
from voting.backup.refusals import BackupExists, DatabaseTaken, IdentityMissing
from voting.store.database import Database


@pytest.fixture
async def town(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Electorate]:
    """A poll in the folder where the commands are typed: two have voted, others are typing."""
    for folder in ("machine", "new"):
        (tmp_path / folder).mkdir()
    secrets_file.save(tmp_path / "machine" / "secrets", SECRETS)
    monkeypatch.setenv("BALLOTLINE_DATABASE_URL", database_url)
    monkeypatch.setenv("BALLOTLINE_SECRETS_FILE", str(tmp_path / "machine" / "secrets"))
    monkeypatch.chdir(tmp_path)
    database = Database(database_url, Signer.beside(SECRETS, tmp_path / "machine" / "secrets"))
    town = await open_electorate(database, members=4)
    for letter in town.letters[:2]:
        await town.votes(letter)
    await _types(database)
    yield town
    await database.close()


async def _types(database: Database) -> None:
    row = {"source": "telegram", "queue": "telegram:1", "payload": TYPED, "received_at": NOW}
    talk = {"language": "cy", "step": "vote_codes", "step_at": NOW, "seen_at": NOW}
    async with database.writing() as connection:
        await connection.execute(insert(inbox), [row | {"key": state, "state": state} for state in ("new", "failed")])
        await connection.execute(insert(chat).values(user_id=1, facts={"held": TYPED.hex(), "pack_id": 1}, **talk))


@pytest.fixture
async def elsewhere(town: Electorate, new_database: Any) -> AsyncIterator[str]:
    """An empty database of a new machine."""
    async with new_database() as url:
        yield url


def moves(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Go to the new machine."""
    monkeypatch.setenv("BALLOTLINE_DATABASE_URL", url)
    monkeypatch.setenv("BALLOTLINE_SECRETS_FILE", "new/secrets")


async def test_what_was_typed_and_not_dealt_with_does_not_travel(
    town: Electorate, tmp_path: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads(await says("backup", "b.db", "--json"))

    assert (made["file"], made["secrets_file"], made["encrypted"]) == ("b.db", "b.db.secrets", False)
    assert made["rows"]["inbox"] == 1
    data = (tmp_path / "b.db").read_bytes()
    assert TYPED not in data
    assert TYPED.hex().encode() not in data

    moves(monkeypatch, elsewhere)
    await says("restore", "b.db")
    restored = Database(elsewhere)
    found = await everything(restored)
    await restored.close()
    assert [(row["state"], row["payload"]) for row in found["inbox"]] == [("failed", None)]
    assert [row["facts"] for row in found["chat"]] == [{"pack_id": 1}]


async def test_after_a_restore_two_officers_resume_and_the_vote_goes_on(
    town: Electorate, tmp_path: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await says("backup", "b.db")
    assert "b.db.secrets: the secrets. Keep them apart" in said
    await town.votes(town.letters[2])
    last = json.loads((tmp_path / "machine" / "secrets.head").read_text())
    (tmp_path / "head.json").write_text(json.dumps(last))

    moves(monkeypatch, elsewhere)
    done = json.loads(await says("restore", "b.db", "--head", "head.json", "--json"))

    assert done["lost"] == {"seq": last["seq"], "hash": last["hash"]}
    assert {finding["name"]: finding["ok"] for finding in done["findings"]}["head"] is False
    assert any("ballotline head resume" in sentence for sentence in done["to_do"])
    assert any("vote again with the same codes" in sentence for sentence in done["to_do"])
    await says("head", "resume", "--as", "Gwen")
    await says("head", "resume", "--as", "Huw")
    assert json.loads(await says("audit", "--json"))["ok"]
    database = Database(elsewhere, Signer.beside(secrets_file.load(Path("new/secrets")), Path("new/secrets")))
    again = dataclasses.replace(town, database=database)
    await again.votes(town.letters[2])
    assert await again.count("lock") == 3
    await database.close()


async def test_without_a_newer_head_it_says_where_one_may_be(
    town: Electorate, tmp_path: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient, _ = age_keys(tmp_path)
    assert "encrypted" in await says("backup", "b.db", "--recipient", recipient)
    moves(monkeypatch, elsewhere)
    assert isinstance((await types("restore", "b.db")).exception, IdentityMissing)

    said = await says("restore", "b.db", "--identity", "identity.txt", "--secrets", "b.db.secrets")

    assert "4. Take every roll" in said
    assert "new/secrets.head as `head --json` printed it" in said
    assert "ok  head" in said
    assert left_in(tmp_path / "new") == {"secrets"}


async def test_neither_command_writes_over_anything(town: Electorate, tmp_path: Path) -> None:
    await says("backup", "b.db")

    assert isinstance((await types("backup", "b.db")).exception, BackupExists)
    assert isinstance((await types("restore", "b.db")).exception, DatabaseTaken)
    assert left_in(tmp_path / "new") == set()
