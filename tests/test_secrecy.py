"""The database's owner tries to join locks to boxed ballots by everything there is, and does no better than chance.

`right(guess)` counts voters whose ballot a join names correctly. With two options chance is about half of the
*options*, so joins are judged by ballots: the test knows which sealed ballot is whose.
"""

import asyncio
import random
from collections.abc import Sequence

import pytest
from electorate import Electorate, open_electorate
from prepared import NOW
from sqlalchemy import text

from voting import clerk
from voting.box import empty_tray, move_tray
from voting.database import Database

VOTERS = 600
CHANCE_MAX = 12  # right by chance is 1 on average; 12 of 600 has a chance of about 1 in 10^9

LOCK_ORDERS = {
    "time of the lock": "SELECT member_id FROM lock ORDER BY at, member_id",
    "receipt": "SELECT member_id FROM lock ORDER BY receipt",
    "intent": "SELECT member_id FROM lock ORDER BY intent_id",
    "pack": "SELECT member_id FROM lock ORDER BY pack_id",
    "time of the intent": (
        "SELECT l.member_id FROM lock l JOIN intent i ON i.id = l.intent_id ORDER BY i.opened_at, i.id"
    ),
}
SQLITE_LOCK_ORDERS = {
    "rowid of the lock": "SELECT member_id FROM lock ORDER BY rowid",
    "rowid of the intent": "SELECT l.member_id FROM lock l JOIN intent i ON i.id = l.intent_id ORDER BY i.rowid",
}
POSTGRES_LOCK_ORDERS = {
    "ctid of the lock": "SELECT member_id FROM lock ORDER BY ctid",
    "xmin of the lock": "SELECT member_id FROM lock ORDER BY xmin::text::bigint, ctid",
    "ctid of the intent": "SELECT l.member_id FROM lock l JOIN intent i ON i.id = l.intent_id ORDER BY i.ctid",
}
BOX_ORDERS = {"id": "SELECT sealed FROM box ORDER BY id", "as it lies": "SELECT sealed FROM box"}
POSTGRES_BOX_ORDERS = {
    "ctid of the ballot": "SELECT sealed FROM box ORDER BY ctid",
    "xmin of the ballot": "SELECT sealed FROM box ORDER BY xmin::text::bigint, ctid",
}


@pytest.fixture
async def boxed(database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[Electorate, dict[bytes, int]]:
    """Six hundred have voted in small groups; all ballots are boxed. Whose is whose is known to the test alone."""
    town = await open_electorate(database, members=VOTERS)
    owner: dict[bytes, int] = {}
    real = clerk._put_in_tray

    async def watched(connection: object, poll: object, won: Sequence[object]) -> None:
        sealed_before = len(made)
        await real(connection, poll, won)  # type: ignore[arg-type]
        for waiting, sealed in zip(won, made[sealed_before:], strict=True):
            owner[sealed] = int(waiting.cast.chat.partition(":")[2])  # type: ignore[attr-defined]

    made: list[bytes] = []
    real_seal = clerk.seal

    def sealing(*arguments: object, **named: object) -> bytes:
        made.append(real_seal(*arguments, **named))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(clerk, "_put_in_tray", watched)
    monkeypatch.setattr(clerk, "seal", sealing)
    letters = list(town.letters)
    random.Random(7).shuffle(letters)
    while letters:
        group, letters = letters[:20], letters[20:]
        await asyncio.gather(*(town.votes(letter, option=letter.member_id % 2) for letter in group))
        await move_tray(database, now=NOW, at_least=500, take=250)
    await empty_tray(database, now=NOW)
    return town, owner


async def column(town: Electorate, statement: str) -> list[object]:
    async with town.database.reading() as connection:
        return [row[0] for row in await connection.execute(text(statement))]


async def test_no_order_of_locks_matches_any_order_of_ballots(boxed: tuple[Electorate, dict[bytes, int]]) -> None:
    town, owner = boxed
    sqlite = town.database.is_sqlite
    locks = LOCK_ORDERS | (SQLITE_LOCK_ORDERS if sqlite else POSTGRES_LOCK_ORDERS)
    boxes = BOX_ORDERS | ({} if sqlite else POSTGRES_BOX_ORDERS)
    assert len(owner) == VOTERS

    for lock_name, lock_order in locks.items():
        members = await column(town, lock_order)
        for box_name, box_order in boxes.items():
            ballots = await column(town, box_order)
            assert len(members) == len(ballots) == VOTERS
            for guess in (ballots, ballots[::-1]):
                right = sum(owner[bytes(ballot)] == member for member, ballot in zip(members, guess, strict=True))  # type: ignore[arg-type]
                assert right <= CHANCE_MAX, (lock_name, box_name, right)


async def test_the_join_would_find_a_box_that_keeps_its_order(boxed: tuple[Electorate, dict[bytes, int]]) -> None:
    """The same owner, given a naive table in the order of casting, names everybody: the test can see a leak."""
    town, owner = boxed
    members = await column(town, "SELECT member_id FROM lock ORDER BY member_id")
    naive = sorted(owner, key=lambda sealed: owner[sealed])

    assert sum(owner[ballot] == member for member, ballot in zip(members, naive, strict=True)) == VOTERS


async def test_no_column_of_the_box_can_hold_anything_to_join_by(boxed: tuple[Electorate, dict[bytes, int]]) -> None:
    town, _ = boxed
    async with town.database.reading() as connection:
        rows = (await connection.execute(text("SELECT * FROM box"))).mappings().all()
        chain = (await connection.execute(text("SELECT body FROM chain"))).scalars().all()
    assert {tuple(row) for row in rows} == {("id", "sealed")}
    assert {(len(row["id"]), len(row["sealed"])) for row in rows} == {(16, 80)}
    said = " ".join(str(body) for body in chain)
    assert not any(bytes(row["sealed"]).hex() in said or bytes(row["id"]).hex() in said for row in rows)
    if town.database.is_sqlite:
        with pytest.raises(Exception, match="no such column: rowid"):
            await column(town, "SELECT rowid FROM box")
