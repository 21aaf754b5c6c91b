"""The voting page beside chat and post: what is sent again or twice is no attempt, and of any race one lock is left."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from counting import take_papers
from electorate import Electorate, open_electorate, press
from page_papers import PagePaper
from prepared import NOW
from sqlalchemy import select

from voting import schema
from voting.model import How
from voting.refusals import AlreadyVoted
from voting.store.database import Database
from voting.votes.attempts import Kind
from voting.votes.cast import CastOutcome
from voting.votes.right_codes import Purpose

LATER = NOW + timedelta(minutes=5)
RACERS = 64


@pytest.fixture
async def town(database: Database) -> Electorate:
    return await open_electorate(database)


@dataclass
class Seen:
    """What came of presses that raced or came again."""

    outcomes: list[CastOutcome] = field(default_factory=list)
    told: int = 0  # of a vote from elsewhere

    @classmethod
    def of(cls, answers: Sequence[object]) -> "Seen":
        """Sort answers; anything else that came is a fault."""
        seen = cls()
        for answer in answers:
            if isinstance(answer, CastOutcome):
                seen.outcomes.append(answer)
            else:
                assert isinstance(answer, AlreadyVoted), answer
                seen.told += 1
        return seen

    @property
    def receipts(self) -> set[str]:
        """Whoever got an answer got this one."""
        return {outcome.receipt for outcome in self.outcomes}


async def nothing_is_recorded(town: Electorate) -> None:
    assert (await town.count("attempt"), await town.count("attempt_case")) == (0, 0)
    assert (town.told, town.alarms) == ([], [])
    assert await town.broken_probes() == []


async def test_everything_that_the_page_sends_may_come_again(town: Electorate) -> None:
    paper = PagePaper(town, town.letters[0])
    await asyncio.gather(*(paper.proves() for _ in range(3)))
    seen = Seen.of(await asyncio.gather(*(paper.casts() for _ in range(3))))
    late = [await paper.proves(now=LATER, warned=True) for _ in range(2)]
    seen_late = Seen.of([await paper.casts(now=LATER), await paper.casts(1, now=LATER)])

    assert sum(outcome.fresh for outcome in seen.outcomes) == 1
    assert seen.receipts == seen_late.receipts
    assert [good.attempt for good in late] == [None, None]
    await nothing_is_recorded(town)


async def test_two_tabs_are_one_vote_and_no_attempt(town: Electorate) -> None:
    letter = town.letters[0]
    tabs = [PagePaper(town, letter, paper=f"tab-{number}") for number in range(2)]
    for tab in tabs:
        await tab.proves()
    seen = Seen.of(await asyncio.gather(*(tab.casts(number) for number, tab in enumerate(tabs))))
    again = await tabs[1].proves(now=LATER, warned=True)

    assert (len(seen.outcomes), len(seen.receipts), seen.told) == (2, 1, 0)
    assert again.attempt is None
    await nothing_is_recorded(town)


async def test_page_and_chat_at_once_are_one_vote_and_no_attempt(town: Electorate) -> None:
    letter = town.letters[0]
    page = PagePaper(town, letter)
    await page.proves()
    intent = await town.opens_paper(letter, message="a message")
    chat = town.clerk.cast(press(intent, letter.chat, 0), NOW)
    seen = Seen.of(await asyncio.gather(chat, page.casts(1), return_exceptions=True))
    late = Seen.of(
        await asyncio.gather(
            town.clerk.cast(press(intent, letter.chat, 1), LATER), page.casts(now=LATER), return_exceptions=True
        )
    )
    again = [
        await town.gives_codes(letter, message="a message", now=LATER),
        await page.proves(now=LATER),
        await page.proves(purpose=Purpose.VERIFY, now=LATER),
    ]

    assert (len(seen.outcomes), seen.told) == (1, 1)
    assert (late.receipts, late.told) == (seen.receipts, 1)
    assert [good.attempt for good in again] == [None] * 3
    await nothing_is_recorded(town)


async def test_the_page_after_the_post_is_warned_and_leaves_no_case(town: Electorate, tmp_path: Path) -> None:
    """A paper opened before the envelope was scanned, one after it, and a check: none is an attempt."""
    letter = town.letters[0]
    before = PagePaper(town, letter)
    await before.proves()
    assert (await take_papers(town, tmp_path, [letter])).added == 1
    with pytest.raises(AlreadyVoted) as told:
        await before.casts(now=LATER)
    after = PagePaper(town, letter, paper="after", page="page:another")
    unwarned = await after.proves(now=LATER)
    checked = await after.proves(purpose=Purpose.VERIFY, now=LATER)

    assert told.value.facts["how"] is How.POST
    assert (unwarned.warn_first, unwarned.attempt, unwarned.intent) == (True, None, None)
    assert checked.lock is not None
    await nothing_is_recorded(town)


async def test_chat_page_and_scanner_racing_on_one_member_make_one_lock(database: Database, tmp_path: Path) -> None:
    """64 tasks: chats and pages with papers of their own, and the same envelope scanned again and again."""
    town = await open_electorate(database, members=1)
    letter = town.letters[0]
    pages = [PagePaper(town, letter, paper=f"paper-{n}", page=f"page:{n % 5}") for n in range(RACERS // 4)]
    for page in pages:
        await page.proves()
    chats = [f"telegram:{n % 5}" for n in range(RACERS // 4)]
    intents = [await town.opens_paper(letter, chat=chat) for chat in chats]
    folders = [tmp_path / str(n) for n in range(RACERS - len(pages) - len(chats))]
    for folder in folders:
        folder.mkdir()
    casts = [page.casts(n % 2) for n, page in enumerate(pages)]
    casts += [
        town.clerk.cast(press(intent, chat, n % 2), NOW)
        for n, (intent, chat) in enumerate(zip(intents, chats, strict=True))
    ]
    scans = [take_papers(town, folder, [letter]) for folder in folders]
    mixed = [race for group in zip(scans, [*casts], strict=True) for race in group]

    answers = await asyncio.gather(*mixed, return_exceptions=True)
    seen = Seen.of([answer for place, answer in enumerate(answers) if place % 2])
    async with database.reading() as connection:
        lock = (await connection.execute(select(schema.lock))).one()
        kinds = list(await connection.scalars(select(schema.attempt.c.kind)))

    assert len(answers) == RACERS
    assert [answer for answer in answers[::2] if isinstance(answer, BaseException)] == []
    online = lock.how == How.ONLINE
    assert sum(outcome.fresh for outcome in seen.outcomes) == int(online)
    assert seen.receipts == ({lock.receipt} if online else set())
    assert await town.count("ballot") == int(online)
    assert kinds == ([Kind.POST_AFTER_ONLINE] if online else [])
    assert await town.broken_probes() == []
