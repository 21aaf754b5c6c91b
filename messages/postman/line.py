"""One provider's way out: claim, wait for the pace, send, settle; under one bound.

    claim (commit) -> slot of the pacer -> the provider -> settle (commit)

At most `in_flight_max` rows of a line are between the first commit and the last: that is all a crash can leave
unknown. What was answered is settled together, in the transaction that claims the next.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.channels import Channel
from messages.channels.verdicts import SendFailed, Verdict
from messages.ledger.aftermath import PROVIDERS, Aftermath, Trouble
from messages.ledger.outbox import LEASE, Order, claim, is_due, settle
from messages.ledger.settlement import (
    EXHAUSTED_FOR,
    Claimed,
    Settlement,
    after_failure,
    after_no_slot,
    after_sent,
)
from messages.pace.pacer import Lane, NoSlot, Pacer
from messages.postman.letters import Letters
from messages.postman.line_rest import LONG_WAIT_SECONDS, REST_SECONDS, Wire
from messages.postman.runnable import orders
from messages.reach import SMS, TELEGRAM
from voting.store.database import Database

IN_FLIGHT_MAX: Final = 16  # of one provider: what a kill can leave unknown
CLAIM_AHEAD_SECONDS: Final = 0.1  # of sending: more would only wait for its slot, and could not be paused
IDLE_SECONDS: Final = 0.2  # between two looks for something to do
ORDERS_SECONDS: Final = 0.1  # until a new notice is seen
GATHER_SECONDS: Final = 0.02  # answers are settled together
SLOT_SHARE_OF_LEASE: Final = 0.25  # a row that waited longer for its slot goes back
DATABASE_PAUSE_SECONDS: Final = 1.0
GOODBYE_SECONDS: Final = 20.0  # longer than one request can take

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tempo:
    """The bounds of a line; tests and benchmarks make them small or large."""

    in_flight_max: int = IN_FLIGHT_MAX
    lease: timedelta = LEASE
    idle_seconds: float = IDLE_SECONDS
    rest_seconds: Sequence[float] = REST_SECONDS


@dataclass(slots=True)
class Counts:
    """What a line has done since it began, for metrics."""

    sent: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    overtaken: int = 0  # settlements that came too late


class Line:
    """One provider's way out."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        pacer: Pacer,
        *,
        letters: Letters,
        aftermath: Aftermath,
        may_send: Callable[[], bool] = lambda: True,
        now: Callable[[], datetime],
        tempo: Tempo,
    ) -> None:
        self.channel = channel
        self.pacer = pacer
        self.counts = Counts()
        self._database = database
        self._letters = letters
        self._aftermath = aftermath
        self._may_send = may_send  # whether this process holds the provider
        self._now = now
        self._tempo = tempo
        self._wire = Wire(tempo.rest_seconds)
        self._awake = asyncio.Event()
        self._orders: list[Order] = []
        self._orders_until = 0.0
        self._waiting = 0  # claimed, and waiting for a slot
        self._flying = 0  # claimed, and not answered
        self._tasks: set[asyncio.Task[None]] = set()
        self._settlements: list[Settlement] = []  # answered, and not written

    @property
    def in_flight(self) -> int:
        """Rows that the ledger has as `sending`: not answered, or answered and not written."""
        return self._flying + len(self._settlements)

    @property
    def waits(self) -> Trouble | None:
        """What staff must hear of: quiet that the provider wants for long, or refusals without an end."""
        provider = PROVIDERS[self.channel.kind]
        if self.pacer.held_for() > LONG_WAIT_SECONDS:
            return Trouble(provider, "waits", self._wire.refused_for or "429", None)
        reason = self._wire.repeats(_loop_time())
        return None if reason is None else Trouble(provider, "repeats", reason, None)

    def wake(self) -> None:
        """Look for work at once: something was just planned."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then let what is on its way end, and settle it."""
        while not stop.is_set():
            try:
                busy = await self._step()
            except (DBAPIError, OSError) as problem:
                log.warning(
                    "the database did not answer the postman", provider=self.channel.kind, error=type(problem).__name__
                )
                await _pause(stop, DATABASE_PAUSE_SECONDS)
                continue
            await (self._gather() if busy else self._rest())
        await self._say_goodbye()

    async def _step(self) -> bool:
        """Settle what was answered and claim what may go; return whether there was anything to do."""
        room = self._room()
        if not self._settlements and not (room and await self._anything_due()):
            return False
        self._awake.clear()
        settlements, self._settlements = self._settlements, []
        try:
            claimed = await self._turn(settlements, room)
        except BaseException:
            self._settlements = settlements + self._settlements  # rolled back: nothing is forgotten
            raise
        for one in claimed:
            self._send_soon(one)
        return bool(settlements or claimed)

    async def _turn(self, settlements: list[Settlement], room: int) -> list[Claimed]:
        """Do one transaction: settle, draw the consequences, claim."""
        now = self._now()
        claimed: list[Claimed] = []
        async with self._database.writing() as connection:
            written = await settle(connection, settlements, now)
            done = [one for one in settlements if one.claimed.id in written]
            await self._aftermath.after_settled(connection, done, now)
            for order in await self._orders_now(connection):
                if len(claimed) >= room:
                    break
                found, skipped = await claim(connection, order, room - len(claimed), now)
                await self._aftermath.after_skipped(connection, skipped, now)
                claimed += found
                self.counts.skipped += len(skipped)
            await self._letters.learn(connection, {one.notice_id for one in claimed if one.notice_id is not None})
        self.counts.overtaken += len(settlements) - len(done)
        return claimed

    async def _anything_due(self) -> bool:
        async with self._database.reading() as connection:
            return any([await is_due(connection, order, self._now()) for order in await self._orders_now(connection)])

    async def _orders_now(self, connection: AsyncConnection) -> list[Order]:
        """Give what to claim, read at most every so often: a claim itself sees whether its notice may be sent."""
        if _loop_time() >= self._orders_until:
            self._orders = await orders(connection, self.channel.kind, self._now(), self._tempo.lease)
            self._orders_until = _loop_time() + ORDERS_SECONDS
        return self._orders

    def _room(self) -> int:
        """How many rows to claim now: no more than leave soon, none while the provider wants quiet."""
        if not self._may_send() or self._wire.rest_until > _loop_time() or self.pacer.held_for() > 0:
            return 0
        if self._wire.broken:
            return int(self._flying == 0)
        return max(0, int(min(self._soon() - self._waiting, self._tempo.in_flight_max - self._flying)))

    def _send_soon(self, claimed: Claimed) -> None:
        self._waiting += 1
        self._flying += 1
        task = asyncio.create_task(self._send(claimed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, claimed: Claimed) -> None:
        """Send one row, and keep what became of it for the next turn."""
        try:
            settlement = await self._outcome(claimed)
            self._settlements.append(settlement)  # the list of now: the one of before the await may be written already
        finally:
            self._flying -= 1
            self._awake.set()

    async def _outcome(self, claimed: Claimed) -> Settlement:
        try:
            await self._slot(claimed)
            sent = await self.channel.send(self._letters.write(claimed))
        except NoSlot:
            return after_no_slot(claimed)
        except SendFailed as failure:
            return self._failed(claimed, failure)
        except Exception as fault:  # noqa: BLE001 - the outermost of one message: others must go on
            error = type(fault).__name__
            log.error("sending broke", provider=self.channel.kind, delivery=claimed.id, error=error)  # noqa: TRY400 - a trace could hold an address
            return self._failed(claimed, SendFailed(Verdict.UNKNOWN, error, surprising=True))
        self._wire.note(None, _loop_time())
        self.counts.sent += 1
        return after_sent(claimed, sent, self._now())

    async def _slot(self, claimed: Claimed) -> None:
        lane = Lane(claimed.lane)
        within = self._tempo.lease.total_seconds() * SLOT_SHARE_OF_LEASE
        spaced = claimed.notice_id is not None and claimed.channel == TELEGRAM
        cost = claimed.segments if claimed.channel == SMS else 1
        try:
            await self.pacer.acquire(lane, cost, claimed.address if spaced else None, within_seconds=within)
        finally:
            self._waiting -= 1
            self._awake.set()

    def _failed(self, claimed: Claimed, failure: SendFailed) -> Settlement:
        self._wire.note(failure.verdict, _loop_time(), failure.reason)
        self.counts.failed[failure.verdict] = self.counts.failed.get(failure.verdict, 0) + 1
        if failure.verdict is Verdict.SLOW_DOWN and not failure.obeyed:
            self.pacer.slow_down(failure.retry_after_seconds or 1.0)
        if failure.verdict is Verdict.EXHAUSTED:
            self.pacer.hold(EXHAUSTED_FOR.total_seconds())
        return after_failure(claimed, failure, self._now())

    async def _gather(self) -> None:
        """Let answers come together before the next transaction; no longer than a moment, and never out of work."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                while self._flying and not self._runs_dry():
                    self._awake.clear()
                    await self._awake.wait()

    def _runs_dry(self) -> bool:
        """Whether the next slots of a limited pace would find nobody waiting for them."""
        return math.isfinite(self.pacer.rate) and self._waiting <= self._soon() / 2

    def _soon(self) -> float:
        """How many rows may be claimed ahead of their slots."""
        return min(max(1.0, self.pacer.rate * CLAIM_AHEAD_SECONDS), float(self._tempo.in_flight_max))

    async def _rest(self) -> None:
        """Wait for an answer, for work, or for a moment."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._tempo.idle_seconds):
                await self._awake.wait()
        self._awake.clear()

    async def _say_goodbye(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=GOODBYE_SECONDS)
        settlements, self._settlements = self._settlements, []
        if settlements:
            await self._turn(settlements, 0)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
