"""How a rehearsal fails: one sentence."""

from voting.refusals import Fault


class RehearsalFailed(Fault):
    """The rehearsal did not come to what it was asked for."""


def insist(holds: bool, words: str) -> None:  # noqa: FBT001 - insist(this is so, what it means if not)
    """Raise RehearsalFailed with these words unless it holds."""
    if not holds:
        raise RehearsalFailed(words)
