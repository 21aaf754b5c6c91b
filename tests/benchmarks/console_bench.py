"""Every page of the console with 172,437 members, each with packs, ways to be reached, votes and two large notices.

Beside it a bare Starlette page on the same server with the same client: what the web alone costs.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import httpx
from console_house import AREAS, MEMBERS, WAYS, ConsoleHouse, Visitor, console_house, fill
from prepared import NOW, SECRETS
from sqlalchemy import Table, insert, text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.console.pages import environment
from bot.console.routes import table
from bot.console.snapshot import Snapshots
from bot.console.visit import Console
from bot.edge.server import Server, bind
from messages.notices import notices, sending
from messages.notices.model import Content
from messages.schema import channel
from voting import schema
from voting.audit.signer import Signer
from voting.model import By
from voting.store.database import Database
from voting.store.upgrade import upgrade

WHOLE_ROLL = 172_437
MEDIAN_SECONDS_MAX = 0.300
ROUNDS = 9
AT_ONCE = 20_000  # rows of one statement
CASES = 500
STREAMS = {"/live"}  # has no end
FILES = ".csv"  # everybody, as a file: no page
PLACES = {
    "{case_id:int}": "1",
    "{member_no:str}": "0150007",
    "{upload_id:str}": "0" * 24,
}


@dataclass
class Measured:
    """How long a page took, in seconds; the first look is kept apart, for then nothing is remembered yet."""

    path: str
    status: int = 0
    first: float = 0.0
    rest: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.rest)

    @property
    def worst(self) -> float:
        return max([self.first, *self.rest])


@dataclass(frozen=True)
class Looked:
    """How long every page took; `overview`, `office`: how long their numbers, counted once."""

    pages: list[Measured]
    bare: float
    overview: float
    office: float


async def looked(database: Database, folder: Path, members: int) -> Looked:
    """Fill an empty database with so many members, and look at every page."""
    async with console_house(database, folder) as town:
        await fill(town)
        sent, moving = await _grow(town, members)
        bare = await _bare_page()
        fresh = Snapshots(town.house)
        overview, office = await _seconds(fresh.latest()), await _seconds(fresh.office.latest())
        async with town.visitor("Gwen") as visitor:
            pages = [await _measure(visitor, path) for path in _paths(town, sent, moving)]
    return Looked(pages, bare, overview, office)


async def console(folder: Path, shrink: int) -> None:
    """Print each page's median and worst answer."""
    members = WHOLE_ROLL // shrink
    url = f"sqlite+aiosqlite:///{folder / 'ballotline.db'}"
    database = Database(url, Signer(SECRETS))
    await upgrade(database)
    found = await looked(database, folder, members)
    await database.close()
    pages, bare = found.pages, found.bare
    print(f"console: {members:,} members; a bare Starlette page takes {bare * 1000:.1f} ms")
    for page in sorted(pages, key=lambda page: -page.median):
        print(
            f"  {page.path:32} {page.status}  median {page.median * 1000:6.1f} ms"
            f"  first {page.first * 1000:7.1f}  worst {page.worst * 1000:7.1f}"
        )
    pages = [page for page in pages if not page.path.endswith(FILES)]
    slow = [page.path for page in pages if page.median > MEDIAN_SECONDS_MAX]
    worst = max(page.median for page in pages)
    print(
        f"  worst median {worst * 1000:.0f} ms ({worst / bare:.0f} x bare), target <= {MEDIAN_SECONDS_MAX * 1000:.0f}:"
        f" {'MISSED by ' + ', '.join(slow) if slow else 'met'}"
    )


