"""The other processes that send over one provider: which are gone, as far as this one can tell by its own clock."""

import math
from collections.abc import Callable

from messages.pace.spacing import WINDOW_SECONDS


def nobody_is_known_to_be_gone(_process: str) -> bool:
    """Know of no process that it has ended: each is given its time of silence."""
    return False


class Peers:
    """What is known of them; `gone` tells of those that have surely ended, the others are told by their silence."""

    def __init__(self, gone: Callable[[str], bool], silent_seconds: float) -> None:
        self._gone, self._silent_seconds = gone, silent_seconds
        self._seen: dict[str, tuple[int, float]] = {}  # process -> its beat, and when that was new to us
        self._gone_since: dict[str, float] = {}  # process -> when it was first seen to be gone

    def is_lost(self, process: str, beat: int, now: float) -> bool:
        """Whether it sends no more: it is gone, or has been silent for so long."""
        return self.is_gone(process, now) or self._is_silent(process, beat, now)

    def is_gone(self, process: str, now: float) -> bool:
        """Whether it has surely ended; when that was first seen is remembered."""
        if process not in self._gone_since and self._gone(process):
            self._gone_since[process] = now
        return process in self._gone_since

    def gone_since(self, process: str, now: float) -> float:
        """Give when it was first seen to be gone, at the latest now."""
        return self._gone_since.get(process, now)

    def is_forgotten(self, process: str, beat: int, now: float) -> bool:
        """Whether a process and what it sent last count no longer, so that its share can be another's."""
        since = self._gone_since[process] if self.is_gone(process, now) else math.inf
        return now - since >= WINDOW_SECONDS or self._is_silent(process, beat, now)

    def _is_silent(self, process: str, beat: int, now: float) -> bool:
        """Whether a process has not counted up for so long, as far as this one has watched it."""
        seen_beat, since = self._seen.get(process, (None, now))
        if seen_beat != beat:
            self._seen[process] = (beat, now)
            return False
        return now - since >= self._silent_seconds
