"""What came back from a provider and was not the provider's: counted, for /metrics, and nothing of it kept."""

from typing import Final

from prometheus_client import Counter

BAD_ANSWERS: Final = Counter(
    "ballotline_bad_answers",
    "Answers and updates that do not have the provider's shape: pages, cut JSON, missing fields, other people's ids.",
    ["provider", "call"],
)


def note(provider: str, call: str) -> None:
    """Count one; `call` is the method or the kind of thing asked for, never anything of the answer."""
    BAD_ANSWERS.labels(provider, call).inc()
