"""Votes beside their arithmetic alone and a plain sqlite3 loop; roll import beside csv + executemany."""

import asyncio
import csv
import multiprocessing
import os
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import phonenumbers
from electorate import Letter, make_letters, open_electorate, press
from prepared import NOW, POLL, SECRETS, make_poll, options_of

from messages.roll_import import import_roll
from tests.benchmarks import scale
from voting.audit.signer import Signer
from voting.ballots.ballot import sign
from voting.ballots.check import check
from voting.ballots.credential import derive_secret
from voting.ballots.election import Question, make_election
from voting.ballots.group import base_times, random_scalar
from voting.ballots.seal import draw_randomness, seal
from voting.model import By
from voting.rehearsal.people import write_roll
from voting.store.database import Database
from voting.store.upgrade import upgrade
from voting.votes.cast import Waiting

WAITING = (1, 16, 64, 256)
KEPT_WAITING = 64  # for docs/scale.md
ROUNDS = 3
VOTES_PER_WAITING = {1: 200, 16: 800, 64: 1_600, 256: 2_400}
PLAIN_VOTES = 4_000
MEMBERS = 172_437
ROLL_RATIO_MAX = 2.0


class Watch:
    """How long a block took on the clock, and how much of the processor's time this process took for it."""

    seconds: float
    processor: float


class Pace(NamedTuple):
    """Votes per second, and milliseconds of one core's time for each."""

    per_second: float
    milliseconds: float

    @classmethod
    def of(cls, votes: int, seconds: float, processor: float) -> "Pace":
        """Give the pace of so many votes."""
        return cls(votes / seconds, processor / votes * 1_000)


@contextmanager
def watch() -> Iterator[Watch]:
    """Time a block."""
    watched, start, processor = Watch(), time.perf_counter(), time.process_time()
    yield watched
    watched.seconds, watched.processor = time.perf_counter() - start, time.process_time() - processor


@asynccontextmanager
async def fresh(folder: Path) -> AsyncIterator[Database]:
    """Give an empty, migrated SQLite database."""
    database = Database(f"sqlite+aiosqlite:///{folder / f'{time.monotonic_ns()}.db'}", Signer(SECRETS))
    await upgrade(database)
    try:
        yield database
    finally:
        await database.close()


def plain_loop(folder: Path, votes: int) -> Pace:
    """Lock one vote per transaction in a loop without any of our code, as durably."""
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
    return Pace.of(votes, watched.seconds, watched.processor)


async def crowd(waiting: int, letters: list[Letter], does: Callable[[Letter], Awaitable[None]]) -> Pace:
    """Have every letter do it, `waiting` at a time."""
    queue = iter(letters)

    async def some() -> None:
        for letter in queue:
            await does(letter)

    with watch() as watched:
        async with asyncio.TaskGroup() as group:
            for _ in range(waiting):
                group.create_task(some())
    return Pace.of(len(letters), watched.seconds, watched.processor)


async def whole_path(folder: Path, waiting: int, letters: list[Letter]) -> Pace:
    """From codes to receipt: both codes checked, paper opened, ballot sealed and checked, vote locked."""
    async with fresh(folder) as database:
        town = await open_electorate(database, letters=letters)

        async def votes(letter: Letter) -> None:
            assert (await town.votes(letter, letter.member_id % 2)).fresh

        return await crowd(waiting, letters, votes)


async def pressing(folder: Path, waiting: int, letters: list[Letter], *, ready: bool) -> Pace:
    """From the press to the receipt, papers opened before; `ready`: ballots sealed and checked too."""
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
    """Do what no vote can do without, `number` times and nothing else; give the processor's seconds."""
    question = Question("Who?", options_of(POLL), 1, 1)
    election = make_election(uuid=uuid, name="Raw", description="Raw", key=base_times(trustee), questions=[question])
    secret = random_scalar()
    with watch() as watched:
        for _ in range(number):
            if derives:
                secret = derive_secret("ABCDEFGHJ", "ABCDEFGHJKMN", uuid)
            sealed = seal(election, base_times(secret), [(1, 0)], draw_randomness(election))
            check(sign(sealed, secret, random_scalar()), election)
    return watched.processor


