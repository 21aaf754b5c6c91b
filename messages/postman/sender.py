"""Sends one claimed message: waits for its slot, asks the provider, and says what became of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from messages.channels.channels import Channel
from messages.channels.verdicts import SendFailed, Verdict
from messages.ledger.aftermath import PROVIDERS, Trouble
from messages.ledger.settlement import (
    EXHAUSTED_FOR,
    Claimed,
    Settlement,
    after_failure,
    after_no_slot,
    after_sent,
)
from messages.pace.pacer import Lane, NoSlot, Pacer
from messages.pace.queue import loop_time
from messages.postman.letters import Letters
from messages.postman.line_rest import LONG_WAIT_SECONDS, Wire
from messages.reach import SMS, TELEGRAM

SLOT_SHARE_OF_LEASE: Final = 0.25  # a row that waited longer for its slot goes back

log = structlog.get_logger()


@dataclass(slots=True)
class Counts:
    """What a line has done since it began, for metrics."""

    sent: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    overtaken: int = 0  # settlements that came too late


class Sender:
    """One provider, its pace, and how well it is reached. `lease` is that of a claimed row."""

    def __init__(
        self,
        channel: Channel,
        pacer: Pacer,
        *,
        letters: Letters,
        wire: Wire,
        lease: timedelta,
        counts: Counts,
        now: Callable[[], datetime],
    ) -> None:
        self._channel, self._pacer, self._letters = channel, pacer, letters
        self._wire, self._counts, self._now = wire, counts, now
        self._slot_within_seconds = lease.total_seconds() * SLOT_SHARE_OF_LEASE

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be sent now: the provider wants it, or failed too often."""
        return self._wire.rest_until > loop_time() or self._pacer.held_for() > 0

    @property
    def probes(self) -> bool:
        """Whether one message at a time tries if the provider is back."""
        return self._wire.broken

    @property
    def waits(self) -> Trouble | None:
        """What staff must hear of: quiet that the provider wants for long, or refusals without an end."""
        provider = PROVIDERS[self._channel.kind]
        if self._pacer.held_for() > LONG_WAIT_SECONDS:
            return Trouble(provider, "waits", self._wire.refused_for or "429", None)
        reason = self._wire.repeats(loop_time())
        return None if reason is None else Trouble(provider, "repeats", reason, None)

    async def send(self, claimed: Claimed, on_slot: Callable[[], None]) -> Settlement:
        """Send one message, and give what became of it; `on_slot` is called once it waits no longer."""
        try:
            try:
                await self._slot(claimed)
            finally:
                on_slot()
            sent = await self._channel.send(self._letters.write(claimed))
        except NoSlot:
            return after_no_slot(claimed)
        except SendFailed as failure:
            return self._failed(claimed, failure)
        except Exception as fault:  # noqa: BLE001 - the outermost of one message: others must go on
            error = type(fault).__name__
            log.error("sending broke", provider=self._channel.kind, delivery=claimed.id, error=error)  # noqa: TRY400 - a trace could hold an address
            return self._failed(claimed, SendFailed(Verdict.UNKNOWN, error, surprising=True))
        self._wire.note(None, loop_time())
        self._counts.sent += 1
        return after_sent(claimed, sent, self._now())

    async def _slot(self, claimed: Claimed) -> None:
        spaced = claimed.notice_id is not None and claimed.channel == TELEGRAM
        cost = claimed.segments if claimed.channel == SMS else 1
        key = claimed.address if spaced else None
        await self._pacer.acquire(Lane(claimed.lane), cost, key, within_seconds=self._slot_within_seconds)

    def _failed(self, claimed: Claimed, failure: SendFailed) -> Settlement:
        self._wire.note(failure.verdict, loop_time(), failure.reason)
        self._counts.failed[failure.verdict] = self._counts.failed.get(failure.verdict, 0) + 1
        if failure.verdict is Verdict.SLOW_DOWN and not failure.obeyed:
            self._pacer.slow_down(failure.retry_after_seconds or 1.0)
        if failure.verdict is Verdict.EXHAUSTED:
            self._pacer.hold(EXHAUSTED_FOR.total_seconds())
        return after_failure(claimed, failure, self._now())
