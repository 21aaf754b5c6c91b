"""Every page of the console with 172,437 members, each with packs, ways to be reached, votes and two large notices.

Beside it a bare Starlette page on the same server with the same client: what the web alone costs.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from console_house import ConsoleHouse, Visitor, console_house, fill
from prepared import SECRETS
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.console import handbook
from bot.console.pages import environment
from bot.console.routes import table
from bot.console.snapshot import Snapshots
from bot.console.visit import Console
from bot.edge.server import Server, bind
from tests.benchmarks.console_fill import grow
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

WHOLE_ROLL: Final = 172_437
MEDIAN_SECONDS_MAX: Final = 0.300
ROUNDS: Final = 9
ROUNDS_MIN, SECONDS_ENOUGH = 3, 10.0  # of looking at one page
PATIENCE_SECONDS: Final = 120.0
NO_PAGES: Final = ("/live", "/help/pictures/")  # one has no end, others are files
FILES: Final = ".csv"  # everybody, as a file: no page
PLACES: Final = {
    "{case_id:int}": "1",
    "{upload_id:str}": "0" * 24,
    "{page}": handbook.INDEX,
    "{language}/{name}": "en/overview.webp",
}


@dataclass
class Measured:
    """How long a page took, in seconds; the first look is kept apart, for then nothing is remembered yet."""

    path: str
    status: int = 0  # 0: it never answered
    first: float = 0.0
    rest: list[float] = field(default_factory=list)
    processor: float = 0.0  # of a look, ours and the database's, where that was measured

    @property
    def median(self) -> float:
        return statistics.median(self.rest or [self.first])

    @property
    def worst(self) -> float:
        return max([self.first, *self.rest])

    @property
    def looks(self) -> int:
        return 1 + len(self.rest)

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500

    @property
    def is_page(self) -> bool:
        return not self.path.endswith(FILES)


def judge(pages: list[Measured]) -> str:
    """Say which pages are slow, and which did not answer."""
    slow = [page.path for page in pages if page.is_page and page.median > MEDIAN_SECONDS_MAX]
    failed = [f"{page.path} ({page.status})" for page in pages if page.failed]
    said = f"MISSED by {', '.join(slow)}" if slow else "met"
    return f"{said}; FAILED: {', '.join(failed)}" if failed else said


@asynccontextmanager
async def grown(database: Database, folder: Path, members: int) -> AsyncIterator[tuple[ConsoleHouse, list[str]]]:
    """Fill an empty database with so many members; give the console, and the address of every page."""
    async with console_house(database, folder) as town:
        await fill(town)
        sent, moving = await grow(town, members)
        yield town, _paths(town, members, sent, moving)


@asynccontextmanager
async def officer(town: ConsoleHouse) -> AsyncIterator[Visitor]:
    """Come as an officer who waits as long as it takes."""
    async with town.visitor("Gwen") as visitor:
        visitor.client.timeout = httpx.Timeout(PATIENCE_SECONDS)
        yield visitor


async def console(folder: Path, shrink: int) -> None:
    """Print each page's median and worst answer."""
    members = WHOLE_ROLL // shrink
    database = Database(f"sqlite+aiosqlite:///{folder / 'ballotline.db'}", Signer(SECRETS))
    await upgrade(database)
    async with grown(database, folder, members) as (town, paths), officer(town) as visitor:
        bare = await _bare_page()
        pages = [await look(visitor, path) for path in paths]
    await database.close()
    print(f"console: {members:,} members; a bare Starlette page takes {bare * 1000:.1f} ms")
    for page in sorted(pages, key=lambda page: -page.median):
        print(
            f"  {page.path:32} {page.status}  median {page.median * 1000:6.1f} ms"
            f"  first {page.first * 1000:7.1f}  worst {page.worst * 1000:7.1f}"
        )
    worst = max(page.median for page in pages if page.is_page)
    target = f"target <= {MEDIAN_SECONDS_MAX * 1000:.0f}"
    print(f"  worst median {worst * 1000:.0f} ms ({worst / bare:.0f} x bare), {target}: {judge(pages)}")


async def look(visitor: Visitor, path: str) -> Measured:
    """Look at a page again and again, at a file twice; one that does not answer, or fails, is looked at no more."""
    measured, began = Measured(path), time.perf_counter()
    for number in range(1 + ROUNDS):
        asked = time.perf_counter()
        try:
            measured.status = (await visitor.client.get(f"/console{path}")).status_code
        except httpx.TimeoutException:
            measured.status = 0
        took = time.perf_counter() - asked
        if number:
            measured.rest.append(took)
        else:
            measured.first = took
        if measured.failed or (number and not measured.is_page):
            break
        if number >= ROUNDS_MIN and time.perf_counter() - began > SECONDS_ENOUGH:
            break
    return measured


def _paths(town: ConsoleHouse, members: int, sent: int, moving: int) -> list[str]:
    """Give every page's address; those of a notice for one that is done and for one on its way."""
    screens, _ = table(Console(town.house, town, environment(), Snapshots(town.house)))
    member_no, found = f"{members // 2 + 7:07}", []
    places = PLACES | {"{member_no:path}": member_no}
    for screen in screens:
        path = screen.path
        if path.startswith(NO_PAGES):
            continue
        for place, value in places.items():
            path = path.replace(place, value)
        assert "{" not in path.replace("{notice_id:int}", ""), f"{path} is to be given a value here"
        found += [path.replace("{notice_id:int}", str(number)) for number in dict.fromkeys((sent, moving))]
    return [
        *dict.fromkeys(found),
        "/members?q=000",
        f"/deliveries?member_no={member_no}",
        f"/packs?after={members // 2}",
    ]


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
