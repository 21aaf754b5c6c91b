"""A whole poll as a state machine: a roll, packs, replacements, casts, replays, papers, lapses, the close, the count.

A plain model in Python says what every step must answer. After each step: at most one lock per member and it never
changes, tray and box hold as many ballots as there are online locks, attempts are exactly the deliberate acts, every
identity holds. At the end the poll is counted and a stranger checks the bundle.
"""

import asyncio
import contextlib
import csv
import json
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import counting
import pytest
from electorate import Electorate, Letter, press
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from prepared import NOW, POLL, SECRETS, line, make_poll, options_of, take_roll, write_roll
from soak import SOAK
from sqlalchemy import select
from trustee_town import dealt

from voting import schema
from voting.audit.signer import Signer
from voting.model import By, How
from voting.packs import packs
from voting.packs.packs import Printing
from voting.poll import polls
from voting.refusals import AlreadyVoted, MemberHasVoted, NotEligible, PackVoid, PollNotOpen, PollOver
from voting.roll import roll
from voting.store.database import Database
from voting.verify.verify import verify
from voting.votes.attempts import Kind
from voting.votes.cast import CastOutcome
from voting.votes.right_codes import Purpose

NewDatabase = Callable[[], AbstractAsyncContextManager[str]]  # as the fixture new_database gives it

MEMBERS = 5
EXAMPLES = 300 if SOAK else 15
STEPS = 50 if SOAK else 20

Given = TypeVar("Given")

members = st.integers(1, MEMBERS)
sources = st.sampled_from(("own", "own", "stranger", "other"))
options = st.integers(0, 1)


@dataclass
class Person:
    """What is true of a member, as the model has it."""

    number: int
    letters: list[Letter] = field(default_factory=list)  # the last one works
    lapsed: bool = False
    how: How | None = None
    chat: str | None = None
    receipt: str | None = None
    papers: dict[int, tuple[str, str]] = field(default_factory=dict)  # by letter: status and outcome of its scan

    @property
    def member_no(self) -> str:
        return str(self.number)

    def chat_of(self, source: str) -> str:
        return f"telegram:{self.number}" if source == "own" else f"telegram:{source}"


@dataclass(frozen=True)
class Paper:
    """A showing of the voting paper."""

    person: Person
    letter: Letter
    intent: str
    chat: str


