"""Each identity, broken by hand by somebody who owns the database: exactly that probe says so, and what follows.

The judges (triggers, keys, checks) are dropped first, for a probe is what shows an owner who does not tell.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest
from counting import take_papers
from electorate import Electorate, Letter, make_letters, open_electorate, pack_row
from prepared import NOW, POLL
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.audit.probes import EQUAL, TAIL, run_probes
from voting.model import By
from voting.store.database import Database

LINKED = "the chain's newest entries are linked and signed"
PAPER = "every online lock has its intent, from the same chat"
COUNTED = "online locks are ballots"
OWN = "every online lock has the ballot of its pack's credential"
UNDER = "ballots stand under an entry that locked votes"
IN_USE = "packs issued are used, void, replaced or unused"

# what was done: (statement or chain entry, the probes that do not hold any more)
BROKEN: dict[str, tuple[str, set[str]]] = {
    "a ballot is gone": ("DELETE FROM ballot WHERE entry = (SELECT max(entry) FROM ballot)", {COUNTED, OWN}),
    "a ballot was slipped in": (
        "INSERT INTO ballot SELECT digest, packed, credential, entry FROM ballot ORDER BY entry LIMIT 1",
        {COUNTED},
    ),
    "a ballot lies under another's credential": ("UPDATE ballot SET credential = digest", {OWN}),
    "a ballot lies under an entry of another kind": ("UPDATE ballot SET entry = 1", {UNDER}),
    "a receipt is gone": ("UPDATE lock SET receipt = NULL WHERE member_id = 1", {"online locks are receipts"}),
    "a vote was written on the chain that is no lock": (
        "votes_locked",
        {"votes on the chain are online locks"},
    ),
    "a lock was made with somebody else's pack": (
        "UPDATE lock SET pack_id = 5 WHERE member_id = 1",
        {"every lock's pack is its member's", PAPER, OWN},
    ),
    "a pack that had voted was made void": (
        "UPDATE pack SET state = 'void' WHERE id = 1",
        {"no lock used a pack that was replaced or void", IN_USE},
    ),
    "a lock names a pack that nobody issued": (
        "UPDATE lock SET pack_id = 999 WHERE member_id = 1",
        {"every lock's pack is its member's", IN_USE, PAPER, OWN},
    ),
    "a member has two working packs": (
        "UPDATE pack SET state = 'live' WHERE id = 101",
        {"no member has two working packs"},
    ),
    "a lock's paper was shown in another chat": (
        "UPDATE intent SET chat = 'telegram:9' WHERE member_id = 1",
        {PAPER},
    ),
    "a lock's paper was shown for another pack": (
        "UPDATE intent SET pack_id = 5 WHERE member_id = 1",
        {PAPER},
    ),
    "a scanned paper is gone": ("DELETE FROM paper", {"locks by post have their paper"}),
    "a case was given to somebody else": (
        "UPDATE attempt_case SET member_id = 5",
        {"every attempt is in its member's case"},
    ),
    "an attempt was laid on somebody who has not voted": (
        "UPDATE attempt_case SET member_id = 5; UPDATE attempt SET member_id = 5",
        {"every attempt's member has voted"},
    ),
    "an attempt was made to disappear": ("DELETE FROM attempt", {"attempts on the chain are attempts"}),
    "the chain says something else": ("UPDATE chain SET actor = 'Huw' WHERE seq = 2", {LINKED}),
    "an entry of the chain is gone": ("DELETE FROM chain WHERE seq = 2", {LINKED}),
    "a lock was made to disappear, with its ballot": (
        "DELETE FROM ballot WHERE entry = (SELECT max(entry) FROM ballot); DELETE FROM lock WHERE member_id = 2",
        {"votes on the chain are online locks"},
    ),
}


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> Electorate:
    """Ada and Bob voted online, Cai by post, Dai holds a second pack; somebody tried Ada's."""
    old = make_letters(POLL, 1)[0]

    async def with_replaced_pack(connection: AsyncConnection) -> None:
        row = pack_row(POLL, Letter(4, 101, old.pack_code, old.vote_code), serial=0, state="replaced")
        await connection.execute(insert(schema.pack), [row])

    town = await open_electorate(database, 6, before_open=with_replaced_pack)
    ada, bob, cai, *_ = town.letters
    await town.votes(ada)
    await town.votes(bob)
    await take_papers(town, tmp_path, [cai])
    await town.gives_codes(ada, chat="telegram:77", flow="thief", warned=True)
    assert await town.broken_probes() == []
    return town


async def do_by_hand(database: Database, statements: Iterable[str]) -> None:
    """Drop the judges and do it, as only the owner of the database can."""
    async with database.engine.connect() as bare:
        connection = await bare.execution_options(isolation_level="AUTOCOMMIT") if not database.is_sqlite else bare
        if database.is_sqlite:
            triggers = (await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))).all()
            await connection.rollback()
            judges = ["PRAGMA ignore_check_constraints = ON", "PRAGMA foreign_keys = OFF"]
            judges += [f"DROP TRIGGER {row.name}" for row in triggers]
        else:
            tables = ("lock", "ballot", "chain", "attempt", "attempt_case", "paper", "intent", "pack")
            judges = [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in tables]
            judges.append("ALTER TABLE lock DROP CONSTRAINT ck_lock_online_has_receipt")
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        for statement in (*judges, "DROP INDEX one_live_pack", *statements):
            await raw.execute(statement)
        await connection.invalidate()  # with its judges switched off it serves nobody else


@pytest.mark.parametrize(("done", "says"), BROKEN.values(), ids=BROKEN.keys())
async def test_what_was_done_by_hand_breaks_that_identity_and_what_follows(
    town: Electorate, done: str, says: set[str]
) -> None:
    if done == "votes_locked":
        async with town.database.writing() as connection:
            await chain.append(connection, done, {"n": 1, "ballots": ["0" * 64]}, by=By.system(NOW))
    else:
        await do_by_hand(town.database, done.split("; "))

    async with town.database.reading() as connection:
        probes = await run_probes(connection)

    assert {probe.name for probe in probes if not probe.holds} == says


def test_every_identity_is_broken_once() -> None:
    assert set().union(*(says for _, says in BROKEN.values())) == {*EQUAL, LINKED}


async def test_only_the_newest_entries_are_walked_every_minute(town: Electorate) -> None:
    """An old entry that was changed is for `audit` to find, which walks them all."""
    async with town.database.writing() as connection:
        await chain.append_many(connection, [chain.Act("rule_changed", {})] * (TAIL + 1), by=By.system(NOW))
    await do_by_hand(town.database, ["UPDATE chain SET actor = 'Huw' WHERE seq = 2"])

    assert await town.broken_probes() == []
    async with town.database.reading() as connection:
        with pytest.raises(chain.ChainBroken):
            await chain.walk(connection)
