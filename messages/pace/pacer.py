"""One provider's pace: who waits, in which order they go. One Pacer per provider and process.

People in a chat go before alerts, those before urgent notices, those before the rest; within a lane, first
come first served. A slot that comes free goes to the first of the highest lane, so a person in a chat waits at
most one slot, however long the broadcast behind.
"""

import asyncio
import math
from enum import IntEnum

from messages.pace.chats import Chats
from messages.pace.queue import Queue, loop_time
from messages.pace.spacing import Spacing


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
        self._queue = Queue(self._spacing)
        self._chats = Chats()
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
        return len(self._queue)

    def held_for(self) -> float:
        """Give the seconds for which nothing may leave: 0.0 mostly."""
        return max(0.0, self._spacing.held_until - loop_time())

    async def acquire(
        self, lane: Lane, cost: int = 1, key: str | None = None, *, within_seconds: float = math.inf
    ) -> None:
        """Return when a message of `cost` units may go; NoSlot if that is not within so many seconds.

        `key` names a chat that broadcasts reach at most once per second.
        """
        chat_in = 0.0 if key is None else self._chats.book(key, loop_time())
        if chat_in <= 0 and self._queue.take(cost):
            return
        try:
            async with asyncio.timeout(None if math.isinf(within_seconds) else within_seconds):
                if chat_in > 0:
                    await asyncio.sleep(chat_in)
                await self._queue.wait(lane, cost)
        except TimeoutError:
            raise NoSlot from None

    def hold(self, seconds: float) -> None:
        """Let nothing leave for so long."""
        self._spacing.hold(loop_time() + seconds)

    def lift(self) -> None:
        """End what `hold` began, before its time."""
        self._spacing.lift()
        self._queue.release()

    def chat_held_for(self, chat: str) -> float:
        """Give the seconds for which nothing may go to this chat, whatever may go to others; 0.0 mostly."""
        return self._chats.held_for(chat, loop_time())

    def refused(self, chat: str | None, retry_after_seconds: float) -> None:
        """Obey a 429 that may be about one chat: that chat waits, and everybody if others were refused just now.

        Telegram does not say whose limit was met. None: the request was about no chat.
        """
        if chat is None or self._chats.refuse(chat, retry_after_seconds, loop_time()):
            self.slow_down(retry_after_seconds)

    def slow_down(self, retry_after_seconds: float) -> None:
        """Obey a 429: everybody waits, and then goes slower for a while."""
        self.hold(retry_after_seconds)
        self._spacing.lower(loop_time())
        self.slowed.set()

    def change_limit(self, limit: float) -> None:
        """Take a new limit, from now on; 0 closes."""
        self._spacing.change_limit(limit)
        self._queue.release()

    def recover(self, rate: float) -> None:
        """Begin at the rate remembered from before a restart, if it was lower."""
        self._spacing.rate = min(self._spacing.limit, rate)

    def open_until(self, valid_until: float) -> None:
        """Release nobody after this time of the event loop: the right to send is a lease."""
        self._queue.open_until(valid_until)
