"""A provider's rate limit: so many in any window, refused beyond."""

import time
from collections import deque

WINDOW_SECONDS = 1.0


class Limit:
    """At most `per_second` weight in any one second; None lets everything through."""

    def __init__(self) -> None:
        self.per_second: float | None = None
        self._taken: deque[tuple[float, int]] = deque()
        self._inside = 0

    def allows(self, weight: int) -> bool:
        """Take a place if there is one. A refused call takes none."""
        if self.per_second is None:
            return True
        # A limit below one a second is one in a longer window.
        window = WINDOW_SECONDS if self.per_second >= 1 else 1 / self.per_second
        now = time.monotonic()
        while self._taken and now - self._taken[0][0] >= window:
            self._inside -= self._taken.popleft()[1]
        if self._inside and self._inside + weight > max(1, int(self.per_second)):
            return False
        self._taken.append((now, weight))
        self._inside += weight
        return True


class ChatLimits:
    """At most so many a second in each chat, after a short burst (a token bucket per chat)."""

    BURST: float = 3.0

    def __init__(self) -> None:
        self.per_second: float | None = None
        self._buckets: dict[int, tuple[float, float]] = {}

    def allows(self, chat_id: int) -> bool:
        """Take a token of this chat if it has one."""
        if self.per_second is None:
            return True
        now = time.monotonic()
        tokens, since = self._buckets.get(chat_id, (self.BURST, now))
        tokens = min(self.BURST, tokens + (now - since) * self.per_second)
        if tokens < 1:
            self._buckets[chat_id] = (tokens, now)
            return False
        self._buckets[chat_id] = (tokens - 1, now)
        return True
