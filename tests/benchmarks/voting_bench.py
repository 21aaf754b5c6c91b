"""Votes beside a plain sqlite3 loop of one vote per transaction; count, verify and roll import beside the raw limit."""

import asyncio
import csv
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Final
from unittest.mock import patch

import counting
from electorate import Letter, make_letters, open_electorate
from prepared import NOW, POLL, SECRETS, make_poll, read_phone

from voting.audit.signer import Signer
from voting.model import By
from voting.rehearsal.people import write_roll
from voting.roll.importing import import_roll
from voting.store.database import Database
from voting.store.upgrade import upgrade
from voting.verify.verify import verify
from voting.votes import clerk
from voting.votes.cast import Cast, Waiting

WAITING = (1, 16, 64, 256)
ROUNDS = 3
VOTES_PER_WAITING = {1: 600, 16: 4_000, 64: 8_000, 256: 16_000}
PLAIN_VOTES = 8_000
BALLOTS = 141_725
MEMBERS = 172_437


class Watch:
    """How long a block took."""

    seconds: float


@contextmanager
def watch() -> Iterator[Watch]:
    """Time a block."""
    watched, start = Watch(), time.perf_counter()
    yield watched
    watched.seconds = time.perf_counter() - start


@asynccontextmanager
async def fresh(folder: Path) -> AsyncIterator[Database]:
    """Give an empty, migrated SQLite database."""
    database = Database(f"sqlite+aiosqlite:///{folder / f'{time.monotonic_ns()}.db'}", Signer(SECRETS))
    await upgrade(database)
    try:
        yield database
    finally:
        await database.close()


def plain_loop(folder: Path, votes: int) -> float:
    """Lock one vote per transaction in a loop without any of our code, as durably; give votes per second."""
    with closing(sqlite3.connect(folder / f"{time.monotonic_ns()}.db", isolation_level=None)) as connection:
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE member (id INTEGER PRIMARY KEY, locked_at INTEGER)",
            "CREATE TABLE ballot (id BLOB PRIMARY KEY, option INTEGER) WITHOUT ROWID",
        ):
            connection.execute(statement)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO member (id) VALUES (?)", ((n,) for n in range(votes)))
        connection.execute("COMMIT")
        random = Random(1)
        with watch() as watched:
            for n in range(votes):
                connection.execute("BEGIN IMMEDIATE")
                locked = connection.execute(
                    "UPDATE member SET locked_at = ? WHERE id = ? AND locked_at IS NULL", (n, n)
                )
                assert locked.rowcount == 1
                connection.execute("INSERT INTO ballot VALUES (?, ?)", (random.randbytes(16), n % 2))
                connection.execute("COMMIT")
    return votes / watched.seconds


async def crowd(waiting: int, letters: list[Letter], does: Callable[[Letter], Awaitable[None]]) -> float:
    """Have every letter do it, `waiting` at a time; give how many did per second."""
    queue = iter(letters)

    async def some() -> None:
        for letter in queue:
            await does(letter)

    with watch() as watched:
        async with asyncio.TaskGroup() as group:
            for _ in range(waiting):
                group.create_task(some())
    return len(letters) / watched.seconds


async def whole_path(folder: Path, waiting: int, letters: list[Letter]) -> float:
    """From codes to receipt: both codes checked, paper opened, ballot sealed, vote locked; give votes per second."""
    async with fresh(folder) as database:
        town = await open_electorate(database, letters=letters)

        async def votes(letter: Letter) -> None:
            assert (await town.votes(letter, letter.member_id % 2)).fresh

        return await crowd(waiting, letters, votes)


async def press(folder: Path, waiting: int, letters: list[Letter], *, sealed_before: bool) -> float:
    """From the press to the receipt, papers opened before; `sealed_before`: ballots too. Give votes per second."""
    async with fresh(folder) as database:
        town = await open_electorate(database, letters=letters)
        presses: dict[int, Waiting] = {}

        async def opens(letter: Letter) -> None:
            cast = Cast(await town.opens_paper(letter), letter.chat, 0)
            presses[letter.member_id] = Waiting(cast, NOW)

        async def presses_button(letter: Letter) -> None:
            assert (await town.clerk._together.ask(presses[letter.member_id])).fresh

        await crowd(512, letters, opens)
        with ExitStack() as stack:
            if sealed_before:
                clerk._seal(await town.clerk._form(), list(presses.values()))
                stack.enter_context(patch.object(clerk, "_seal", nothing_to_seal))
            return await crowd(waiting, letters, presses_button)


