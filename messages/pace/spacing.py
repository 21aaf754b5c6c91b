"""When the next message may go: even spacing under a limit, held by the provider's wish. Pure; time is an argument.

Two rules together, both of a limit of `limit` (messages, or SMS segments) per second:

    spacing   one unit every 1 / (SHARE * rate) seconds, so that messages leave evenly
    window    never more than `rate` units in any 1 / SHARE seconds, whatever sizes the messages have

A limiter met exactly is overrun by the jitter of the wire, and every 429 stalls everybody: hence SHARE.
Sleeping is coarse, so a slot missed by less than CATCH_UP_SECONDS is made good; the window rule bounds that too.
"""

import math
from collections import deque
from typing import Final

SHARE: Final = 0.975  # of the limit that is used; measured: exactly at the limit, jitter alone met 23 429s in 3,000
WINDOW_SECONDS: Final = 1 / SHARE  # that never holds more than a second's worth
CATCH_UP_SECONDS: Final = 0.1  # longer without a message is idleness, and gives no credit
LOWER_BY: Final = 0.7  # after a 429
LOWEST_SHARE: Final = 0.1  # of the limit: slower than this helps nobody
RAISE_BY: Final = 1.1
RAISE_EVERY_SECONDS: Final = 10.0  # without a 429
CLOSED: Final = 0.0  # a limit that lets nothing through


class Spacing:
    """The times at which units may leave. `limit` is per second; math.inf lets all through, CLOSED nothing."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.rate = limit  # lowered after a 429, slowly raised again
        self.held_until = -math.inf
        self._next = -math.inf
        self._changed_at = -math.inf
        self._taken: deque[tuple[float, int]] = deque()
        self._inside = 0

    def ready_at(self, cost: int, now: float) -> float:
        """Give the earliest time for a message of `cost` units; not after `now` means now."""
        if self.rate <= CLOSED:
            return math.inf
        return max(self.held_until, self._next, self._room_at(cost, now))

    def take(self, cost: int, now: float) -> None:
        """Use the slot that is ready now."""
        if math.isinf(self.rate):
            return
        self._raise(now)
        missed = now - self._next <= CATCH_UP_SECONDS
        self._next = (self._next if missed else now) + cost / (SHARE * self.rate)
        self._taken.append((now, cost))
        self._inside += cost

    def hold(self, until: float) -> None:
        """Let nothing leave before `until`; a shorter wish never ends a longer one."""
        self.held_until = max(self.held_until, until)

    def lift(self) -> None:
        """End the hold."""
        self.held_until = -math.inf

    def lower(self, now: float) -> None:
        """Go slower after a 429; answers to what was already on its way count once."""
        if math.isinf(self.rate) or now - self._changed_at < 1:
            return
        self.rate = max(self.rate * LOWER_BY, self.limit * LOWEST_SHARE)
        self._changed_at = now

    def change_limit(self, limit: float) -> None:
        """Take a new limit; a rate that was lowered stays lowered in proportion."""
        proportion = 1.0 if self.limit in (CLOSED, math.inf) else self.rate / self.limit
        self.limit = limit
        self.rate = limit if math.isinf(limit) else limit * proportion

    def _raise(self, now: float) -> None:
        if self.rate < self.limit and now - max(self._changed_at, self.held_until) >= RAISE_EVERY_SECONDS:
            self.rate = min(self.rate * RAISE_BY, self.limit)
            self._changed_at = now

    def _room_at(self, cost: int, now: float) -> float:
        """Give the time from which `cost` more units fit into the window; one larger than the limit goes alone."""
        while self._taken and self._taken[0][0] + WINDOW_SECONDS <= now:
            self._inside -= self._taken.popleft()[1]
        inside, room_at = self._inside, now
        for taken_at, units in self._taken:
            if inside + cost <= self.rate:
                break
            inside -= units
            room_at = taken_at + WINDOW_SECONDS
        return room_at
