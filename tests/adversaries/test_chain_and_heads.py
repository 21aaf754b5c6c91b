"""The database's owner at the chain: nothing is appended or rewritten, no older copy put back, nobody made staff."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from counted_town import CountedTown, open_town
from counting import close
from enrolled import enrolled
from forged_chain import STRANGER, made, put, read, resigned, without_triggers
from prepared import GWEN, NOW, SECRETS
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from trustee_town import dealt

from bot.house import House
from bot.schema import staff
from bot.settings import Settings
from bot.staff.desk import StaffDesk
from bot.staff.roles import Act, NotStaff, NotYourRole, Role
from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.chain import ChainBroken, Entry, HeadNotContinued
from voting.audit.examination import examine
from voting.audit.probes import run_probes
from voting.audit.signer import Signer
from voting.ballots.ballot import ballot_digest
from voting.ballots.mark import key_fingerprint, mark_of
from voting.count import readiness
from voting.count.count import begin
from voting.poll.election import election_of
from voting.refusals import CannotCount, ForeignSecrets
from voting.store.database import Database
from voting.verify.report import Asked
from voting.verify.verify import verify

EVE = 66
PAPERS: dict[str, object] = {"n_received": 2, "n_rejected": 0, "n_set_aside": 0}


@pytest.fixture
async def town(database: Database) -> CountedTown:
    """Ten voted; the poll is closed."""
    town = await open_town(database, 12)
    await town.votes(town.letters[:6], 0)
    await town.votes(town.letters[6:10], 1)
    await close(town)
    return town


def said_otherwise(entries: list[Entry], kind: str, **body: object) -> list[Entry]:
    """Change what the last entry of a kind says."""
    last = max(place for place, entry in enumerate(entries) if entry.kind == kind)
    entry = entries[last]
    return [*entries[:last], replace(entry, body=entry.body | body), *entries[last + 1 :]]


Act_ = Callable[[list[Entry]], list[Entry]]
REWRITES: dict[str, Act_] = {
    "appends an entry": lambda old: [*old, made(len(old) + 1, old[-1].hash, kind="papers_imported", body=PAPERS)],
    "rewrites the poll": lambda old: said_otherwise(old, "poll_initialised", questions=[]),
    "names other ballots": lambda old: said_otherwise(old, "votes_locked", ballots=["0" * 64], n=1),
    "drops the last votes": lambda old: [one for one in old if one is not _last_votes(old)],
    "reorders": lambda old: [*old[:-3], old[-2], old[-3], old[-1]],
    "cuts the end off and closes again": lambda old: [*old[:-2], old[-1]],
}


def _last_votes(entries: list[Entry]) -> Entry:
    return [entry for entry in entries if entry.kind == "votes_locked"][-1]


@pytest.mark.parametrize("signed_by", ["nobody", "another key"])
@pytest.mark.parametrize("rewrite", REWRITES)
async def test_the_databases_owner_writes_no_entry(
    town: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewrite: str, signed_by: str
) -> None:
    """Entries linked anew with the old signatures, or signed with a key of their own; the heads go with them.

    Guard: the signature of every entry, in `chain.walk`, in `tally begin` through `verify`, and in `examine` (audit).
    """
    changed = REWRITES[rewrite](await read(town.database))
    forged = resigned(changed, STRANGER, town.poll.uuid)
    if signed_by == "nobody":
        forged = [replace(new, signature=old.signature) for new, old in zip(forged, changed, strict=True)]
    await put(town.database, forged)

    async with town.database.reading() as connection:
        with pytest.raises(ChainBroken, match="is not signed by this poll's signing key"):
            await chain.walk(connection)
        assert "is not signed" in str((await examine(connection)).problem)
        tail = (await run_probes(connection))[-1]
        assert not tail.holds
        assert "is not signed" in tail.detail
    monkeypatch.setattr(readiness, "run_probes", _all_hold)  # and now `verify` alone
    with pytest.raises(CannotCount, match=r"does not verify: .* is not signed by this poll's signing key"):
        await begin(town.database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)
    assert not (tmp_path / "bundle").exists()


async def _all_hold(_connection: AsyncConnection) -> list[Any]:
    return []


async def test_a_chain_made_anew_with_another_key_is_not_the_poll_that_was_published(
    town: CountedTown, tmp_path: Path
) -> None:
    """The owner runs our software with secrets of their own over the tables, two votes taken out: it verifies.

    But not as the poll whose fingerprint members were told: guard, `--key`. The house itself refuses: ForeignSecrets.
    """
    own = secrets_file.make()
    fingerprint = key_fingerprint(election_of(town.poll).hash, dealt().trustees.data, own.verify_key)
    gone = [ballot_digest(ballot) for ballot in (town.ballots[1], town.ballots[2])]
    entries = said_otherwise(await read(town.database), "poll_initialised", signing_key=own.verify_key.hex())
    entries = said_otherwise(entries, "poll_opened", fingerprint=fingerprint)
    first = next(entry for entry in entries if entry.kind == "votes_locked")
    left = [one for one in first.body["ballots"] if bytes.fromhex(one) not in gone]
    entries = [replace(one, body={"n": len(left), "ballots": left}) if one is first else one for one in entries]
    await put(town.database, resigned(entries, Signer(own), town.poll.uuid))
    async with town.database.writing() as connection:
        await without_triggers(connection, "poll", "ballot", "lock")
        await connection.execute(update(schema.poll).values(signing_key=own.verify_key))
        await connection.execute(delete(schema.ballot).where(schema.ballot.c.digest.in_(gone)))
        await connection.execute(delete(schema.lock).where(schema.lock.c.receipt.in_(map(mark_of, gone))))

    with pytest.raises(ForeignSecrets):
        await begin(town.database, tmp_path / "ours", secrets=SECRETS, by=GWEN, publish_small=True)
    their_house = Database(town.database.url, Signer(own))
    try:
        await begin(their_house, tmp_path / "theirs", secrets=own, by=GWEN, publish_small=True)
    finally:
        await their_house.close()
    assert verify(tmp_path / "theirs").ok  # nothing inside can show it
    published = key_fingerprint(election_of(town.poll).hash, dealt().trustees.data, SECRETS.verify_key)
    assert not verify(tmp_path / "theirs", asked=Asked(key=published)).ok


# ---- an older copy


async def test_an_older_copy_put_back_is_seen(database_url: str, tmp_path: Path) -> None:
    """Four votes are taken away by yesterday's copy; the signed heads in it are good ones.

    Guard: the last head kept beside the secrets, durable before a receipt is given; `check_continues`.
    """
    signer = Signer.beside(SECRETS, tmp_path / "ballotline.secrets")
    database = Database(database_url, signer)
    try:
        town = await open_town(database, 8)
        await town.votes(town.letters[:4], 0)
        async with database.writing() as connection:
            await chain.sign_head(connection, NOW)
        older = await read(database)
        head = tmp_path / "kept-by-others.json"
        await town.votes(town.letters[4:8], 1)
        async with database.writing() as connection:
            await chain.sign_head(connection, NOW)
            newest = await chain.last_head(connection)
        assert newest is not None
        head.write_bytes(newest.line)

        await put(database, older)
        async with database.writing() as connection:
            await without_triggers(connection, "ballot", "lock")
            gone = [ballot_digest(town.ballots[member]) for member in range(5, 9)]
            await connection.execute(delete(schema.ballot).where(schema.ballot.c.digest.in_(gone)))
            await connection.execute(delete(schema.lock).where(schema.lock.c.receipt.in_(map(mark_of, gone))))

        async with database.reading() as connection:
            assert await chain.walk(connection) == len(older)  # every link and signature holds
            with pytest.raises(HeadNotContinued):
                await chain.check_continues(connection)
        async with database.writing() as connection:
            with pytest.raises(HeadNotContinued):
                await chain.sign_head(connection, NOW)
        await close(town)  # no vote is lost for it, but nothing is signed, and so nothing counted
        with pytest.raises(HeadNotContinued):
            await begin(database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)

        # Who deletes that file too meets whoever kept a head: `verify --head`.
        signer.file.unlink()  # type: ignore[union-attr]
        await begin(database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)
        assert verify(tmp_path / "bundle").ok
        assert not verify(tmp_path / "bundle", asked=Asked(head=head)).ok
    finally:
        await database.close()


# ---- staff


async def test_a_row_makes_nobody_staff(database: Database) -> None:
    """Guard: `Rights.agrees`: a row has the role that the newest signed entry about its number gives."""
    await open_town(database, 2)
    huw = await enrolled(database, "Huw", Role.SUPPORT, 8)
    await enrolled(database, "Gwen", Role.OFFICER, 7)
    async with database.writing() as connection:
        row = {"name": "Eve", "role": "officer", "user_id": EVE, "nonce": bytes(32), "language": "en-GB"}
        await connection.execute(insert(staff).values(**row, enrolled_at=NOW))
        await connection.execute(update(staff).where(staff.c.id == huw.id).values(role="officer"))
        await connection.execute(update(staff).where(staff.c.user_id == 7).values(user_id=67))
    desk = StaffDesk(House(Settings(_env_file=None), database, SECRETS, clock=lambda: NOW), wake=lambda: None)

    for user_id in (EVE, 8, 67):
        with pytest.raises((NotStaff, NotYourRole)):
            async with desk.acting(user_id, Act.IMPORT_FILES):
                pass
    async with database.reading() as connection:
        kinds = list(await connection.scalars(select(schema.chain.c.kind)))
    assert kinds.count("staff_enrolled") == 2
