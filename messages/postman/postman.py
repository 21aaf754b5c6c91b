"""Everything that sends, in one place to start and stop: lines, their pace, the ledger's housekeeping."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.channels import Channel, Renderer
from messages.channels.twilio_channel import TwilioChannel
from messages.ledger.aftermath import (
    PROVIDERS,
    Aftermath,
    OnMigrated,
    OnTrouble,
    Trouble,
    move_nothing,
    tell_nobody,
)
from messages.ledger.callbacks import StatusReport, record_status
from messages.ledger.outbox import any_expired
from messages.notices.life import anything_to_end, finish, sweep
from messages.notices.scheduled import OnHeld, any_scheduled, hold_quietly, start_scheduled
from messages.pace.pace_keeper import BEAT_SECONDS, SILENT_SECONDS, PaceKeeper
from messages.pace.pacer import Pacer
from messages.pace.peers import nobody_is_known_to_be_gone
from messages.postman.held import any_wished, texts_instead
from messages.postman.letters import Letters
from messages.postman.line import Line, Tempo
from messages.postman.resolving import Resolver, give_up_leases
from messages.reach import SMS, TELEGRAM
from voting.store.database import Database

HOUSEKEEPING_SECONDS: Final = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outlet:
    """A provider that is switched on. Answers in chats go through the same `pacer` (see telegram_request)."""

    channel: Channel
    pacer: Pacer


@dataclass(frozen=True, slots=True)
class Timing:
    """How often things are looked after."""

    tempo: Tempo = field(default_factory=Tempo)
    housekeeping_seconds: float = HOUSEKEEPING_SECONDS
    beat_seconds: float = BEAT_SECONDS
    silent_seconds: float = SILENT_SECONDS


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Postman:
    """Sends what the ledger holds, through each outlet, as long as `run` runs. One per process.

    `process` names it, as no other is named; `gone` tells of such a name whether its process has surely ended.
    """

    def __init__(
        self,
        database: Database,
        outlets: Sequence[Outlet],
        *,
        renderers: Mapping[str, Renderer] | None = None,
        on_trouble: OnTrouble = tell_nobody,
        on_migrated: OnMigrated = move_nothing,
        on_held: OnHeld = hold_quietly,
        process: str | None = None,
        gone: Callable[[str], bool] = nobody_is_known_to_be_gone,
        now: Callable[[], datetime] = _utc_now,
        timing: Timing = Timing(),
    ) -> None:
        kinds = frozenset(outlet.channel.kind for outlet in outlets)
        self.aftermath: Final = Aftermath(on_trouble=on_trouble, on_migrated=on_migrated, sms=SMS in kinds)
        self.process: Final = process or secrets.token_hex(8)
        self._gone = gone
        self._database = database
        self._kinds = kinds
        self._now = now
        self._on_held = on_held
        self._told: dict[str, Trouble | None] = dict.fromkeys(kinds)
        self._timing = timing
        letters = Letters(renderers)
        self.keepers: Final = {outlet.channel.kind: self._keeper(outlet) for outlet in outlets}
        self.lines: Final = {
            outlet.channel.kind: self._line(outlet, letters, self.keepers[outlet.channel.kind]) for outlet in outlets
        }
        self._resolvers = [
            Resolver(database, outlet.channel, letters, self.aftermath)
            for outlet in outlets
            if isinstance(outlet.channel, TwilioChannel)
        ]

    def wake(self) -> None:
        """Look for work at once: call it after a commit that planned a message."""
        for line in self.lines.values():
            line.wake()

    async def record_status(self, connection: AsyncConnection, report: StatusReport, now: datetime) -> bool:
        """Take a status callback into the ledger, with all that follows from it (see callbacks.py)."""
        return await record_status(connection, report, aftermath=self.aftermath, now=now)

    async def look(self) -> None:
        """See as early as can be which processes before this one are gone."""
        for keeper in self.keepers.values():
            await keeper.look()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`. Ends when what is on its way has ended, and the pace is left to others."""
        lines_done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for keeper in self.keepers.values():
                group.create_task(keeper.run(lines_done))
            group.create_task(self._keep_house(stop))
            await self._run_lines(stop)
            lines_done.set()

    async def _run_lines(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for line in self.lines.values():
                group.create_task(line.run(stop))

    async def _keep_house(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._quietly(self.keep_house)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.housekeeping_seconds):
                    await stop.wait()

    async def keep_house(self) -> None:
        """Do once what has to be done from time to time; every step may be repeated, in any process.

        It looks before it writes: a writer's turn costs the lines theirs.
        """
        now = self._now()
        async with self._database.reading() as connection:
            to_change = await any_scheduled(connection, now) or await anything_to_end(connection)
            expired = await any_expired(connection, now)
        if to_change:
            async with self._database.writing() as connection:
                await start_scheduled(connection, providers=self._kinds, on_held=self._on_held, now=now)
                await sweep(connection, now)
                await finish(connection, now)
        for kind, keeper in self.keepers.items():
            if expired and keeper.holding:
                async with self._database.writing() as connection:
                    await give_up_leases(connection, kind, now)
        for resolver in self._resolvers:
            if self.keepers[SMS].holding:
                await resolver.step(now)
        await self._tell_waits()
        await self._send_texts_instead(now)

    def waits(self) -> dict[str, float]:
        """Give for how many seconds each provider wants quiet."""
        return {PROVIDERS[kind]: line.pacer.held_for() for kind, line in self.lines.items()}

    async def _tell_waits(self) -> None:
        """Tell staff once of a provider that lets nothing through for long."""
        for kind, line in self.lines.items():
            found = line.sender.waits
            if found is not None and found != self._told[kind]:
                async with self._database.writing() as connection:
                    await self.aftermath.tell(connection, found)
            self._told[kind] = found

    async def _send_texts_instead(self, now: datetime) -> None:
        """Let notices whose authors wish so go by text while Telegram takes nothing, and texts go."""
        if self._kinds < {TELEGRAM, SMS} or not self.keepers[TELEGRAM].holding:
            return
        if self.lines[TELEGRAM].sender.waits is None or self.lines[SMS].sender.quiet:
            return
        async with self._database.reading() as connection:
            if not await any_wished(connection):
                return
        async with self._database.writing() as connection:
            planned = await texts_instead(connection, self.aftermath, now)
        if planned:
            log.info("texts go in place of messages that Telegram holds back", texts=planned)
            self.lines[SMS].wake()

    async def _quietly(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except (DBAPIError, OSError) as problem:  # the database is away: it is tried again
            log.warning("the database did not answer the housekeeping", error=type(problem).__name__)

    def _keeper(self, outlet: Outlet) -> PaceKeeper:
        return PaceKeeper(
            self._database,
            PROVIDERS[outlet.channel.kind],
            outlet.pacer,
            process=self.process,
            gone=self._gone,
            now=self._now,
            beat_seconds=self._timing.beat_seconds,
            silent_seconds=self._timing.silent_seconds,
        )

    def _line(self, outlet: Outlet, letters: Letters, keeper: PaceKeeper) -> Line:
        return Line(
            self._database,
            outlet.channel,
            outlet.pacer,
            letters=letters,
            aftermath=self.aftermath,
            may_send=lambda: keeper.holding,
            now=self._now,
            tempo=self._timing.tempo,
        )
