"""One provider's way out: claim, wait for the pace, send, settle; under one bound.

    claim (commit) -> slot of the pacer -> the provider -> settle (commit)

At most `in_flight_max` rows of a line are between the first commit and the last: that is all a crash can leave
unknown. What was answered is settled together, in the transaction that claims the next.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError

from messages.channels.channels import Channel
from messages.ledger.aftermath import Aftermath
from messages.ledger.outbox import LEASE, claim, settle
from messages.ledger.settlement import Claimed, Settlement
from messages.pace.pacer import Pacer
from messages.postman.letters import Letters
from messages.postman.line_rest import REST_SECONDS, Wire
from messages.postman.runnable import Runnable
from messages.postman.sender import Counts, Sender
from voting.store.database import Database

IN_FLIGHT_MAX: Final = 16  # of one provider: what a kill can leave unknown
CLAIM_AHEAD_SECONDS: Final = 0.1  # of sending: more would only wait for its slot, and could not be paused
IDLE_SECONDS: Final = 0.2  # between two looks for something to do: another process may have planned it
IDLE_LOOKS: Final = 25  # in vain; then the next wait
IDLE_TIMES: Final = 4  # so much longer
GATHER_SECONDS: Final = 0.02  # answers are settled together
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

    def rests_seconds(self, in_vain: int) -> float:
        """Give for how long to wait after so many looks in vain."""
        return self.idle_seconds * (IDLE_TIMES if in_vain > IDLE_LOOKS else 1)


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
        self.sender = Sender(
            channel,
            pacer,
            letters=letters,
            wire=Wire(tempo.rest_seconds),
            lease=tempo.lease,
            counts=self.counts,
            now=now,
        )
        self._runnable = Runnable(channel.kind, tempo.lease)
        self._awake = asyncio.Event()
        self._waiting = 0  # claimed, and waiting for a slot
        self._flying = 0  # claimed, and not answered
        self._in_vain = 0  # looks, since there was anything to do
        self._tasks: set[asyncio.Task[None]] = set()
        self._settlements: list[Settlement] = []  # answered, and not written

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
            self._in_vain = 0 if busy else self._in_vain + 1
            await (self._gather() if busy else self._rest())
        try:
            await self._say_goodbye()
        except (DBAPIError, OSError) as problem:  # as after a crash: what was sent last is found out, or left unknown
            log.warning(
                "the database did not hear of the last messages",
                provider=self.channel.kind,
                error=type(problem).__name__,
            )

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
            for order in await self._runnable.orders(connection, now):
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
            return await self._runnable.any_due(connection, self._now())

    def _room(self) -> int:
        """How many rows to claim now: no more than leave soon, none while the provider wants quiet."""
        if not self._may_send() or self.sender.quiet:
            return 0
        if self.sender.probes:
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
            settlement = await self.sender.send(claimed, self._leaves)
            self._settlements.append(settlement)  # the list of now: the one of before the await may be written already
        finally:
            self._flying -= 1
            self._awake.set()

    def _leaves(self) -> None:
        """Note that one message waits for its slot no longer."""
        self._waiting -= 1
        self._awake.set()

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
        """Wait for an answer, for work, or for a moment; a longer one while there has been nothing for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._tempo.rests_seconds(self._in_vain)):
                await self._awake.wait()
        self._awake.clear()

    async def _say_goodbye(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=GOODBYE_SECONDS)
        settlements, self._settlements = self._settlements, []
        if settlements:
            await self._turn(settlements, 0)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