class PollMachine(RuleBasedStateMachine):
    """Runs a poll on `make_database`, which the test sets."""

    make_database: NewDatabase

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = contextlib.AsyncExitStack()
        self.own_folder = tempfile.TemporaryDirectory(prefix="ballotline-")
        self.folder = Path(self.own_folder.name)
        self.people = {number: Person(number) for number in range(1, MEMBERS + 1)}
        self.shown: list[Paper] = []
        self.attempts: set[tuple[int, str, Kind]] = set()
        self.late_flows: list[tuple[Person, str, str]] = []
        self.files: set[tuple[str, str]] = set()  # of scans, by pack code and status, that changed something
        self.votes = [0] * len(options_of(POLL))
        self.closed = False
        self.steps = 0

    def run(self, work: Coroutine[Any, Any, Given]) -> Given:
        """Do asynchronous work from a rule."""
        return self.runner.run(work)

    def fresh(self, what: str) -> str:
        """Give a name that was not used before."""
        self.steps += 1
        return f"{what}-{self.steps}"

    @initialize()
    def sets_up(self) -> None:
        self.run(self._set_up())

    async def _set_up(self) -> None:
        self.database = Database(await self.stack.enter_async_context(self.make_database()), Signer(SECRETS))
        self.stack.push_async_callback(self.database.close)
        await make_poll(self.database)
        lines = [line(person.member_no, name=f"Ada {person.number}") for person in self.people.values()]
        await take_roll(self.database, write_roll(self.folder / "roll.csv", lines))
        async with self.database.writing() as connection:
            await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=By("Gwen", "command line", NOW))
        await packs.issue(
            self.database, SECRETS, Printing(self.folder / "print.csv"), by=By("Gwen", "command line", NOW)
        )
        await self._learn(self.folder / "print.csv")
        async with self.database.writing() as connection:
            await polls.open_poll(connection, by=By("Gwen", "command line", NOW))
        self.town = Electorate(self.database, [person.letters[-1] for person in self.people.values()])

    async def _learn(self, path: Path) -> None:
        """Open the letters in a print file."""
        async with self.database.reading() as connection:
            live = select(schema.pack.c.id, schema.member.c.member_no, schema.member.c.id.label("member_id"))
            joined = live.join(schema.member, schema.member.c.id == schema.pack.c.member_id)
            found = await connection.execute(joined.where(schema.pack.c.state == "live"))
            ids = {row.member_no: (row.member_id, row.id) for row in found}
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                codes = (row[name].replace("-", "") for name in ("pack_code", "vote_code"))
                self.people[int(row["member_no"])].letters.append(Letter(*ids[row["member_no"]], *codes))

    @rule(number=members, source=sources, warned=st.booleans(), newest=st.sampled_from((True, True, True, False)))
    def gives_codes(self, number: int, source: str, *, warned: bool, newest: bool) -> None:
        person = self.people[number]
        letter, chat, flow = person.letters[-1 if newest else 0], person.chat_of(source), self.fresh("flow")
        work = self.town.gives_codes(letter, chat=chat, flow=flow, warned=warned)
        if letter is not person.letters[-1]:
            self.refused(work, PackVoid)
        elif person.how is not None:
            self.comes_late(person, chat, flow, warned=warned)
            work.close()
        elif self.closed:
            self.refused(work, PollNotOpen)
        elif person.lapsed:
            self.refused(work, NotEligible)
        else:
            good = self.run(work)
            assert good.intent is not None
            self.shown.append(Paper(person, letter, good.intent.id, chat))

    def comes_late(self, person: Person, chat: str, flow: str, *, warned: bool) -> None:
        """Codes after the lock: an attempt, unless this chat was not warned yet."""
        good = self.run(self.town.gives_codes(person.letters[-1], chat=chat, flow=flow, warned=warned))
        kind: Kind | None = None
        if warned and person.how is How.POST:
            kind = Kind.ONLINE_AFTER_POST
        elif warned:
            kind = Kind.REPEAT if chat == person.chat else Kind.FOREIGN
        assert (good.attempt.kind if good.attempt else None) == kind
        assert good.warn_first == (kind is None)
        if kind is not None:
            assert good.attempt is not None
            assert good.attempt.new
            self.attempts.add((person.letters[-1].member_id, flow, kind))
            self.late_flows.append((person, chat, flow))

    @precondition(lambda self: self.late_flows)
    @rule(data=st.data())
    def a_late_message_is_delivered_again(self, data: st.DataObject) -> None:
        person, chat, flow = data.draw(st.sampled_from(self.late_flows))
        good = self.run(self.town.gives_codes(person.letters[-1], chat=chat, flow=flow, warned=True))
        assert good.attempt is not None
        assert not good.attempt.new

    @rule(number=members, source=sources)
    def verifies(self, number: int, source: str) -> None:
        person = self.people[number]
        chat = person.chat_of(source)
        good = self.run(self.town.gives_codes(person.letters[-1], chat=chat, purpose=Purpose.VERIFY))
        assert (good.lock.receipt if good.lock else None) == person.receipt
        assert (good.attempt, good.intent, good.lock is None) == (None, None, person.how is None)

    @precondition(lambda self: self.shown)
    @rule(data=st.data(), option=options, taps=st.integers(1, 3))
    def presses(self, data: st.DataObject, option: int, taps: int) -> None:
        """A first press, a stale one, a double tap, a replay: whatever it is by now."""
        paper = data.draw(st.sampled_from(self.shown[-6:]))
        person = paper.person
        answers = self.run(self._press(paper, option, taps))
        if person.how is None and not (self.closed or person.lapsed or paper.letter is not person.letters[-1]):
            first = answers[0]
            assert isinstance(first, CastOutcome)
            person.how, person.chat, person.receipt = How.ONLINE, paper.chat, first.receipt
            self.votes[option] += 1
            assert [answer.fresh for answer in answers if isinstance(answer, CastOutcome)] == [
                True,
                *[False] * (taps - 1),
            ]
            assert {answer.receipt for answer in answers if isinstance(answer, CastOutcome)} == {person.receipt}
        elif person.how is How.ONLINE and person.chat == paper.chat:
            told = {(a.receipt, a.fresh) if isinstance(a, CastOutcome) else type(a) for a in answers}
            assert told == {(person.receipt, False)}
        else:
            refusal: type[Exception] = PackVoid
            if person.how is not None:
                refusal = AlreadyVoted
            elif self.closed:
                refusal = PollNotOpen
            elif person.lapsed:
                refusal = NotEligible
            assert {type(answer) for answer in answers} == {refusal}

    async def _press(self, paper: Paper, option: int, taps: int) -> list[CastOutcome | BaseException]:
        casts = (self.town.clerk.cast(press(paper.intent, paper.chat, option), NOW) for _ in range(taps))
        return await asyncio.gather(*casts, return_exceptions=True)

    @rule(number=members)
    def a_pack_is_replaced(self, number: int) -> None:
        person = self.people[number]
        printing = Printing(self.folder / f"{self.fresh('print')}.csv")
        if self.closed:
            self.refused(self._replace(person, printing), PollOver)
        elif person.how is not None or len(person.letters) - 1 in person.papers:
            self.refused(self._replace(person, printing), MemberHasVoted)
        elif person.lapsed:
            self.refused(self._replace(person, printing), NotEligible)
        else:
            self.run(self._replace(person, printing))

    async def _replace(self, person: Person, printing: Printing) -> None:
        for actor in ("Gwen", "Huw"):
            await packs.replace(
                self.database, SECRETS, person.member_no, printing, reason="lost", by=By(actor, "command line", NOW)
            )
        await self._learn(printing.target)

    @rule(number=members, newest=st.booleans(), status=st.sampled_from(("received", "received", "rejected")))
    def a_paper_is_scanned(self, number: int, *, newest: bool, status: str) -> None:
        person = self.people[number]
        place = len(person.letters) - 1 if newest else 0
        letter, works = person.letters[place], place == len(person.letters) - 1
        before, file = person.papers.get(place), (letter.pack_code, status)
        known = file in self.files
        report = self.run(counting.take_papers(self.town, self.folder, [letter], status))
        if report.added or report.changed:
            self.files.add(file)
        if before is not None and (before[1] != "not_eligible" or person.lapsed):
            turned = before[0] != status and (status == "rejected" or not known)  # the same file again corrects nothing
            assert (report.changed, report.unchanged) == (int(turned), int(not turned))
            if turned:
                outcome = {"received": "locked", "rejected": "rejected"}[status]
                person.papers[place] = (status, outcome if before[1] in {"locked", "rejected"} else before[1])
            return
        assert (report.added, report.changed) == ((1, 0) if before is None else (0, 1))
        if not works:
            person.papers[place] = (status, "dead_pack")
        elif person.how is not None:
            person.papers[place] = (status, "late")
            self.attempts.add((letter.member_id, f"paper:{letter.pack_id}", Kind.POST_AFTER_ONLINE))
        elif person.lapsed:
            person.papers[place] = (status, "not_eligible")
        else:
            person.papers[place] = (status, "locked" if status == "received" else "rejected")
            person.how = How.POST

    @rule(number=members)
    def lapses_or_is_restored(self, number: int) -> None:
        person = self.people[number]
        if self.closed:
            self.refused(self._lapse(person), PollOver)
        else:
            self.run(self._lapse(person))
            person.lapsed = not person.lapsed

    async def _lapse(self, person: Person) -> None:
        async with self.database.writing() as connection:
            if person.lapsed:
                await roll.restore(connection, person.member_no, by=By("Gwen", "command line", NOW))
            else:
                await roll.lapse(connection, person.member_no, "left", by=By("Gwen", "command line", NOW))

    @precondition(lambda self: not self.closed and self.steps > STEPS // 2)
    @rule()
    def closes(self) -> None:
        self.run(counting.close(self.town))
        self.closed = True

    def refused(self, work: Coroutine[Any, Any, object], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            self.run(work)

    @invariant()
    def everything_is_as_the_model_has_it(self) -> None:
        locks, attempts = self.run(self._rows())
        model = {p.letters[-1].member_id: (p.how, p.receipt, p.chat) for p in self.people.values() if p.how}
        assert locks == model
        assert attempts == self.attempts
        online = sum(person.how is How.ONLINE for person in self.people.values())
        assert self.run(self.town.count("ballot")) == online
        assert len(self.town.told) + self._late_papers() == len(self.attempts)
        assert self.run(self.town.broken_probes()) == []

    async def _rows(self) -> tuple[dict[int, tuple[str, str | None, str | None]], set[tuple[int, str, str]]]:
        async with self.database.reading() as connection:
            locks = await connection.execute(select(schema.lock))
            attempts = await connection.execute(select(schema.attempt))
            return (
                {row.member_id: (row.how, row.receipt, row.chat) for row in locks},
                {(row.member_id, row.occasion, row.kind) for row in attempts},
            )

    def _late_papers(self) -> int:
        return sum(kind is Kind.POST_AFTER_ONLINE for _, _, kind in self.attempts)

    def teardown(self) -> None:
        try:
            self.run(self._count())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()
            self.own_folder.cleanup()

    async def _count(self) -> None:
        """Close, count, and have a stranger check: the result is what the model says."""
        await self.town.clerk.finish()
        if not self.closed:
            await counting.close(self.town)
        papers = [outcome for person in self.people.values() for _, outcome in person.papers.values()]
        received = papers.count("locked")
        await counting.take_count(self.town, self.folder, [received, 0])
        bundle = await counting.counted(self.town, self.folder)
        assert verify(bundle).ok
        result = json.loads((bundle / "result.json").read_text(encoding="utf-8"))
        votes = [option["votes"] for option in result["questions"][0]["options"]]
        assert votes == [self.votes[0] + received, self.votes[1]]
        assert result["rejected_papers"] == papers.count("rejected")


@pytest.mark.soak
def test_no_way_through_a_poll_breaks_a_promise(new_database: NewDatabase) -> None:
    class OnThisEngine(PollMachine):
        make_database = staticmethod(new_database)

    run_state_machine_as_test(
        OnThisEngine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not SOAK,
            database=None,
        ),
    )
