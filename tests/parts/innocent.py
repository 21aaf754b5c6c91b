"""What honest people and honest machines do to a vote: everything twice, late, at once, and from the wrong device.

Each sequence is one member, drawn from a seed: none of it may ever be recorded as an attempt. The deliberate acts at
the end are planted in between, to see that they, and nothing else, are found.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from random import Random

from electorate import Electorate, Letter, press, the_other
from page_papers import PagePaper
from prepared import NOW

from voting.codes.codes import Kind as CodeKind
from voting.codes.codes import generate
from voting.model import Lock
from voting.refusals import AlreadyVoted, UnknownPackCode, WrongVoteCode
from voting.store.together import Together
from voting.votes.attempts import Kind
from voting.votes.cast import Cast, CastOutcome
from voting.votes.locks import locks_of_chats
from voting.votes.right_codes import CodesGood, Purpose

PAPERS_MAX = 4
MESSAGE = "the message with both codes"
AFTERWARDS_MAX = 4
ON_PAGE = 0.25  # of the papers of somebody with two devices are opened on the voting page
SLIPS = 0.01  # of the sequences begin with codes that are wrong


class After(StrEnum):
    """What an innocent member, or the network, does once the vote is locked."""

    REDELIVERED = "the press is delivered again, under a new update id"
    DOUBLE_TAP = "the button is tapped twice more"
    STALE_KEYBOARD = "an older paper is pressed, on the other option"
    CODES_REDELIVERED = "the message with the codes is delivered again"
    CODES_REDELIVERED_ELSEWHERE = "so is the one that opened a paper on the other device, before the lock"
    CODES_OVERTAKEN = "codes sent from the other device before the lock are read after it"
    CODES_AGAIN = "the codes are typed again, before anybody warned of it"
    VOTE_AGAIN = "/vote: the warning is shown, and no codes are given"
    VERIFY = "the vote is verified"
    VERIFY_ELSEWHERE = "the vote is verified from the other device"


class Lives:
    """What all sequences on one database share: the town, how much was done, and one reading for many at once."""

    def __init__(self, town: Electorate) -> None:
        self.town = town
        self.done: Counter[str] = Counter()
        self._locks: Together[str, list[Lock]] = Together("locks of chats", self._read_locks)

    async def locks_of(self, chat: str) -> list[Lock]:
        """Read what /vote would read, with whoever asks at the same moment."""
        return await self._locks.ask(chat)

    async def _read_locks(self, chats: Sequence[str]) -> list[list[Lock] | Exception]:
        async with self.town.database.reading() as connection:
            found = await locks_of_chats(connection, set(chats))
        of_chat: dict[str | None, list[Lock]] = defaultdict(list)
        for lock in found:
            of_chat[lock.chat].append(lock)
        return [of_chat[chat] for chat in chats]


@dataclass
class Innocent:
    """One member's honest life with the vote."""

    lives: Lives
    letter: Letter
    chance: Random
    devices: int = 2
    papers: list[Cast] = field(default_factory=list)
    pages: dict[str, tuple[PagePaper, int]] = field(default_factory=dict)  # by the paper's name, with the option

    @property
    def town(self) -> Electorate:
        """The poll this member votes in."""
        return self.lives.town

    @property
    def other_device(self) -> str:
        """The chat of the same person's other account."""
        return f"telegram:{7_000_000_000 + self.letter.member_id}"

    async def live(self) -> None:
        """Open papers, press them, lose answers, press again; every answer must be the same receipt."""
        self.lives.done["sequences"] += 1
        if self.chance.random() < SLIPS:
            await self.slips()
        for _ in range(self.chance.choice((1, 1, 1, 2, 3, PAPERS_MAX))):
            await self.opens()
        first = self.chance.choice(self.papers)
        if self.chance.random() < 0.1:
            await self.answer_gets_lost(first)
        presses = self.chance.choice((1, 1, 2, 3))
        outcomes = await asyncio.gather(*(self.presses(first) for _ in range(presses)))
        receipts = {outcome.receipt for outcome in outcomes if outcome is not None}
        assert len(receipts) == 1
        for _ in range(self.chance.randrange(AFTERWARDS_MAX)):
            await self.afterwards(self.chance.choice(list(After)), first, *receipts)

    async def opens(self) -> None:
        """Open a paper: mostly in the same chat as before, sometimes on the other device."""
        if self.devices > 1 and self.chance.random() < ON_PAGE:
            await self.opens_on_page()
            return
        chat = self.other_device if self.devices > 1 and self.chance.random() < 0.1 else self.letter.chat
        intent = await self.town.opens_paper(self.letter, chat=chat, message=MESSAGE)
        self.papers.append(press(intent, chat, self.chance.randrange(2)))
        self.lives.done["papers opened"] += 1

    async def opens_on_page(self) -> None:
        """Open a paper on the voting page, in one more tab of the same browser; each question may be sent twice."""
        page = PagePaper(self.town, self.letter, f"tab-{self.letter.member_id}-{len(self.papers)}")
        for _ in range(self.chance.choice((1, 1, 2))):
            good = await page.proves()
            assert good.intent is not None
        option = self.chance.randrange(2)
        self.pages[page.paper] = page, option
        self.papers.append(await page.cast(option))
        self.lives.done["papers opened on the page"] += 1

    async def changed(self, cast: Cast) -> Cast:
        """Press the other option on the same paper; on the page it is another ballot."""
        if cast.ballot is None:
            return the_other(cast)
        page, option = self.pages[cast.intent_id]
        return await page.cast(1 - option)

    async def gives_codes(self, cast: Cast, *, again: bool) -> CodesGood:
        """Give the codes in the chat or session of this paper: the very message once more, or `again` by hand."""
        if cast.ballot is None:
            message = None if again else MESSAGE
            flow = "another flow" if again else "flow"
            return await self.town.gives_codes(self.letter, chat=cast.chat, flow=flow, message=message)
        page, _ = self.pages[cast.intent_id]
        return await (replace(page, paper=f"{page.paper} again") if again else page).proves()

    async def slips(self) -> None:
        """Type codes of somebody else's poll night: a code that passes its check and is wrong."""
        with contextlib.suppress(UnknownPackCode):
            await self.town.checks.pack_code(generate(CodeKind.PACK, self.town.poll.id), chat=self.letter.chat, now=NOW)
        with contextlib.suppress(WrongVoteCode):
            await self.town.checks.both_codes(
                self.letter.pack_code,
                generate(CodeKind.VOTE, self.town.poll.id),
                chat=self.letter.chat,
                purpose=Purpose.VOTE,
                flow="slip",
                warned=False,
                now=NOW,
            )

    async def answer_gets_lost(self, cast: Cast) -> None:
        """Press, and stop waiting at some moment: before, in or after the transaction; the vote may stand or not."""
        self.lives.done["answers lost"] += 1
        press = asyncio.create_task(self.town.clerk.cast(cast, NOW))
        for _ in range(self.chance.randrange(6)):
            await asyncio.sleep(0)
        press.cancel()
        await asyncio.gather(press, return_exceptions=True)

    async def presses(self, cast: Cast) -> CastOutcome | None:
        """Press a paper; on the other device the news may be that the vote is locked."""
        self.lives.done["presses"] += 1
        try:
            outcome = await self.town.clerk.cast(cast, NOW)
        except AlreadyVoted:
            self.lives.done["told of a vote from elsewhere"] += 1
            return None
        self.lives.done["locked" if outcome.fresh else "the same receipt again"] += 1
        return outcome

    async def afterwards(self, what: After, first: Cast, receipt: str) -> None:
        """Do one more thing after the lock."""
        town, letter = self.town, self.letter
        self.lives.done[what.value] += 1
        if what in {After.REDELIVERED, After.DOUBLE_TAP}:
            taps = await asyncio.gather(*(self.presses(first) for _ in range(1 + (what is After.DOUBLE_TAP))))
            assert {(tap.receipt, tap.fresh) for tap in taps if tap is not None} == {(receipt, False)}
        elif what is After.STALE_KEYBOARD:
            old = self.chance.choice(self.papers)
            outcome = await self.presses(await self.changed(old))
            assert (outcome.receipt if outcome else None) == (receipt if old.chat == first.chat else None)
        elif what in {After.CODES_REDELIVERED, After.CODES_AGAIN}:
            good = await self.gives_codes(first, again=what is After.CODES_AGAIN)
            assert (good.attempt, good.warn_first) == (None, True)
        elif what is After.CODES_REDELIVERED_ELSEWHERE:
            for cast in {cast.chat: cast for cast in self.papers if cast.chat != first.chat}.values():
                good = await self.gives_codes(cast, again=False)
                assert (good.attempt, good.intent) == (None, None)
        elif what is After.CODES_OVERTAKEN:
            if self.devices > 1:
                good = await town.gives_codes(letter, chat=self.other_device, now=NOW - timedelta(seconds=1))
                assert good.attempt is None
        elif what is After.VOTE_AGAIN:
            assert [lock.receipt for lock in await self.lives.locks_of(first.chat)] == [receipt]
        else:
            chat = letter.chat if what is After.VERIFY else self.other_device
            good = await town.gives_codes(letter, chat=chat, purpose=Purpose.VERIFY)
            assert good.lock is not None
            assert (good.lock.receipt, good.attempt) == (receipt, None)


@dataclass
class Deliberate:
    """Somebody who tries for a second vote after the lock; the first one stands."""

    town: Electorate
    letter: Letter
    kind: Kind

    async def act(self) -> None:
        """Give the codes after the lock, twice in the same going-through of the conversation."""
        chat = self.letter.chat if self.kind is Kind.REPEAT else f"telegram:{8_000_000_000 + self.letter.member_id}"
        for new in (True, False):
            good = await self.town.gives_codes(self.letter, chat=chat, flow="second vote", warned=True)
            assert good.attempt is not None
            assert (good.attempt.kind, good.attempt.new) == (self.kind, new)


async def all_live(people: list[Innocent], at_once: int) -> None:
    """Have everybody live, so many at once."""
    queue = iter(people)

    async def some() -> None:
        for person in queue:
            await person.live()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(some())
