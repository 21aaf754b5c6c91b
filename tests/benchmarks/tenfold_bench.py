"""Ten times the roll beside a tenth of it, on PostgreSQL: what takes ten times as long, and what takes no longer.

Every page of the console is looked at, on a poll as it stands on the day. Ballots are counted. Members are imported
from a roll's file, get packs, and a notice is planned for them. Each at both sizes, and a row is printed when its step
is done: who stops the run keeps what was measured.
"""

import tempfile
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from prepared import GWEN, NOW, SECRETS, make_poll
from sqlalchemy import text

from bot.console.snapshot import Snapshots
from messages.notices import notices, sending
from messages.notices.model import Content
from messages.notices.preview import preview
from messages.roll_import import import_roll
from messages.words.wording import Ways
from tests.benchmarks import scale
from tests.benchmarks.console_bench import MEDIAN_SECONDS_MAX, Measured, grown, judge, look, officer
from tests.benchmarks.count_bench import counted
from tests.benchmarks.own_postgres import own_server
from tests.benchmarks.spent import WIDTH, Ledger, Spent, heads
from voting.imports.report import Agreed
from voting.model import By
from voting.packs import packs
from voting.poll.status import poll_facts
from voting.rehearsal.people import write_roll

MEMBERS: Final = 1_724_370
BALLOTS: Final = 200_000
RATIO_MAX: Final = 11.0
FIRST_SECONDS_MAX: Final = 0.5
MINUTES_FULL, GIGABYTES_FULL = 60, 12
WAYS: Final = Ways(bot_url="https://t.me/ballot_bot")

PAGE_HEADS: Final = ("first", "median", "ratio", "ours", "server's", "status")

Pages = dict[str, Measured]


async def tenfold(folder: Path, shrink: int) -> None:
    """Print the tables; say first how long they take and how much disk."""
    members, ballots = MEMBERS // shrink, BALLOTS // shrink
    print(f"\n{members:,} members and {ballots:,} ballots beside a tenth of both, on PostgreSQL:")
    print(f"about {MINUTES_FULL / shrink:,.0f} minutes if nothing else runs on two cores like those it was written on,")
    print(f"and {GIGABYTES_FULL / shrink:,.1f} GB in {tempfile.gettempdir()}; ours, server's: seconds of processor,")
    print(f"of all our processes and of all of PostgreSQL's; ratio: to a tenth; a page: milliseconds\n{heads()}")
    with own_server() as server:
        tenth = Ledger(server, members // 10)
        whole = Ledger(server, members, tenth)
        few = await pages_of(tenth, folder, {})
        many = await pages_of(whole, folder, few)
        say_pages(few, many)
        await count_one(tenth, folder, ballots // 10)
        figures = await count_one(whole, folder, ballots)
        await before_the_vote(tenth, folder)
        figures |= await before_the_vote(whole, folder)
    for by, over in zip(("the clock", "the processor"), whole.over(RATIO_MAX), strict=True):
        print(f"  at most {RATIO_MAX:.0f} times by {by}: {'MISSED by ' + ', '.join(over) if over else 'met'}")
    scale.keep("tenfold", {"members": members, "ballots": ballots, **figures})


async def pages_of(size: Ledger, folder: Path, before: Pages) -> Pages:
    """Look at every page of the console, on a poll as it stands on the day; what it counts is counted once apart."""
    own = folder / f"console-{size.members}"
    own.mkdir()
    database, pages = await size.server.fresh(f"console_{size.members}"), {}
    async with AsyncExitStack() as stack:
        with size.step("(console's poll made)"):
            town, paths = await stack.enter_async_context(grown(database, own, size.members))
        fresh = Snapshots(town.house)
        with size.step("overview counted once"):
            await fresh.latest()
        with size.step("office counted once"):
            await fresh.office.latest()
        visitor = await stack.enter_async_context(officer(town))
        print(f"{'':{WIDTH}} {'members':>10}" + "".join(f" {head:>9}" for head in PAGE_HEADS))
        for path in paths:
            with size.measured() as spent:
                pages[path] = page = await look(visitor, path)
            page.processor = spent.all_processor / page.looks
            print(page_row(page, size.members, spent, before.get(path)), flush=True)
    await database.close()
    return pages


def page_row(page: Measured, members: int, spent: Spent, before: Measured | None) -> str:
    """Write a page's row: milliseconds on the clock, and of processor for each look."""
    ratio = f"{page.median / before.median:.1f}" if before else ""
    figures = (page.first, page.median, spent.processor / page.looks, spent.server / page.looks)
    first, median, ours, server = (f"{figure * 1000:9,.1f}" for figure in figures)
    return f"{page.path:{WIDTH}} {members:10,} {first} {median} {ratio:>9} {ours} {server} {page.status or 'none':>9}"


def say_pages(tenth: Pages, whole: Pages) -> None:
    """Say whether pages are quick enough."""
    dear = [path for path, page in whole.items() if page.is_page and page.processor > MEDIAN_SECONDS_MAX]
    late = [path for path, page in tenth.items() if page.is_page and page.first > FIRST_SECONDS_MAX]
    print(f"  median of {MEDIAN_SECONDS_MAX * 1000:.0f} ms: {judge(list(whole.values()))}")
    print(f"  {MEDIAN_SECONDS_MAX * 1000:.0f} ms of processor: {'MISSED by ' + ', '.join(dear) if dear else 'met'}")
    first = f"first look of {FIRST_SECONDS_MAX * 1000:.0f} ms at a tenth"
    print(f"  {first}: {'MISSED by ' + ', '.join(late) if late else 'met'}\n{heads()}", flush=True)


async def before_the_vote(size: Ledger, folder: Path) -> dict[str, float]:
    """Import, issue packs, plan a notice, look at the status."""
    members, roll, name = size.members, folder / f"roll-{size.members}.csv", f"roll_{size.members}"
    with size.step("(roll's file made)"):
        write_roll(roll, members, joined_by=date(2022, 6, 3), random=Random(1))
    database = await size.server.fresh(name)
    await make_poll(database)
    with size.step("import") as importing:
        await import_roll(database, roll, SECRETS, by=GWEN, agreed=Agreed(sizes=True))
    with size.step("packs") as printing:
        issued = await packs.issue(
            database, SECRETS, packs.Printing(folder / f"print-{members}.csv", WAYS.bot_url), by=GWEN
        )
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
        with size.step("notice planned") as planning:
            await sending.send(connection, made.id, by=GWEN)
    async with database.reading() as connection:
        with size.step("poll status"):
            await poll_facts(connection)
    await database.close()
    return {
        "import_ms": each(importing, members),
        "packs_ms": each(printing, members),
        "notice_ms": each(planning, members),
        "database_bytes_per_member": await size.server.size(name) / members,
    }


async def count_one(size: Ledger, folder: Path, ballots: int) -> dict[str, float]:
    """Close, tally and verify, with as many ballots as fit this size."""
    name = f"count_{ballots}"
    database = await size.server.fresh(name)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        took = await counted(database, Path(own), ballots, size.step)
    await database.close()
    print(f"{'':{WIDTH}} {ballots:10,} ballots; the verifier's processes had {took.verifying.memory:,.0f} MiB together")
    return {
        "tally_ms": each(size.steps["tally"], ballots),
        "verify_ms": each(size.steps["verify"], ballots),
        "archive_bytes": took.size / ballots,
        "database_bytes_per_ballot": await size.server.size(name) / ballots,
    }


def each(spent: Spent, number: int) -> float:
    """Give the milliseconds of processor, ours and the server's, for one of so many."""
    return spent.all_processor / number * 1000
