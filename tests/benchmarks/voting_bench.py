"""Votes beside their arithmetic alone and a plain sqlite3 loop; roll import beside csv + executemany."""

import asyncio
import csv
import multiprocessing
import os
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from electorate import Letter, make_letters, open_electorate, press
from prepared import NOW, POLL, SECRETS, make_poll, options_of, read_phone

from voting.audit.signer import Signer
from voting.ballots.ballot import sign
from voting.ballots.check import check
from voting.ballots.credential import derive_secret
from voting.ballots.election import Question, make_election
from voting.ballots.group import base_times, random_scalar
from voting.ballots.seal import draw_randomness, seal
from voting.model import By
from voting.rehearsal.people import write_roll
from voting.roll.importing import import_roll
from voting.store.database import Database
from voting.store.upgrade import upgrade
from voting.votes.cast import Waiting

WAITING = (1, 16, 64, 256)
ROUNDS = 3
VOTES_PER_WAITING = {1: 200, 16: 800, 64: 1_600, 256: 2_400}
PLAIN_VOTES = 4_000
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
    """From codes to receipt: both codes checked, paper opened, ballot sealed and checked, vote locked; per second."""
    async with fresh(folder) as database:
        town = await open_electorate(database, letters=letters)

        async def votes(letter: Letter) -> None:
            assert (await town.votes(letter, letter.member_id % 2)).fresh

        return await crowd(waiting, letters, votes)


async def pressing(folder: Path, waiting: int, letters: list[Letter], *, ready: bool) -> float:
    """From the press to the receipt, papers opened before; `ready`: ballots sealed and checked too. Per second."""
    async with fresh(folder) as database:
        town = await open_electorate(database, letters=letters)
        presses: dict[int, Waiting] = {}

        async def opens(letter: Letter) -> None:
            presses[letter.member_id] = Waiting(press(await town.opens_paper(letter), letter.chat, 0), NOW)

        async def casts(letter: Letter) -> None:
            assert (await town.clerk._together.ask(presses[letter.member_id])).fresh

        await crowd(512, letters, opens)
        if ready:
            await town.clerk._make_ready(list(presses.values()))
            town.clerk._together._prepare = None
        return await crowd(waiting, letters, casts)


def arithmetic(number: int, uuid: str, trustee: int, *, derives: bool) -> float:
    """Do what no vote can do without, `number` times and nothing else; give the seconds."""
    question = Question("Who?", options_of(POLL), 1, 1)
    election = make_election(uuid=uuid, name="Raw", description="Raw", key=base_times(trustee), questions=[question])
    secret = random_scalar()
    with watch() as watched:
        for _ in range(number):
            if derives:
                secret = derive_secret("ABCDEFGHJ", "ABCDEFGHJKMN", uuid)
            sealed = seal(election, base_times(secret), [(1, 0)], draw_randomness(election))
            check(sign(sealed, secret, random_scalar()), election)
    return watched.seconds


def raw_limit(pool: ProcessPoolExecutor, votes: int, *, derives: bool) -> float:
    """Have every core do the arithmetic of votes, without any database; give votes per second."""
    cores = os.cpu_count() or 1
    one = partial(arithmetic, votes // cores, POLL.uuid, random_scalar(), derives=derives)
    with watch() as watched:
        for done in [pool.submit(one) for _ in range(cores)]:
            done.result()
    return votes // cores * cores / watched.seconds


async def votes(folder: Path, shrink: int) -> None:
    """Durable votes per second: the whole path, the press, and the lock alone, each beside its own limit."""
    letters = make_letters(POLL, max(VOTES_PER_WAITING.values()) // shrink)
    print(f"durable votes per second, SQLite, median of {ROUNDS}, each beside its limit, run before and after it:")
    print("  whole path: the credential's derivation, sealing and checking, on every core and with no database")
    print("  from the press: sealing and checking, the same way; lock alone: a loop of one vote per transaction")
    print(f"{'waiting':>8}" + "".join(f" {'limit':>9} {name:>14} {'ratio':>6}" for name in PARTS))
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        raw_limit(pool, 10, derives=True)  # so that every process has begun
        for waiting in WAITING:
            some = letters[: max(waiting * 2, VOTES_PER_WAITING[waiting] // shrink)]
            rounds = [await one_round(folder, waiting, some, pool) for _ in range(ROUNDS)]
            figures = [statistics.median(column) for column in zip(*rounds, strict=True)]
            triples = zip(*(figures[part::3] for part in range(3)), strict=True)
            print(
                f"{waiting:8}" + "".join(f" {limit:9,.0f} {ours:14,.0f} {ratio:6.2f}" for limit, ours, ratio in triples)
            )


async def one_round(folder: Path, waiting: int, letters: list[Letter], pool: ProcessPoolExecutor) -> list[float]:
    """Measure each part between two runs of its limit: the limit, our rate, and the ratio of both."""
    figures: list[float] = []
    for part, limit in PARTS.values():
        before = limit(folder, len(letters), pool)
        rate = await part(folder, waiting, letters)
        beside = (before + limit(folder, len(letters), pool)) / 2
        figures += [beside, rate, rate / beside]
    return figures


Part = Callable[[Path, int, list[Letter]], Awaitable[float]]
Limit = Callable[[Path, int, ProcessPoolExecutor], float]

PARTS: Final[dict[str, tuple[Part, Limit]]] = {
    "whole path": (whole_path, lambda _folder, votes, pool: raw_limit(pool, votes, derives=True)),
    "from the press": (
        partial(pressing, ready=False),
        lambda _folder, votes, pool: raw_limit(pool, votes, derives=False),
    ),
    "lock alone": (partial(pressing, ready=True), lambda folder, _votes, _pool: plain_loop(folder, PLAIN_VOTES)),
}


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