def nothing_to_seal(_form: object, _together: object) -> None:
    """Stand for the sealing where it was done before."""


async def votes(folder: Path, shrink: int) -> None:
    """Durable casts per second: the whole path, seal and lock, and the lock alone, each beside the plain loop."""
    letters = make_letters(POLL, max(VOTES_PER_WAITING.values()) // shrink)
    print(f"durable votes per second, SQLite, median of {ROUNDS}; ratios to the plain loop, run before and after each")
    print(f"{'waiting':>8} {'plain loop':>11}" + "".join(f" {name:>14} {'ratio':>6}" for name in PARTS))
    for waiting in WAITING:
        some = letters[: max(waiting * 4, VOTES_PER_WAITING[waiting] // shrink)]
        rounds = [await one_round(folder, waiting, some, PLAIN_VOTES // shrink) for _ in range(ROUNDS)]
        plain, *figures = map(statistics.median, zip(*rounds, strict=True))
        ours = zip(figures[::2], figures[1::2], strict=True)
        print(f"{waiting:8} {plain:11,.0f}" + "".join(f" {rate:14,.0f} {ratio:6.2f}" for rate, ratio in ours))


async def one_round(folder: Path, waiting: int, letters: list[Letter], plain_votes: int) -> list[float]:
    """Measure the plain loop, then each part with the plain loop again after it: its rate and its ratio."""
    before = plain_loop(folder, plain_votes)
    figures = [before]
    for part in PARTS.values():
        rate = await part(folder, waiting, letters)
        after = plain_loop(folder, plain_votes)
        figures += [rate, rate / ((before + after) / 2)]
        before = after
    return figures


PARTS: Final[dict[str, Callable[[Path, int, list[Letter]], Awaitable[float]]]] = {
    "whole path": whole_path,
    "seal and lock": partial(press, sealed_before=False),
    "lock alone": partial(press, sealed_before=True),
}


async def counting_of(folder: Path, ballots: int) -> tuple[float, float]:
    """Count a poll of this many ballots and verify its bundle; give the seconds of both."""
    async with fresh(folder) as database:
        letters = make_letters(POLL, ballots)
        town = await open_electorate(database, letters=letters)

        async def votes(letter: Letter) -> None:
            await town.votes(letter, letter.member_id % 2)

        await crowd(512, letters, votes)
        await counting.close(town)
        with watch() as count:
            bundle = await counting.counted(town, folder)
    with watch() as check:
        verdict = await asyncio.to_thread(verify, bundle)
    assert verdict.ok
    return count.seconds, check.seconds


async def count_and_verify(folder: Path, shrink: int) -> None:
    """Open + count, and verify, at full size and at a tenth."""
    print("\nseconds to open and count the box, and to verify the bundle")
    for ballots in (BALLOTS // shrink // 10, BALLOTS // shrink):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            count, check = await counting_of(Path(own), ballots)
        print(
            f"{ballots:10,} ballots: count {count:6.2f} s ({ballots / count:9,.0f}/s), "
            f"verify {check:6.2f} s ({ballots / check:9,.0f}/s)"
        )


def raw_import(folder: Path, path: Path) -> float:
    """Read the roll with csv and insert its rows with executemany, and nothing else; give the seconds."""
    with closing(sqlite3.connect(folder / f"{time.monotonic_ns()}.db")) as connection, path.open(newline="") as file:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        rows = csv.reader(file)
        columns = next(rows)
        connection.execute(f"CREATE TABLE member ({', '.join(columns)}, UNIQUE (member_no))")
        with watch() as watched:
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO member VALUES ({marks})", rows)
            connection.commit()
    return watched.seconds


async def roll_import(folder: Path, shrink: int) -> None:
    """Roll import, numbers parsed and duplicates looked for, beside csv + executemany."""
    print("\nseconds to import the roll, beside csv + sqlite3 executemany")
    for members in (MEMBERS // shrink // 10, MEMBERS // shrink):
        path = folder / f"roll-{members}.csv"
        write_roll(path, members, joined_by=date(2022, 6, 3), random=Random(1))
        raw = raw_import(folder, path)
        async with fresh(folder) as database:
            await make_poll(database)
            with watch() as ours:
                await import_roll(database, path, SECRETS, read_phone=read_phone, by=By("Gwen", "command line", NOW))
        print(f"{members:10,} rows: ours {ours.seconds:6.2f} s, raw {raw:6.2f} s, ratio {ours.seconds / raw:5.1f}")
