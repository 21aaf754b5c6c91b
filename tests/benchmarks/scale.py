"""What the benches leave behind for docs/scale.md: figures of one vote, one message, one member, kept as JSON.

`BENCH_KEEP=1` writes them, and the page's table and list of sources, which are made of them here and nowhere else. A
test makes both again, so that page and figures stay together.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

KEPT: Final = Path(__file__).parents[1] / "data" / "scale.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "scale.md"

MEMBERS: Final = 10_000_000
TURNOUT: Final = 0.7  # of the members, all online
BUSIEST_HOUR: Final = 0.1  # of the votes
TELEGRAM_FREE, TELEGRAM_PAID = 30, 1_000  # messages a second
TELEGRAM_CALLS: Final = 6  # that count against the limit, for each vote in the chat
SMS_ALPHANUMERIC, SMS_LONG_NUMBER = 10, 1  # segments a second
DAY: Final = 86_400
SPANS: Final = ((DAY, 3 * DAY, "days"), (3_600, 2 * 3_600, "hours"), (60, 60, "minutes"))
SIZES: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))

_ON: Final = "{cores:.0f} cores, load {load:.1f} in the quarter of an hour before"
SOURCES: Final = {
    "tenfold": "{members:,.0f} members, {ballots:,.0f} ballots, PostgreSQL; " + _ON,
    "votes": "the whole path of {votes:,.0f} votes with {waiting:.0f} waiting, SQLite; " + _ON,
    "workers": "{votes:,.0f} votes in the chat and a notice to {messages:,.0f}, one worker on PostgreSQL; " + _ON,
}

Figures = Mapping[str, Mapping[str, float]]


def keep(part: str, figures: Mapping[str, float]) -> None:
    """Keep a part's figures, in place of those that it left before, if asked to; with them the machine's load."""
    if os.environ.get("BENCH_KEEP") != "1":
        return
    before: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept = {other: before[other] for other in SOURCES if other in before}
    with_load = {**figures, "load": os.getloadavg()[2], "cores": float(os.cpu_count() or 1)}
    kept[part] = {name: float(f"{figure:.4g}") if figure % 1 else figure for name, figure in with_load.items()}
    KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    if kept.keys() >= SOURCES.keys():
        PAGE.write_text(written_into(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


def written_into(page: str, kept: Figures) -> str:
    """Write the table and the sources in place of those that the page has."""
    page = _replaced(page, "| ", table(kept))
    return _replaced(page, "- `", "\n".join(sources(kept)))


def _replaced(page: str, begins: str, block: str) -> str:
    """Put a block in place of the page's first run of lines that begin so, or like a table's rule."""
    lines = page.splitlines()
    is_of_it = [line.startswith((begins, "|---")) for line in lines]
    first = is_of_it.index(True)
    last = is_of_it.index(False, first)
    return "\n".join([*lines[:first], *block.splitlines(), *lines[last:]]) + "\n"


def sources(kept: Figures) -> list[str]:
    """Say where each part's figures were measured."""
    return [f"- `{part}`: {source.format(**kept[part])}" for part, source in SOURCES.items()]


def table(kept: Figures) -> str:
    """Write the model of a poll of ten million as a table: what there is of it, what one takes, what all take."""
    lines = ["| What | One takes | How many | In all |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows(kept)])


def rows(kept: Figures) -> list[tuple[str, str, str, str]]:
    """Give the table's rows; times of processor are of one core like those measured."""
    tenfold, workers, alone = kept["tenfold"], kept["workers"], kept["votes"]["vote_ms"]
    votes = MEMBERS * TURNOUT
    busiest = votes * BUSIEST_HOUR / 3_600
    return [
        _time("Import the roll", tenfold["import_ms"], MEMBERS, "members"),
        _time("Make the packs", tenfold["packs_ms"], MEMBERS, "members"),
        _bytes("The database before the vote", tenfold["database_bytes_per_member"], MEMBERS, "members"),
        _time("A vote, without chat or page", alone, votes, "votes"),
        _time("A vote in the chat, all of it", workers["vote_ms"], votes, "votes"),
        _cores("Cores in the busiest hour, by chat", workers["vote_ms"], busiest),
        _cores("Cores in the busiest hour, without chat or page", alone, busiest),
        _bytes("PostgreSQL's log for a vote in the chat", workers["vote_log_bytes"], votes, "votes"),
        _time("Plan a notice", tenfold["notice_ms"], MEMBERS, "members"),
        _time("A message of a notice", workers["message_ms"], MEMBERS, "messages"),
        _bytes("PostgreSQL's log for a message", workers["message_log_bytes"], MEMBERS, "messages"),
        _bytes("The archive", tenfold["archive_bytes"], votes, "ballots"),
        _time("Tally, without its verification", tenfold["tally_ms"], votes, "ballots"),
        _time("Verify the bundle", tenfold["verify_ms"], votes, "ballots"),
        _time("A notice on Telegram, free", 1_000 / TELEGRAM_FREE, MEMBERS, "messages"),
        _time("A notice on Telegram, paid", 1_000 / TELEGRAM_PAID, MEMBERS, "messages"),
        _time("A notice by text, alphanumeric sender", 1_000 / SMS_ALPHANUMERIC, MEMBERS, "segments"),
        _time("A notice by text, one long number", 1_000 / SMS_LONG_NUMBER, MEMBERS, "segments"),
        _time("Votes in the chat, free answers", TELEGRAM_CALLS * 1_000 / TELEGRAM_FREE, votes, "votes"),
    ]


def _time(what: str, milliseconds: float, number: float, of: str) -> tuple[str, str, str, str]:
    return what, f"{milliseconds:,.4g} ms", f"{number:,.0f} {of}", span(milliseconds * number / 1_000)


def _bytes(what: str, size: float, number: float, of: str) -> tuple[str, str, str, str]:
    return what, size_of(size), f"{number:,.0f} {of}", size_of(size * number)


def _cores(what: str, milliseconds: float, per_second: float) -> tuple[str, str, str, str]:
    return (
        what,
        f"{milliseconds:.3g} ms",
        f"{per_second:,.0f} votes/s",
        f"{milliseconds * per_second / 1_000:.1f} cores",
    )


def span(seconds: float) -> str:
    """Write a time as people say it."""
    for unit, least, name in SPANS:
        if seconds >= least:
            return f"{seconds / unit:,.3g} {name}"
    return f"{seconds:.3g} seconds"


def size_of(number: float) -> str:
    """Write a number of bytes as people say it."""
    for unit, name in SIZES:
        if number >= unit:
            return f"{number / unit:,.3g} {name}"
    return f"{number:.0f} bytes"