async def _seconds(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _paths(town: ConsoleHouse, sent: int, moving: int) -> list[str]:
    """Give every page's address; those of a notice for one that is done and for one on its way."""
    screens, _ = table(Console(town.house, town, environment(), Snapshots(town.house)))
    found: list[str] = []
    for screen in screens:
        path = screen.path
        for place, value in PLACES.items():
            path = path.replace(place, value)
        if path in STREAMS:
            continue
        found += [path.replace("{notice_id:int}", str(number)) for number in dict.fromkeys((sent, moving))]
    return [*dict.fromkeys(found), "/members?q=015", "/deliveries?member_no=0150007", "/packs?after=90000"]


async def _measure(visitor: Visitor, path: str) -> Measured:
    measured = Measured(path)
    for number in range(1 + ROUNDS):
        began = time.perf_counter()
        answer = await visitor.client.get(f"/console{path}")
        took = time.perf_counter() - began
        measured.status = answer.status_code
        assert answer.status_code < 500, path
        if number:
            measured.rest.append(took)
        else:
            measured.first = took
    return measured


async def _bare_page() -> float:
    async def page(_request: Request) -> Response:
        return PlainTextResponse("hello")

    async with _served([Route("/", page)]) as url, httpx.AsyncClient(base_url=url) as client:
        took = []
        for _ in range(50):
            began = time.perf_counter()
            await client.get("/")
            took.append(time.perf_counter() - began)
    return statistics.median(took)


@asynccontextmanager
async def _served(routes: list[Route]) -> AsyncIterator[str]:
    taken = bind("127.0.0.1", 0)
    serving = asyncio.create_task(Server(routes).run_on(taken))
    try:
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        taken.close()


# -- a whole roll ------------------------------------------------------------------------


async def _grow(town: ConsoleHouse, members: int) -> tuple[int, int]:
    """Let the roll be as large as on the day, half of it voted; give a notice that is done and one on its way."""
    numbers = range(MEMBERS + 1, members + 1)
    await _write(town, schema.member, (_member(number) for number in numbers))
    await _write(town, schema.pack, (_pack(number) for number in numbers))
    await _write(town, channel, (row for number in numbers for row in _ways(number)))
    voted = range(numbers[0], members // 2)
    await _write(town, schema.intent, (_intent(number) for number in voted if number % 3))
    await _write(town, schema.lock, (_lock(number) for number in voted))
    cases = range(numbers[0], numbers[0] + min(CASES, len(voted)))
    await _write(town, schema.case, (_case(number) for number in cases))
    await _write(town, schema.attempt, (_attempt(number) for number in cases))
    sent, moving = [await _send(town) for _ in range(2)]
    async with town.database.writing() as connection:
        told = "UPDATE delivery SET state = CASE id % 9 WHEN 0 THEN 'failed' WHEN 1 THEN 'delivered' ELSE 'sent' END,"
        told += " reason = CASE id % 9 WHEN 0 THEN '30005' END, sent_at = not_before, settled_at = not_before"
        await connection.execute(text(f"{told} WHERE state = 'ready' AND notice_id = {sent}"))
        await connection.execute(text(f"{told} WHERE state = 'ready' AND notice_id = {moving} AND id % 2 = 1"))
        await connection.execute(text(f"UPDATE notice SET state = 'done', ended_at = planned_at WHERE id = {sent}"))
    return sent, moving


async def _send(town: ConsoleHouse) -> int:
    now = town.clock()
    async with town.database.writing() as connection:
        by = By("Carys", "console", now)
        made = await notices.draft(connection, Content("pack_delayed", "all"), ways=WAYS, by=by)
        await notices.submit(connection, made.id, by=by)
        await notices.approve(connection, made.id, by=By("Gwen", "chat", now))
        await sending.send(connection, made.id, by=by)
    return made.id


async def _write(town: ConsoleHouse, into: Table, rows: Iterator[dict[str, object]]) -> None:
    while batch := [row for _, row in zip(range(AT_ONCE), rows, strict=False)]:
        async with town.database.writing() as connection:
            await connection.execute(insert(into), batch)


def _member(number: int) -> dict[str, object]:
    return {
        "id": number,
        "member_no": f"{number:07}",
        "language": "cy" if number % 9 == 0 else "en-GB",
        "area": AREAS[number % 4],
        "country": "GB",
        "eligible": number % 50 != 0,
        "phone": f"+4477{number:08}" if number % 3 else None,
        "phone_reason": None if number % 3 else "missing",
    }


def _pack(number: int) -> dict[str, object]:
    return {
        "id": number,
        "member_id": number,
        "serial": 1,
        "pack_hash": number.to_bytes(32, "big"),
        "state": "live",
        "issued_at": NOW - timedelta(days=1),
        "dispatched_on": date(2022, 8, 2) if number % 6 else None,
        "delivered_on": date(2022, 8, 4) if number % 6 and number % 5 else None,
        "returned_on": None,
    }


def _ways(number: int) -> Iterator[dict[str, object]]:
    if number % 3:
        yield {"member_id": number, "kind": "sms", "address": f"+4477{number:08}", "state": "on", "since": NOW}
    if number % 2:
        state = "blocked" if number % 10 == 1 else "on"
        yield {"member_id": number, "kind": "telegram", "address": str(number), "state": state, "since": NOW}


def _intent(number: int) -> dict[str, object]:
    chat = f"telegram:{number}"
    return {"id": f"intent-{number}", "member_id": number, "pack_id": number, "chat": chat, "opened_at": NOW}


def _lock(number: int) -> dict[str, object]:
    online = number % 3 != 0
    return {
        "member_id": number,
        "how": "online" if online else "post",
        "at": NOW + timedelta(seconds=number * 6),
        "pack_id": number,
        "intent_id": f"intent-{number}" if online else None,
        "receipt": f"R{number}" if online else None,
        "chat": f"telegram:{number}" if online else None,
    }


def _case(number: int) -> dict[str, object]:
    return {"id": number, "member_id": number, "opened_at": NOW, "state": "open", "version": 1}


def _attempt(number: int) -> dict[str, object]:
    return {
        "id": number,
        "case_id": number,
        "member_id": number,
        "kind": "foreign",
        "at": NOW,
        "chat": "telegram:5",
        "pack_id": number,
        "occasion": f"case {number}",
    }
