"""The database's owner tries to join locks to boxed ballots by everything there is, and does no better than chance.

A join is judged by the voters whose ballot it names rightly: with two options chance alone is right about half of the
*options*. The test knows which sealed ballot is whose, for it watches the clerk seal.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from electorate import Electorate, open_electorate
from prepared import NOW
from sqlalchemy import text
from voting.votes.box import empty_tray, move_tray

from voting.audit import chain
from voting.store.database import Database
from voting.store.together import TOGETHER_MAX
from voting.votes import clerk
from voting.votes.cast import Cast

VOTERS = 1_000
CHANCE_MAX = 12  # right by chance is 1 on average (1.3 for who knows the moves): 13 of 1,000 once in some 10^8 tries

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


@dataclass(frozen=True)
class Boxed:
    """A thousand have voted in small groups, each at a moment of their own, and all ballots are boxed."""

    town: Electorate
    owner: dict[bytes, int]  # whose ballot is whose: known to the test alone; in the order of casting

    def right(self, members: Sequence[object], ballots: Sequence[object]) -> int:
        """Count the voters whose ballot a join names."""
        assert len(members) == len(ballots) == VOTERS
        pairs = zip(members, ballots, strict=True)
        return sum(self.owner[bytes(ballot)] == member for member, ballot in pairs)  # type: ignore[call-overload]


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, int]:
    """Watch the clerk: whose ballot is whose, in the order of casting."""
    owner: dict[bytes, int] = {}
    real = clerk._put_in_tray

    async def watched(connection: object, won: Sequence[object]) -> None:
        await real(connection, won)  # type: ignore[arg-type]
        for waiting in won:
            owner[waiting.ballot] = int(waiting.cast.chat.partition(":")[2])  # type: ignore[attr-defined]

    monkeypatch.setattr(clerk, "_put_in_tray", watched)
    return owner


@pytest.fixture
async def boxed(database: Database, owner: dict[bytes, int]) -> Boxed:
    town = await open_electorate(database, members=VOTERS)
    letters = list(town.letters)
    random.Random(7).shuffle(letters)
    while letters:
        group, letters = letters[:20], letters[20:]
        await asyncio.gather(
            *(
                town.votes(letter, option=letter.member_id % 2, now=NOW + timedelta(milliseconds=len(owner) + place))
                for place, letter in enumerate(group)
            )
        )
        await move_tray(database, now=NOW)
    await empty_tray(database, now=NOW)
    assert len(owner) == VOTERS
    return Boxed(town, owner)


async def column(town: Electorate, statement: str) -> list[object]:
    async with town.database.reading() as connection:
        return [row[0] for row in await connection.execute(text(statement))]


async def test_no_order_of_locks_matches_any_order_of_ballots(boxed: Boxed) -> None:
    town = boxed.town
    sqlite = town.database.is_sqlite
    locks = LOCK_ORDERS | (SQLITE_LOCK_ORDERS if sqlite else POSTGRES_LOCK_ORDERS)
    boxes = BOX_ORDERS | ({} if sqlite else POSTGRES_BOX_ORDERS)

    for lock_name, lock_order in locks.items():
        members = await column(town, lock_order)
        for box_name, box_order in boxes.items():
            ballots = await column(town, box_order)
            for guess in (ballots, ballots[::-1]):
                right = boxed.right(members, guess)
                assert right <= CHANCE_MAX, (lock_name, box_name, right)


async def test_who_knows_what_was_boxed_together_and_when_names_no_more_than_chance(boxed: Boxed) -> None:
    """The chain says after how many votes each move was made; on PostgreSQL xmin tells the moves' ballots apart.

    A move's ballots were cast by people who had voted by then: the owner guesses the earliest of those who are left,
    the latest, or any. SQLite does not keep which ballots moved together; the order of ids stands in for it.
    """
    order = "id" if boxed.town.database.is_sqlite else "xmin::text::bigint, ctid"
    ballots = await column(boxed.town, f"SELECT sealed FROM box ORDER BY {order}")
    voters = await column(boxed.town, "SELECT member_id FROM lock ORDER BY at")
    moves = await moves_on_the_chain(boxed.town)
    assert [size for _, size in moves] == [250, 250, 250, 250]

    for guess in (lambda left, size: left[:size], lambda left, size: left[-size:], random.Random(11).sample):
        members: list[object] = []
        for voted, size in moves:
            members += guess([voter for voter in voters[:voted] if voter not in set(members)], size)
        assert boxed.right(members, ballots) <= CHANCE_MAX


async def moves_on_the_chain(town: Electorate) -> list[tuple[int, int]]:
    """Give each move as the number of votes on the chain before it, and its size."""
    voted, moves = 0, []
    async with town.database.reading() as connection:
        async for entry in chain.entries(connection):
            if entry.kind == "votes_locked":
                voted += entry.body["n"]
            elif entry.kind == "ballots_boxed":
                moves.append((voted, entry.body["n"]))
    return moves


async def test_the_same_join_names_nearly_everybody_in_a_table_that_keeps_the_order_of_casting(boxed: Boxed) -> None:
    """The test can see a leak: a naive table of ballots lies in this order, by rowid, ctid or time."""
    members = await column(boxed.town, "SELECT member_id FROM lock ORDER BY at")

    assert boxed.right(members, list(boxed.owner)) > VOTERS * 0.9


async def test_in_the_tray_those_who_were_locked_together_lie_in_no_order(
    database: Database, owner: dict[bytes, int]
) -> None:
    """Until they are boxed, ballots of one transaction lie in the order of random ids, whoever was first."""
    town = await open_electorate(database, members=TOGETHER_MAX)
    letters = random.Random(7).sample(town.letters, TOGETHER_MAX)
    intents = await asyncio.gather(*(town.opens_paper(letter) for letter in letters))
    papers = zip(intents, letters, strict=True)
    await asyncio.gather(*(town.clerk.cast(Cast(intent, letter.chat, 0), NOW) for intent, letter in papers))
    async with database.reading() as connection:
        groups = [entry.body["n"] async for entry in chain.entries(connection) if entry.kind == "votes_locked"]
    assert groups == [TOGETHER_MAX]

    cast = list(owner.values())
    lying = ["SELECT sealed FROM tray", "SELECT sealed FROM tray ORDER BY id"]
    if not database.is_sqlite:
        lying.append("SELECT sealed FROM tray ORDER BY ctid")
    for statement in lying:
        ballots = [owner[bytes(ballot)] for ballot in await column(town, statement)]  # type: ignore[call-overload]
        for members in (cast, sorted(cast), await column(town, "SELECT member_id FROM lock")):
            for guess in (ballots, ballots[::-1]):
                right = sum(member == ballot for member, ballot in zip(members, guess, strict=True))
                assert right <= CHANCE_MAX, (statement, right)


async def test_no_column_of_the_box_can_hold_anything_to_join_by(boxed: Boxed) -> None:
    town = boxed.town
    async with town.database.reading() as connection:
        rows = (await connection.execute(text("SELECT * FROM box"))).mappings().all()
        bodies = (await connection.execute(text("SELECT body FROM chain"))).scalars().all()
    assert {tuple(row) for row in rows} == {("id", "sealed")}
    assert {(len(row["id"]), len(row["sealed"])) for row in rows} == {(16, 80)}
    said = " ".join(str(body) for body in bodies)
    assert not any(bytes(row["sealed"]).hex() in said or bytes(row["id"]).hex() in said for row in rows)
    if town.database.is_sqlite:
        with pytest.raises(Exception, match="no such column: rowid"):
            await column(town, "SELECT rowid FROM box")
