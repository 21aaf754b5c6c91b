"""Ten times the roll beside a tenth of it, on PostgreSQL: what takes ten times as long, and what takes no longer.

Members are imported from a roll's file, get packs, and a notice is planned for them; then every page of the console is
looked at, on a poll as it stands on the day. Ballots are counted at two sizes too.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from prepared import GWEN, NOW, SECRETS, make_poll
from sqlalchemy import text

from messages.notices import notices, sending
from messages.notices.model import Content
from messages.notices.preview import preview
from messages.roll_import import import_roll
from messages.words.wording import Ways
from tests.benchmarks import scale
from tests.benchmarks.console_bench import FILES, MEDIAN_SECONDS_MAX, Measured, looked
from tests.benchmarks.count_bench import counted
from tests.benchmarks.own_postgres import OwnServer, own_server
from tests.benchmarks.voting_bench import watch
from voting.imports.report import Agreed
from voting.model import By
from voting.packs import packs
from voting.poll.status import poll_facts
from voting.rehearsal.people import write_roll
from voting.store.database import Database

MEMBERS: Final = 1_724_370
BALLOTS: Final = 200_000
SMALL_MEMBERS, SMALL_BALLOTS = 20_000, 2_000
RATIO_MAX: Final = 11.0
FIRST_SECONDS_MAX: Final = 0.5
MINUTES_FULL, GIGABYTES_FULL = 120, 25
WAYS: Final = Ways(bot_url="https://t.me/ballot_bot")


@dataclass
class Size:
    """What was measured at one size: seconds and MiB by step, and each page."""

    members: int
    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    pages: dict[str, Measured] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        forget_peak()
        with watch() as watched:
            yield
        self.seconds[name], self.memory[name] = watched.seconds, peak_mib()


async def tenfold(folder: Path, shrink: int) -> None:
    """Print the table; say first how long it takes and how much disk."""
    members, ballots = (MEMBERS, BALLOTS) if shrink == 1 else (SMALL_MEMBERS, SMALL_BALLOTS)
    part = members / MEMBERS
    print(f"\n{members:,} members and {ballots:,} ballots beside a tenth of both, on PostgreSQL:")
    print(f"about {MINUTES_FULL * part:,.1f} minutes if nothing else runs on two cores like those it was written on,")
    print(f"and {GIGABYTES_FULL * part:,.1f} GB in {tempfile.gettempdir()}", flush=True)
    with own_server() as server:
        both = [await one_size(server, folder, some) for some in (members // 10, members)]
        for size, some in zip(both, (ballots // 10, ballots), strict=True):
            await count_one(server, folder, size, some)
    say(*both)
    scale.keep("tenfold", {"members": members, "ballots": ballots, **both[1].facts})


async def one_size(server: OwnServer, folder: Path, members: int) -> Size:
    """Measure everything that goes by members."""
    size = Size(members)
    database = await server.fresh(f"roll_{members}")
    await before_the_vote(database, folder, size)
    size.facts["database_bytes_per_member"] = await server.size(f"roll_{members}") / members
    await database.close()
    own = folder / f"console-{members}"
    own.mkdir()
    database = await server.fresh(f"console_{members}")
    found = await looked(database, own, members)
    await database.close()
    size.seconds |= {"overview counted once": found.overview, "office counted once": found.office}
    size.pages = {page.path: page for page in found.pages}
    return size


async def before_the_vote(database: Database, folder: Path, size: Size) -> None:
    """Import, issue packs, plan a notice, look at the status."""
    members, roll = size.members, folder / f"roll-{size.members}.csv"
    write_roll(roll, members, joined_by=date(2022, 6, 3), random=Random(1))
    await make_poll(database)
    with size.step("import"):
        await import_roll(database, roll, SECRETS, by=GWEN, agreed=Agreed(sizes=True))
    with size.step("packs"):
        printing = packs.Printing(folder / f"print-{members}.csv", WAYS.bot_url)
        issued = await packs.issue(database, SECRETS, printing, by=GWEN)
    assert issued.packs == members
    async with database.writing() as connection:
        await connection.execute(text("ANALYZE"))
        made = await notices.draft(connection, Content("pack_delayed", "all"), ways=WAYS, by=GWEN)
        await notices.submit(connection, made.id, by=GWEN)
    async with database.reading() as connection:
        with size.step("notice previewed"):
            seen = await preview(connection, made, now=NOW)
    assert seen.members == members
    async with database.writing() as connection:
        await notices.approve(connection, made.id, by=By("Huw", "command line", NOW))
        with size.step("notice planned"):
            await sending.send(connection, made.id, by=GWEN)
    async with database.reading() as connection:
        with size.step("poll status"):
            await poll_facts(connection)
    size.facts["packs_ms"] = size.seconds["packs"] / members * 1000
    size.facts["import_ms"] = size.seconds["import"] / members * 1000


async def count_one(server: OwnServer, folder: Path, size: Size, ballots: int) -> None:
    """Measure close, tally and verify, at a size that fits this one."""
    database = await server.fresh(f"count_{ballots}")
    with tempfile.TemporaryDirectory(dir=folder) as own:
        took = await counted(database, Path(own), ballots)
    await database.close()
    size.seconds |= {
        "close": took.close.seconds,
        "tally": took.tally.seconds,
        "result": took.result.seconds,
        "verify": took.verifying.seconds,
    }
    size.memory["verify"] = took.verifying.memory
    size.facts["verify_ms"] = took.verifying.processor / ballots * 1000
    size.facts["tally_ms"] = took.tally.processor / ballots * 1000
    size.facts["archive_bytes"] = took.size / ballots


def say(tenth: Size, whole: Size) -> None:
    """Print both sizes side by side."""
    print(f"\n{'seconds of':32} {'a tenth':>10} {'ten times':>10} {'ratio':>7} {'MiB at most':>12}")
    for name, seconds in whole.seconds.items():
        before, memory = tenth.seconds[name], whole.memory.get(name)
        much = f"{memory:12,.0f}" if memory else ""
        print(f"{name:32} {before:10.2f} {seconds:10.2f} {seconds / before:7.1f} {much}")
    over = [name for name, seconds in whole.seconds.items() if seconds / tenth.seconds[name] > RATIO_MAX]
    print(f"  at most {RATIO_MAX:.0f} times: {'MISSED by ' + ', '.join(over) if over else 'met'}")
    heads = f"{'a tenth':>10} {'ten times':>10} {'ratio':>7} {'first':>10} {'ten times':>10}"
    print(f"\n{'milliseconds of a page':32} {heads}")
    for path, page in sorted(whole.pages.items(), key=lambda item: -item[1].median):
        before_page = tenth.pages[path]
        print(
            f"{path:32} {before_page.median * 1000:10.1f} {page.median * 1000:10.1f}"
            f" {page.median / before_page.median:7.1f} {before_page.first * 1000:10.1f} {page.first * 1000:10.1f}"
        )
    shown = {path: page for path, page in whole.pages.items() if not path.endswith(FILES)}
    slow = [path for path, page in shown.items() if page.median > MEDIAN_SECONDS_MAX]
    late = [path for path in shown if tenth.pages[path].first > FIRST_SECONDS_MAX]
    said = f"MISSED by {', '.join(slow)}" if slow else "met"
    print(f"  median of {MEDIAN_SECONDS_MAX * 1000:.0f} ms: {said}")
    first = f"first look of {FIRST_SECONDS_MAX * 1000:.0f} ms at a tenth"
    print(f"  {first}: {'MISSED by ' + ', '.join(late) if late else 'met'}")


def forget_peak() -> None:
    """Let the process's peak of memory begin again here, where Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mib() -> float:
    """Give the most memory that the process had since then, in MiB; 0 where it cannot be told."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    return 0.0
