"""Secrets of open papers: closed anew every hour until the paper is cast, forgotten after a day, on both engines."""

import asyncio
from datetime import datetime, timedelta

import pytest
from electorate import open_electorate
from prepared import NOW, later
from sqlalchemy import select, update

from voting import schema
from voting.hour_keys import HourKeys
from voting.refusals import KeyGone
from voting.store.database import Database
from voting.votes import waiting_papers
from voting.votes.waiting_papers import LIFE, PURPOSE, close_papers_anew, forget_old_papers, oldest_paper

HOUR = timedelta(hours=1)


class Papers:
    """Some open papers: paper i was opened i hours ago, and its secret is `secret i`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.hours = HourKeys.make()
        self.ids: list[str] = []

    async def open(self, papers: int) -> None:
        town = await open_electorate(self.database, members=papers)
        self.ids = await asyncio.gather(*(town.opens_paper(letter) for letter in town.letters))
        for place, one in enumerate(self.ids):
            at = NOW - place * HOUR
            await self.put(one, self.hours.close(PURPOSE, b"secret %d" % place, at), opened_at=at)

    async def put(self, paper: str, secret: bytes | None, **values: object) -> None:
        async with self.database.writing() as connection:
            await connection.execute(
                update(schema.intent).where(schema.intent.c.id == paper).values(credential_secret=secret, **values)
            )

    async def closed(self) -> list[bytes | None]:
        async with self.database.reading() as connection:
            found = await connection.execute(select(schema.intent.c.id, schema.intent.c.credential_secret))
            secrets = {row.id: row.credential_secret for row in found}
        return [secrets[one] for one in self.ids]

    async def opened(self) -> list[bytes | None]:
        return [None if one is None else self.hours.open(PURPOSE, one) for one in await self.closed()]

    async def oldest(self) -> bytes | None:
        async with self.database.reading() as connection:
            closed = await oldest_paper(connection, self.hours.oldest)
        return None if closed is None else self.hours.open(PURPOSE, closed)


@pytest.fixture
async def papers(database: Database) -> Papers:
    papers = Papers(database)
    await papers.open(5)
    return papers


async def test_the_oldest_is_the_one_closed_first_among_those_that_can_be_opened(papers: Papers) -> None:
    assert await papers.oldest() == b"secret 4"

    await papers.put(papers.ids[4], None)
    assert await papers.oldest() == b"secret 3"

    papers.hours.forget_before(NOW - HOUR)
    assert await papers.oldest() == b"secret 1"

    for one in papers.ids:
        await papers.put(one, None)
    assert await papers.oldest() is None


@pytest.mark.parametrize("together", [2, 500], ids=["in several transactions", "in one"])
async def test_closed_anew_they_open_when_every_earlier_hour_is_forgotten(
    papers: Papers, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(waiting_papers, "ANEW_MAX", together)
    before = await papers.closed()

    await close_papers_anew(papers.database, papers.hours, NOW)
    papers.hours.forget_before(NOW)

    assert await papers.opened() == [b"secret %d" % place for place in range(5)]
    after = await papers.closed()
    assert after[0] == before[0]  # of this hour already
    for one in before[1:]:
        assert one is not None
        with pytest.raises(KeyGone):
            papers.hours.open(PURPOSE, one)


async def test_a_clock_that_jumped_back_closes_nothing_anew(papers: Papers) -> None:
    papers.hours.forget_before(NOW)
    await papers.put(papers.ids[0], papers.hours.close(PURPOSE, b"of now", NOW))
    before = (await papers.closed())[0]

    await close_papers_anew(papers.database, papers.hours, NOW - 100 * HOUR)

    assert (await papers.closed())[0] == before


async def test_what_cannot_be_opened_is_forgotten_and_holds_nothing_back(papers: Papers) -> None:
    """Such as a row that the database's owner put there, or what another secrets file closed."""
    gone, planted, foreign = papers.ids[:3]
    hours = papers.hours
    hours.forget_before(NOW - 6 * HOUR)
    await papers.put(gone, HourKeys.make().close(PURPOSE, b"x", NOW - 8 * HOUR))
    await papers.put(planted, b"\0\0\0\0planted")
    await papers.put(foreign, HourKeys.make().close(PURPOSE, b"x", NOW - HOUR))

    await close_papers_anew(papers.database, hours, NOW)

    assert await papers.opened() == [None, None, None, b"secret 3", b"secret 4"]


async def test_a_paper_that_is_cast_meanwhile_stays_cast(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL shows the row as it was until the other commits; SQLite has one writer at a time."""
    seen = asyncio.Event()
    real = waiting_papers._anew

    def noted(hours: HourKeys, closed: bytes, now: datetime) -> bytes | None:
        seen.set()
        return real(hours, closed, now)

    monkeypatch.setattr(waiting_papers, "_anew", noted)
    async with papers.database.writing() as connection:
        cast = schema.intent.c.id == papers.ids[4]
        await connection.execute(update(schema.intent).where(cast).values(credential_secret=None))
        closing = asyncio.create_task(close_papers_anew(papers.database, papers.hours, NOW))
        if not papers.database.is_sqlite:
            await seen.wait()
    await closing

    assert await papers.opened() == [b"secret 0", b"secret 1", b"secret 2", b"secret 3", None]


async def test_papers_that_nobody_cast_for_a_day_are_forgotten_and_no_others(papers: Papers) -> None:
    async with papers.database.writing() as connection:
        assert await forget_old_papers(connection, NOW + LIFE - 2 * HOUR) == 2

    assert await papers.opened() == [b"secret 0", b"secret 1", b"secret 2", None, None]
    async with papers.database.writing() as connection:
        assert await forget_old_papers(connection, later(days=2)) == 3
        assert await forget_old_papers(connection, later(days=2)) == 0
