"""Counts what a provider accepted, second by second, so that a test can fail on overshoot."""

import time
from array import array
from collections import Counter
from collections.abc import Iterable


class Meter:
    """One provider's accepted calls.

    `accepted` are all calls answered with success; `counted` those of them that count against
    the provider's limit (messages sent or edited), each with a weight (SMS segments; 1 for Telegram).
    """

    def __init__(self) -> None:
        self.accepted = 0
        self.counted = 0
        self.weight = 0
        self.refused_429 = 0
        self.by_method: Counter[str] = Counter()
        self._times = array("d")
        self._weights = array("H")

    def record(self, method: str, *, weight: int = 0) -> None:
        """Note one accepted call; weight 0 means it does not count against the limit."""
        self.accepted += 1
        self.by_method[method] += 1
        if weight:
            self.counted += 1
            self.weight += weight
            self._times.append(time.monotonic())
            self._weights.append(weight)

    def refuse(self) -> None:
        """Note one answer of 429."""
        self.refused_429 += 1

    def reset(self) -> None:
        """Begin again from nothing."""
        self.__init__()  # type: ignore[misc]  # the same object must go on: others hold it

    def max_in_window(self, seconds: float = 1.0) -> int:
        """Return the most counted calls that fell into any window of so many seconds."""
        return self._fullest_window(seconds, (1 for _ in self._times))

    def max_weight_in_window(self, seconds: float = 1.0) -> int:
        """Return the most weight (segments) that fell into any window of so many seconds."""
        return self._fullest_window(seconds, self._weights)

    def _fullest_window(self, seconds: float, weights: Iterable[int]) -> int:
        most = inside = first = 0
        kept = list(weights)
        for moment, weight in zip(self._times, kept, strict=True):
            inside += weight
            while moment - self._times[first] >= seconds:
                inside -= kept[first]
                first += 1
            most = max(most, inside)
        return most
