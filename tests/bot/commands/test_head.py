"""`head` on the command line: what others keep, and the way on after an honest restore."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from forged_chain import put, read
from prepared import NOW, SECRETS, make_poll
from typed import says, types

from voting import secrets_file
from voting.audit import chain
from voting.audit.chain import HeadNotContinued
from voting.audit.resuming import HeadNotLost
from voting.audit.signer import Head, Signer
from voting.model import By
from voting.refusals import NeedsSecondPerson
from voting.store.database import Database


@pytest.fixture
async def kept(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A poll in the folder where the commands are typed."""
    secrets_file.save(tmp_path / "secrets", SECRETS)
    monkeypatch.setenv("BALLOTLINE_DATABASE_URL", database_url)
    monkeypatch.setenv("BALLOTLINE_SECRETS_FILE", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)
    database = Database(database_url, Signer.beside(SECRETS, tmp_path / "secrets"))
    await make_poll(database)
    yield database
    await database.close()


async def signed(database: Database) -> None:
    async with database.writing() as connection:
        await chain.append(connection, "done", {}, by=By.system(NOW))
        await chain.sign_head(connection, NOW)


async def test_before_any_head_is_signed_it_says_who_signs(kept: Database) -> None:
    result = await types("head")

    assert result.exit_code == 1
    assert "`ballotline run` signs one every hour" in result.output


async def test_the_head_is_printed_for_a_person_and_for_verify(kept: Database, tmp_path: Path) -> None:
    await signed(kept)
    entry = (await read(kept))[-1]

    said, line = await says("head"), await says("head", "--json")

    assert f"Entry {entry.seq} of the chain" in said
    assert entry.hash.hex() in said
    found = json.loads(line)
    head = Head(found["seq"], bytes.fromhex(found["hash"]), bytes.fromhex(found["signature"]))
    assert head == Signer(SECRETS).sign_head(entry.seq, entry.hash)
    (tmp_path / "secrets.head").write_text(line)  # as a damaged file is mended
    assert Signer.beside(SECRETS, tmp_path / "secrets").kept() == head


async def test_a_lost_head_is_given_up_by_two(kept: Database) -> None:
    before = await read(kept)
    await signed(kept)
    await put(kept, before)
    result = await types("head")
    assert isinstance(result.exception, HeadNotContinued)
    assert "ballotline head resume" in str(result.exception)

    asked = await says("head", "resume", "--as", "Gwen")
    twice = await types("head", "resume", "--as", "Gwen")
    approved = json.loads(await says("head", "resume", "--as", "Huw", "--json"))

    assert "Another officer approves" in asked
    assert isinstance(twice.exception, NeedsSecondPerson)
    assert (approved["asked_by"], approved["approved_by"]) == ("Gwen", "Huw")
    assert approved["lost"]["seq"] == len(before) + 1
    assert isinstance((await types("head", "resume", "--as", "Gwen")).exception, HeadNotLost)
    assert json.loads(await says("head", "--json"))["seq"] == len(before) + 2
    assert json.loads(await says("audit", "--json"))["ok"]
    doctor = json.loads((await types("doctor", "--json")).output)
    assert {finding["name"]: finding["ok"] for finding in doctor["findings"]}["head"] is True


async def test_what_both_have_said_is_said_to_a_person(kept: Database) -> None:
    before = await read(kept)
    await signed(kept)
    await put(kept, before)
    await says("head", "resume", "--as", "Gwen")

    assert "Gwen and Huw have given it up" in await says("head", "resume", "--as", "Huw")
