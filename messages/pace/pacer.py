"""One provider's pace: who waits, in which order they go. One Pacer per provider and process.

People in a chat go before alerts, those before urgent notices, those before the rest; within a lane, first
come first served. A slot that comes free goes to the first of the highest lane, so a person in a chat waits at
most one slot, however long the broadcast behind.
"""

import asyncio
import heapq
import itertools
import math
from enum import IntEnum
from typing import Final

from messages.pace.spacing import Spacing

CHAT_SPACING_SECONDS: Final = 1.0  # Telegram: one message a second into one chat; for broadcasts only
KEYS_MAX: Final = 4096  # chats remembered before the old ones are swept
TOGETHER_SECONDS: Final = 2.0  # chats refused within so long of each other: the limit is the bot's, not theirs


class Lane(IntEnum):
    """How urgent a message is; the lowest goes first."""

    CHAT = 0
    ALERT = 1
    URGENT = 2
    REST = 3


class NoSlot(Exception):  # noqa: N818 - not an error: the message goes back into the queue
    """There was no slot within the time given; nothing was sent."""


class Pacer:
    """Releases callers one by one under a limit per second (messages, or SMS segments as `cost`)."""

    def __init__(self, limit: float = math.inf) -> None:
        self._spacing = Spacing(limit)
        self._waiting: list[tuple[Lane, int, int, asyncio.Future[None]]] = []
        self._turn = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._valid_until = math.inf
        self._keys: dict[str, float] = {}
        self._refused: dict[str, tuple[float, float]] = {}  # a chat: when it was refused last, and held until when
        self.slowed = asyncio.Event()  # set by every 429: whoever remembers holds for a restart waits for it

    @property
    def rate(self) -> float:
        """Units per second allowed now."""
        return self._spacing.rate

    @property
    def limit(self) -> float:
        """Units per second allowed when all is well."""
        return self._spacing.limit

    @property
    def waiting(self) -> int:
        """How many callers wait for a slot."""
        return sum(not entry[-1].done() for entry in self._waiting)

    def held_for(self) -> float:
        """Give the seconds for which nothing may leave: 0.0 mostly."""
        return max(0.0, self._spacing.held_until - _now())

    async def acquire(
        self, lane: Lane, cost: int = 1, key: str | None = None, *, within_seconds: float = math.inf
    ) -> None:
        """Return when a message of `cost` units may go; NoSlot if that is not within so many seconds.

        `key` names a chat that broadcasts reach at most once per second.
        """
        chat_in = 0.0 if key is None else self._book(key)
        if chat_in <= 0 and self._takes(cost):
            return
        try:
            async with asyncio.timeout(None if math.isinf(within_seconds) else within_seconds):
                if chat_in > 0:
                    await asyncio.sleep(chat_in)
                await self._slot(lane, cost)
        except TimeoutError:
            raise NoSlot from None

    def hold(self, seconds: float) -> None:
        """Let nothing leave for so long."""
        self._spacing.hold(_now() + seconds)

    def chat_held_for(self, chat: str) -> float:
        """Give the seconds for which nothing may go to this chat, whatever may go to others; 0.0 mostly."""
        return max(0.0, self._refused[chat][1] - _now()) if chat in self._refused else 0.0

    def refused(self, chat: str | None, retry_after_seconds: float) -> None:
        """Obey a 429 that may be about one chat: that chat waits, and everybody if others were refused just now.

        Telegram does not say whose limit was met. None: the request was about no chat.
        """
        now = _now()
        others = any(at > now - TOGETHER_SECONDS for key, (at, _) in self._refused.items() if key != chat)
        if chat is not None:
            if len(self._refused) >= KEYS_MAX:
                self._refused = {key: entry for key, entry in self._refused.items() if entry[1] > now}
            held_until = max(now + retry_after_seconds, self._refused.get(chat, (0.0, 0.0))[1])
            self._refused[chat] = (now, held_until)
        if chat is None or others:
            self.slow_down(retry_after_seconds)

    def slow_down(self, retry_after_seconds: float) -> None:
        """Obey a 429: everybody waits, and then goes slower for a while."""
        self.hold(retry_after_seconds)
        self._spacing.lower(_now())
        self.slowed.set()

    def change_limit(self, limit: float) -> None:
        """Take a new limit, from now on; 0 closes."""
        self._spacing.change_limit(limit)
        self._release()

    def recover(self, rate: float) -> None:
        """Begin at the rate remembered from before a restart, if it was lower."""
        self._spacing.rate = min(self._spacing.limit, rate)

    def open_until(self, loop_time: float) -> None:
        """Release nobody after this time of the event loop: the right to send is a lease."""
        self._valid_until = loop_time
        self._release()

    def _takes(self, cost: int) -> bool:
        """Take a slot that is free now, if nobody waits."""
        if self._waiting or self._ready_at(cost) > _now():
            return False
        self._spacing.take(cost, _now())
        return True

    async def _slot(self, lane: Lane, cost: int) -> None:
        if self._takes(cost):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (lane, next(self._turn), cost, future))
        self._release()
        await future

    def _ready_at(self, cost: int) -> float:
        ready_at = self._spacing.ready_at(cost, _now())
        return ready_at if ready_at < self._valid_until and _now() < self._valid_until else math.inf

    def _release(self) -> None:
        """Let go everyone whose time has come, and wake up again for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _, _, cost, future = self._waiting[0]
            if not future.done():
                ready_at = self._ready_at(cost)
                if ready_at > _now():
                    self._wake_at(ready_at)
                    return
                self._spacing.take(cost, _now())
                future.set_result(None)
            heapq.heappop(self._waiting)

    def _wake_at(self, loop_time: float) -> None:
        if math.isfinite(loop_time):
            self._timer = asyncio.get_running_loop().call_at(loop_time, self._release)

    def _book(self, key: str) -> float:
        """Book the next time of a broadcast into this chat, a second after the last; give the seconds until then."""
        now = _now()
        if len(self._keys) >= KEYS_MAX:
            self._keys = {chat: free_at for chat, free_at in self._keys.items() if free_at > now}
        free_at = max(now, self._keys.get(key, now))
        self._keys[key] = free_at + CHAT_SPACING_SECONDS
        return free_at - now


def _now() -> float:
    return asyncio.get_running_loop().time()