def raw_limit(pool: ProcessPoolExecutor, votes: int, *, derives: bool) -> Pace:
    """Have every core do the arithmetic of votes, without any database."""
    cores = os.cpu_count() or 1
    one = partial(arithmetic, votes // cores, POLL.uuid, random_scalar(), derives=derives)
    with watch() as watched:
        processor = sum(done.result() for done in [pool.submit(one) for _ in range(cores)])
    return Pace.of(votes // cores * cores, watched.seconds, processor)


async def votes(folder: Path, shrink: int) -> None:
    """Durable votes per second: the whole path, the press, and the lock alone, each beside its own limit."""
    letters = make_letters(POLL, max(VOTES_PER_WAITING.values()) // shrink)
    print(f"durable votes per second, SQLite, median of {ROUNDS}, each beside its limit, run before and after it:")
    print("  whole path: the credential's derivation, sealing and checking, on every core and with no database")
    print("  from the press: sealing and checking, the same way; lock alone: a loop of one vote per transaction")
    print("  ms: of one core's time for each vote, of the limit and of ours, whatever else the machine does")
    print(f"{'waiting':>8}" + "".join(f" {'limit':>7} {name:>14} {'ratio':>5} {'ms':>5} {'ms':>5}" for name in PARTS))
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        raw_limit(pool, 10, derives=True)  # so that every process has begun
        for waiting in WAITING:
            some = letters[: max(waiting * 2, VOTES_PER_WAITING[waiting] // shrink)]
            rounds = [await one_round(folder, waiting, some, pool) for _ in range(ROUNDS)]
            parts = [median_of(part) for part in zip(*rounds, strict=True)]
            print(f"{waiting:8}" + "".join(map(columns, parts)), flush=True)
            if waiting == KEPT_WAITING:
                whole = parts[list(PARTS).index("whole path")]
                figures = {"votes": len(some), "waiting": waiting, "vote_ms": whole.our_milliseconds}
                scale.keep("votes", figures)


class Beside(NamedTuple):
    """What a part did, and its limit beside it."""

    limit: float
    ours: float
    ratio: float
    limit_milliseconds: float
    our_milliseconds: float


async def one_round(folder: Path, waiting: int, letters: list[Letter], pool: ProcessPoolExecutor) -> list[Beside]:
    """Measure each part between two runs of its limit."""
    figures = []
    for part, limit in PARTS.values():
        before = limit(folder, len(letters), pool)
        pace = await part(folder, waiting, letters)
        both = Pace(*(map(statistics.mean, zip(before, limit(folder, len(letters), pool), strict=True))))
        ratio = pace.per_second / both.per_second
        figures.append(Beside(both.per_second, pace.per_second, ratio, both.milliseconds, pace.milliseconds))
    return figures


def median_of(rounds: Sequence[Beside]) -> Beside:
    """Give the median of each figure."""
    return Beside(*map(statistics.median, zip(*rounds, strict=True)))


def columns(part: Beside) -> str:
    """Write a part's figures under their names."""
    times = f"{part.limit_milliseconds:5.2f} {part.our_milliseconds:5.2f}"
    return f" {part.limit:7,.0f} {part.ours:14,.0f} {part.ratio:5.2f} {times}"


Part = Callable[[Path, int, list[Letter]], Awaitable[Pace]]
Limit = Callable[[Path, int, ProcessPoolExecutor], Pace]

PARTS: Final[dict[str, tuple[Part, Limit]]] = {
    "whole path": (whole_path, lambda _folder, votes, pool: raw_limit(pool, votes, derives=True)),
    "from the press": (
        partial(pressing, ready=False),
        lambda _folder, votes, pool: raw_limit(pool, votes, derives=False),
    ),
    "lock alone": (partial(pressing, ready=True), lambda folder, _votes, _pool: plain_loop(folder, PLAIN_VOTES)),
}


def raw_import(folder: Path, path: Path, *, numbers: bool) -> float:
    """Read the roll with csv and insert its rows with executemany; `numbers`: read by phonenumbers too. CPU seconds."""
    with closing(sqlite3.connect(folder / f"{time.monotonic_ns()}.db")) as connection, path.open(newline="") as file:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        rows: Iterator[list[str]] = csv.reader(file)
        columns = next(rows)
        connection.execute(f"CREATE TABLE member ({', '.join(columns)}, UNIQUE (member_no))")
        began = time.process_time()
        marks, place = ", ".join("?" * len(columns)), columns.index("phone")
        read = ([*row[:place], _read(row[place]), *row[place + 1 :]] for row in rows)
        connection.executemany(f"INSERT INTO member VALUES ({marks})", read if numbers else rows)
        connection.commit()
        return time.process_time() - began


def _read(written: str) -> str | None:
    """Read a number as one does who reads numbers with phonenumbers."""
    try:
        number = phonenumbers.parse(written, "GB")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def roll_import(folder: Path, shrink: int) -> None:
    """Roll import, with the channels that come of it and duplicates looked for, beside two ways that do less."""
    print("\nseconds of processor to import the roll; beside it csv + phonenumbers + sqlite3 executemany (at most")
    print(f"{ROLL_RATIO_MAX:.0f}x of that are allowed), and the same without phonenumbers")
    for members in (MEMBERS // shrink // 10, MEMBERS // shrink):
        path = folder / f"roll-{members}.csv"
        write_roll(path, members, joined_by=date(2022, 6, 3), random=Random(1))
        raw, plain = raw_import(folder, path, numbers=True), raw_import(folder, path, numbers=False)
        async with fresh(folder) as database:
            await make_poll(database)
            began = time.process_time()
            await import_roll(database, path, SECRETS, by=By("Gwen", "command line", NOW))
            ours = time.process_time() - began
        print(
            f"{members:10,} rows: ours {ours:6.2f} s; beside {raw:6.2f} s, ratio {ours / raw:4.2f};"
            f" without phonenumbers {plain:5.2f} s, ratio {ours / plain:4.1f}"
        )
