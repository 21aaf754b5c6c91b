"""How well a provider is reached: pure; after failures in a row its line rests, longer each time.

A provider that answers with errors, or not at all, would otherwise turn one member after another into `unknown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from messages.channels.verdicts import Verdict

FAILURES_MAX: Final = 3  # in a row, of the wire and not of a message
REPEATS_SECONDS: Final = 60.0  # of refusals and nothing else, until staff are told
LONG_WAIT_SECONDS: Final = 60.0  # a provider that wants quiet for longer is told to staff, and shown
REST_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0)

_OF_THE_WIRE: Final = frozenset({Verdict.UNKNOWN, Verdict.UNREACHABLE, Verdict.ON_THE_WAY})
# Verdicts that are about no recipient and send the same row again: nobody would hear of them otherwise.
_NOBODYS: Final = _OF_THE_WIRE | {Verdict.SLOW_DOWN, Verdict.OUR_SETUP, Verdict.EXHAUSTED}


@dataclass(slots=True)
class Wire:
    """The record of attempts; times are the event loop's."""

    rests: Sequence[float] = REST_SECONDS
    failures: int = 0
    rest_until: float = 0.0
    refused_since: float | None = None  # nothing has gone since then
    refused_for: str = ""  # the newest reason

    @property
    def broken(self) -> bool:
        """Whether to probe with one message at a time."""
        return self.failures >= FAILURES_MAX

    def repeats(self, now: float) -> str | None:
        """Give the reason of refusals that have gone on for too long; None mostly."""
        too_long = self.refused_since is not None and now - self.refused_since >= REPEATS_SECONDS
        return self.refused_for if too_long else None

    def note(self, verdict: Verdict | None, now: float, reason: str = "") -> None:
        """Take in how one attempt went; None: it was answered."""
        if verdict in _NOBODYS:
            self.refused_since, self.refused_for = self.refused_since or now, reason
        else:
            self.refused_since = None
        if verdict not in _OF_THE_WIRE:
            self.failures = 0
            return
        self.failures += 1
        if self.broken and now >= self.rest_until:
            step = min(self.failures - FAILURES_MAX, len(self.rests) - 1)
            self.rest_until = now + self.rests[step]
