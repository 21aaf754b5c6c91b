"""No page reads the roll: what its statements touch is counted, in rows or in steps of SQLite, and not in time."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from console_house import WAYS, ConsoleHouse, Visitor, console_house, fill
from prepared import NOW
from sqlalchemy import Table, event, insert, text
from sqlalchemy.engine import make_url

from bot.console import compose, kept, lists, notice_counts
from bot.console.pages import environment
from bot.console.routes import table
from bot.console.snapshot import Snapshots
from bot.console.visit import Console
from messages.notices import notices, sending
from messages.notices.model import Content
from messages.schema import channel
from voting import schema
from voting.model import By
from voting.store.database import Database

MEMBERS = 6_000
FIRST = 1_000  # the number of the first: the house's own members come before
TOUCHED_MAX = {"postgresql": 1_000, "sqlite": 10_000}  # rows; steps, of which a row takes some ten
AFTER = (FIRST + MEMBERS // 4, FIRST + MEMBERS - 20)
HAS_NO_END = "/live"
PLACES = {"{case_id:int}": "1", "{alert_id:int}": "1", "{member_no:path}": "0005000", "{upload_id:str}": "0" * 24}

WHOLE_TABLES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")

BOTH = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def town(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ConsoleHouse]:
    """A console over many members, half of whom have voted, in which what was counted once is never too old."""
    for module in (kept, notice_counts, compose):
        monkeypatch.setattr(module, "monotonic", lambda: 1_000.0)
    async with console_house(database, tmp_path) as town:
        await fill(town)
        await grow(town)
        yield town


async def grow(town: ConsoleHouse) -> None:
    numbers = range(FIRST, FIRST + MEMBERS)
    await write(town, schema.member, (member(number) for number in numbers))
    await write(town, schema.pack, (pack(number) for number in numbers if number % 11))
    await write(town, channel, (way(number) for number in numbers if number % 7))
    voted = numbers[: MEMBERS // 2]
    await write(town, schema.lock, (lock(number) for number in voted if number % 11))
    await send(town)
    async with town.database.writing() as connection:
        await connection.execute(text("UPDATE delivery SET state = 'sent' WHERE id % 3 = 0 AND state = 'ready'"))
        if not town.database.is_sqlite:  # which does so by itself after a while
            await connection.execute(text("ANALYZE"))


async def write(town: ConsoleHouse, into: Table, rows: Iterator[dict[str, object]]) -> None:
    async with town.database.writing() as connection:
        await connection.execute(insert(into), list(rows))


def member(number: int) -> dict[str, object]:
    area = ("Wales", "Kent")[number % 2]
    fixed = {"language": "en-GB", "country": "GB", "eligible": True}
    return {"id": number, "member_no": f"{number:07}", "area": area, **fixed}


def pack(number: int) -> dict[str, object]:
    ids = {"id": number, "member_id": number, "serial": 1, "pack_hash": number.to_bytes(32, "big")}
    return {**ids, "state": "live", "issued_at": NOW - timedelta(days=1)}


def way(number: int) -> dict[str, object]:
    fixed = {"kind": "telegram", "state": "on", "since": NOW}
    return {"member_id": number, "address": str(10_000_000 + number), **fixed}


def lock(number: int) -> dict[str, object]:
    return {"member_id": number, "how": "post", "at": NOW + timedelta(seconds=number), "pack_id": number}


async def send(town: ConsoleHouse) -> None:
    now = town.clock()
    by = By("Carys", "console", now)
    async with town.database.writing() as connection:
        made = await notices.draft(connection, Content("pack_delayed", "all"), ways=WAYS, by=by)
        await notices.submit(connection, made.id, by=by)
        await notices.approve(connection, made.id, by=By("Gwen", "chat", now))
        await sending.send(connection, made.id, by=by)


# -- what a page touches -------------------------------------------------------------------


@contextmanager
def heard(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Give the statements that are executed meanwhile, as the driver gets them."""
    said: list[tuple[str, Any]] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: object, _context: object, _many: object) -> None:
        said.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", hear)


@asynccontextmanager
async def touching(database: Database) -> AsyncIterator[Any]:
    """Give what tells how much a statement touches."""
    if database.is_sqlite:
        with closing(sqlite3.connect(str(database.url.database))) as connection:

            async def steps(statement: str, parameters: Any) -> int:
                taken = 0

                def step() -> int:
                    nonlocal taken
                    taken += 10
                    return 0

                connection.set_progress_handler(step, 10)
                connection.execute(statement, parameters).fetchall()
                return taken

            yield steps
        return
    plain = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    # A small table is read whole because that is quick; the question is whether it could do without.
    driver = await asyncpg.connect(plain, server_settings=dict.fromkeys(WHOLE_TABLES, "off"))

    async def rows(statement: str, parameters: Any) -> int:
        explained = await driver.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", *parameters)
        return read_in(json.loads(explained)[0]["Plan"])

    yield rows
    await driver.close()


def read_in(plan: Mapping[str, Any]) -> int:
    """Give how many rows a plan read from tables and indexes, those it then left out too."""
    here = 0
    if "Relation Name" in plan or plan["Node Type"] == "Bitmap Index Scan":
        left_out = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        here = round((plan["Actual Rows"] + left_out) * plan["Actual Loops"])
    return here + sum(read_in(part) for part in plan.get("Plans", []))


async def touched(visitor: Visitor, town: ConsoleHouse, path: str) -> int:
    """Look at a page a second time, when what is counted once has been counted, and tell how much it touches."""
    await visitor.looks(path)
    with heard(town.database) as said:
        answer = await visitor.looks(path)
    assert answer.status_code < 500, path
    asked = [(statement, parameters) for statement, parameters in said if statement.startswith("SELECT")]
    assert asked, path
    async with touching(town.database) as touches:
        return sum([await touches(statement, parameters) for statement, parameters in asked])


# -- pages ---------------------------------------------------------------------------------


def paths(town: ConsoleHouse, notice: int) -> list[str]:
    screens, _ = table(Console(town.house, town, environment(), Snapshots(town.house)))
    found = []
    for screen in screens:
        path = screen.path
        for place, value in {**PLACES, "{notice_id:int}": str(notice)}.items():
            path = path.replace(place, value)
        if path != HAS_NO_END and not path.endswith(".csv"):
            found.append(path)
    paged = ["/packs", f"/notices/{notice}/report", *(f"/lists/{one.name}" for one in lists.LISTINGS if one.paged)]
    further = [f"{path}?after={after}" for path in paged for after in AFTER]
    return [*found, *further, "/members?q=000", "/deliveries?member_no=0005000", "/notices?before=100"]


@BOTH
async def test_no_page_reads_the_roll(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        much = {path: await touched(visitor, town, path) for path in paths(town, 5)}
    limit = TOUCHED_MAX[town.database.url.get_backend_name()]

    assert {path: count for path, count in much.items() if count > limit} == {}
    assert len(much) > 40
