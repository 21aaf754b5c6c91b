"""How often a provider said "slower" (HTTP 429): counted, for /metrics; the pacer obeys each."""

from typing import Final

from prometheus_client import Counter

SLOW_DOWNS: Final = Counter(
    "ballotline_slow_downs", "Requests that a provider answered with 429: too many of ours.", ["provider"]
)
for _provider in ("telegram", "twilio"):
    SLOW_DOWNS.labels(_provider)  # there from the first look: a rate needs to see it at nought


def note(provider: str) -> None:
    """Count one."""
    SLOW_DOWNS.labels(provider).inc()
