"""What can go wrong on purpose: a list of faults per provider, and how one is played over HTTP."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

REQUEST_KINDS: Final = frozenset(
    {
        "429",  # refused, not processed
        "5xx_before",  # an error, not processed
        "5xx_after",  # processed, then an error
        "drop_before",  # connection closed, not processed
        "drop_after",  # processed, then the connection closed
        "slow",  # processed at once, answered after delay_seconds
        "hang",  # neither processed nor answered
        "hang_after",  # processed, never answered
        "error",  # refused with `code` (Twilio's error codes; HTTP status for Telegram)
        "other_before",  # not processed, and answered by a proxy in between: HTTP status `code`, `body`
        "other_after",  # processed, and the answer replaced by a proxy in between
    }
)
CALLBACK_KINDS: Final = frozenset({"callback_doubled", "callback_reordered", "callback_early", "callback_lost"})

Answer = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Fault:
    """One thing to go wrong: `count` times (None: until cleared), each time with chance `rate`.

    method, chat_id (Telegram) and to (Twilio, a phone number) narrow down which calls it meets. `name`: what it is
    counted as when played, if not as its kind.
    """

    kind: str
    method: str | None = None
    count: int | None = 1
    rate: float = 1.0
    retry_after: int = 1
    delay_seconds: float = 0.5
    chat_id: int | None = None
    to: str | None = None
    code: int = 500
    body: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind not in REQUEST_KINDS | CALLBACK_KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")

    def meets(self, *, method: str, chat_id: int | None, to: str | None) -> bool:
        """Tell whether a call is one of those this fault is meant for."""
        return (
            self.count != 0
            and self.method in (None, method)
            and self.chat_id in (None, chat_id)
            and self.to in (None, to)
        )


class Faults:
    """The faults switched on for one provider. `played` counts, by kind, those that happened."""

    def __init__(self, seed: int) -> None:
        self.played: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._deck: list[Fault] = []
        self._to_deal: list[Fault] = []
        self._deal_rate = 0.0
        # Not a secret: the same seed must give the same run.
        self._chance = random.Random(seed)  # noqa: S311 - reproducible on purpose, guards nothing

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on, after those already there."""
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Switch one fault off."""
        self._faults.remove(fault)

    def deal(self, faults: Sequence[Fault], rate: float) -> None:
        """Meet this share of all calls with one of `faults`: each once, in any order, before one comes again."""
        self._deck, self._to_deal, self._deal_rate = list(faults), [], rate

    def clear(self) -> None:
        """Switch all off."""
        self._faults.clear()
        self._deck.clear()

    def take(
        self, kinds: frozenset[str], *, method: str, chat_id: int | None = None, to: str | None = None
    ) -> Fault | None:
        """Return the first fault of these kinds that strikes this call, used up by one; None usually."""
        for fault in self._faults:
            if fault.kind not in kinds or not fault.meets(method=method, chat_id=chat_id, to=to):
                continue
            if fault.rate < 1 and self._chance.random() >= fault.rate:
                continue
            if fault.count is not None:
                fault.count -= 1
            self.played[fault.name or fault.kind] += 1
            return fault
        return self._dealt(kinds, method=method, chat_id=chat_id, to=to)

    def _dealt(self, kinds: frozenset[str], *, method: str, chat_id: int | None, to: str | None) -> Fault | None:
        if not self._deck or self._chance.random() >= self._deal_rate:
            return None
        if not self._to_deal:
            self._to_deal = self._chance.sample(self._deck, len(self._deck))
        for fault in (*self._to_deal, *self._deck):
            if fault.kind in kinds and fault.meets(method=method, chat_id=chat_id, to=to):
                if fault in self._to_deal:
                    self._to_deal.remove(fault)
                self.played[fault.name or fault.kind] += 1
                return fault
        return None


class Stage:
    """Plays faults on the connections of one server until it closes."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()

    async def play(
        self, fault: Fault, request: web.Request, answer: Answer, broken: Callable[[], web.StreamResponse]
    ) -> web.StreamResponse:
        """Answer a request as the fault says. `broken` makes the provider's own HTTP 500."""
        if fault.kind in ("5xx_after", "drop_after", "slow", "hang_after", "other_after"):
            response = await answer()
            if fault.kind == "slow":
                await self._pause(fault.delay_seconds)
                return response
        if fault.kind in ("hang", "hang_after"):
            await self.closing.wait()
        if fault.kind.startswith("other"):
            return web.Response(status=fault.code, body=fault.body.encode(), content_type=_looks_like(fault.body))
        if fault.kind.startswith("5xx"):
            return broken()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return


def _looks_like(body: str) -> str:
    return "text/html" if body.lstrip().startswith("<") else "application/json"
