"""How well a provider is reached: pure; after failures in a row its line rests, longer each time.

A provider that answers with errors, or not at all, would otherwise turn one member after another into `unknown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from messages.channels.verdicts import Verdict

FAILURES_MAX: Final = 3  # in a row, of the wire and not of a message
REST_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0)

_OF_THE_WIRE: Final = frozenset({Verdict.UNKNOWN, Verdict.UNREACHABLE})


@dataclass(slots=True)
class Wire:
    """The record of attempts; times are the event loop's."""

    rests: Sequence[float] = REST_SECONDS
    failures: int = 0
    rest_until: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether to probe with one message at a time."""
        return self.failures >= FAILURES_MAX

    def note(self, verdict: Verdict | None, now: float) -> None:
        """Take in how one attempt went; None: it was answered."""
        if verdict not in _OF_THE_WIRE:
            self.failures = 0
            return
        self.failures += 1
        if self.broken and now >= self.rest_until:
            step = min(self.failures - FAILURES_MAX, len(self.rests) - 1)
            self.rest_until = now + self.rests[step]
