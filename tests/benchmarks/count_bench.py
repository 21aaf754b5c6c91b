"""The count of a whole poll: tally, decrypt, result, and beside them what it takes to verify the bundle.

Every ballot is sealed for itself, under its own credential and with its own random numbers; nothing is copied. What is
repeated costs the count nothing: one question of two options, three votes for the first to two for the second, one
moment of the press for all, and no member has more than one pack. The chain has one entry for every 250 ballots; it has
between one and 256 in a real poll, so that more of `chain.jsonl` is written and read there.
"""

import asyncio
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from unittest.mock import patch

import counting
from prepared import GWEN, NOW, SECRETS, make_poll
from sqlalchemy import insert
from trustee_town import dealt

from tests.benchmarks.own_postgres import trust
from tests.benchmarks.verifying import Verification, verified
from tests.benchmarks.voting_bench import fresh, watch
from voting import schema
from voting.audit import chain
from voting.ballots.ballot import ballot_digest, sign
from voting.ballots.credential import credentials_digest
from voting.ballots.election import Election
from voting.ballots.group import Point, base_times, random_scalar, write_point
from voting.ballots.mark import mark_of
from voting.ballots.packed import pack
from voting.ballots.seal import draw_randomness, seal
from voting.count import count as count_module
from voting.count.count import begin, finish
from voting.count.readiness import said
from voting.count.tally import find_tally
from voting.model import By, Poll
from voting.poll import polls
from voting.poll.election import election_of, trustees_of
from voting.store.database import Database
from voting.trustees.dealer import Dealt
from voting.trustees.decrypt import Verified, decrypt
from voting.verify import format as form
from voting.verify.ballots import cores

BALLOTS = 141_725
SMALL = 2_000
TOGETHER = 250  # ballots under one entry of the chain, and made in one task of the pool
MILLISECONDS_EACH = 4.5  # of one core, for a ballot: made, counted, and checked
BYTES_EACH = 11_000  # of disk, for a ballot: database, log, the bundle of both steps while one takes the other's place


class Cast(NamedTuple):
    """A ballot made by nobody: what is stored of it."""

    credential: Point
    packed: bytes
    digest: bytes


@dataclass
class Polled:
    """A poll that everybody on its roll has voted in, and its key."""

    database: Database
    poll: Poll
    dealt: Dealt = field(default_factory=dealt)


class Unchecked:
    """Stands in the count for what `verify` found: that is measured at the end, once, by itself."""

    ok = True


def make_credentials(number: int) -> list[tuple[int, Point]]:
    """Draw secrets, with their public halves."""
    secrets = [random_scalar() for _ in range(number)]
    return [(secret, base_times(secret)) for secret in secrets]


def make_ballots(election: Election, credentials: Sequence[tuple[int, Point]]) -> list[Cast]:
    """Seal and sign a ballot with each credential, three for the first option to two for the second."""
    made = []
    for number, (secret, public) in enumerate(credentials):
        choices = [(1, 0) if number % 5 < 3 else (0, 1)]
        sealed = seal(election, public, choices, draw_randomness(election))
        ballot = sign(sealed, secret, random_scalar())
        made.append(Cast(public, pack(ballot), ballot_digest(ballot)))
    return made


async def voted(database: Database, ballots: int) -> Polled:
    """Make a poll of so many members, and store their ballots as the lock does; sealed on every core."""
    poll = await make_poll(database)
    parts = [min(TOGETHER, ballots - first) for first in range(0, ballots, TOGETHER)]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        credentials = list(pool.map(make_credentials, parts))
        async with database.writing() as connection:
            await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=GWEN)
            issued = [write_point(public) for part in credentials for _, public in part]
            body = {"packs": ballots, "print_sha256": "0" * 64, "credentials": credentials_digest(issued)}
            entry = await chain.append(connection, "packs_issued", body, by=GWEN)
            await trust(connection)
            for place, part in enumerate(credentials):
                rows = [
                    (place * TOGETHER + number, public, entry.seq) for number, (_, public) in enumerate(part, start=1)
                ]
                await connection.execute(insert(schema.member), [member_row(number) for number, _, _ in rows])
                await connection.execute(insert(schema.pack), [pack_row(*row) for row in rows])
            poll = await polls.open_poll(connection, by=GWEN)
        for place, made in enumerate(pool.map(partial(make_ballots, election_of(poll)), credentials)):
            await store(database, place * TOGETHER, made)
    return Polled(database, poll)


async def store(database: Database, before: int, made: Sequence[Cast]) -> None:
    """Lock the members after the first `before` with these ballots, under one entry."""
    async with database.writing() as connection:
        body = {"n": len(made), "ballots": sorted(cast.digest.hex() for cast in made)}
        entry = await chain.append(connection, "votes_locked", body, by=By.system(NOW))
        people = list(enumerate(made, start=before + 1))
        await trust(connection)
        await connection.execute(insert(schema.ballot), [{**cast._asdict(), "entry": entry.seq} for cast in made])
        await connection.execute(insert(schema.intent), [intent_row(number) for number, _ in people])
        await connection.execute(
            insert(schema.lock), [lock_row(number, mark_of(cast.digest)) for number, cast in people]
        )


def member_row(number: int) -> dict[str, object]:
    """Give a member."""
    words = {"member_no": f"{number:07}", "language": "en-GB", "area": "Wales", "country": "GB"}
    return {"id": number, "eligible": True, **words}


def pack_row(number: int, credential: Point, entry: int) -> dict[str, object]:
    """Give the member's pack."""
    fixed = {"serial": 1, "state": "live", "issued_at": NOW, "pack_hash": number.to_bytes(32, "big")}
    return {"id": number, "member_id": number, "credential": credential, "issued_entry": entry, **fixed}


def intent_row(number: int) -> dict[str, object]:
    """Give the member's voting paper."""
    chat = f"telegram:{number}"
    return {"id": f"intent-{number}", "member_id": number, "pack_id": number, "chat": chat, "opened_at": NOW}


def lock_row(number: int, mark: str) -> dict[str, object]:
    """Give the member's lock."""
    by = {"how": "online", "at": NOW, "pack_id": number, "intent_id": f"intent-{number}"}
    return {"member_id": number, "receipt": mark, "chat": f"telegram:{number}", **by}


class Timed(Protocol):
    """What a step took."""

    seconds: float
    processor: float


Step = Callable[[str], AbstractContextManager[Timed]]


class Counted(NamedTuple):
    """What each step of a count took, and the verification of its bundle; `size`: the archive's bytes."""

    making: Timed
    close: Timed
    tally: Timed
    decrypting: Timed
    result: Timed
    verifying: Verification
    size: int


async def counted(database: Database, folder: Path, ballots: int, step: Step = lambda _name: watch()) -> Counted:
    """Count a poll of this many ballots, and verify its bundle; `step` times each step."""
    with step("ballots made") as making:
        town = await voted(database, ballots)
    with step("close") as close:
        await counting.close(town)
    bundle, by = folder / "bundle", {"secrets": SECRETS, "by": GWEN}
    with patch.object(count_module, "verify", lambda *_, **__: Unchecked()):
        with step("tally") as tally:
            await begin(database, bundle, **by)  # type: ignore[arg-type]
        with step("decrypt") as decrypting:
            decryptions = await decrypt_all(town, folder, bundle)
        with step("result") as result:
            await finish(database, decryptions, bundle, **by)  # type: ignore[arg-type]
    with step("verify"):
        verifying = await asyncio.to_thread(verified, bundle)
    size = (bundle / form.archive_name(town.poll.uuid)).stat().st_size
    return Counted(making, close, tally, decrypting, result, verifying, size)


async def counting_of(folder: Path, ballots: int) -> None:
    """Count a poll of this many ballots, verify its bundle, and print the seconds of both."""
    async with fresh(folder) as database:
        took = await counted(database, folder, ballots)
    steps, verifying = (took.tally, took.decrypting, took.result), took.verifying
    seconds, processor = sum(step.seconds for step in steps), sum(step.processor for step in steps)
    print(
        f"{ballots:10,} {took.making.seconds:9.1f}"
        + "".join(f" {step.seconds:9.2f}" for step in steps)
        + f" {seconds:9.2f} {processor:9.2f} {ballots / seconds:9,.0f}"
        + f" {verifying.seconds:9.2f} {verifying.processor:9.2f} {ballots / verifying.seconds:9,.0f}"
        + f" {verifying.memory:9,.0f}",
        flush=True,
    )


async def decrypt_all(town: Polled, folder: Path, bundle: Path) -> list[Path]:
    """Have two trustees decrypt the bundle's tally."""
    async with town.database.reading() as connection:
        closed = await said(connection, form.BALLOTS_CLOSED)
    assert closed is not None
    tally = find_tally(bundle, town.poll, closed["tally"])
    assert tally is not None
    verified = Verified(election_of(town.poll).written, trustees_of(town.poll).data, tally)
    paths = []
    for share in counting.share_files(town, folder / "shares")[:2]:
        paths.append(folder / f"decryption-{share.name}")
        decrypt(share, paths[-1], lambda: verified)
    return paths


async def count(folder: Path, shrink: int) -> None:
    """Tally + decrypt + result, and verify, at a small size and at a tenth of that."""
    await sizes(folder, (SMALL // shrink // 10, SMALL // shrink))


async def full(folder: Path, shrink: int) -> None:
    """The same at full size and at a tenth of it; says first what it takes."""
    ballots = BALLOTS // shrink
    minutes = 1.1 * ballots * MILLISECONDS_EACH / 60_000 / cores()
    print(f"\ncounting {ballots:,} ballots, and a tenth of them: about {minutes:,.0f} minutes if nothing else runs on")
    print(f"{cores()} cores like those it was written on, and {ballots * BYTES_EACH / 1e9:,.1f} GB in {folder.parent}")
    await sizes(folder, (ballots // 10, ballots))


HEADS: Final = (
    *("ballots", "making", "tally", "decrypt", "result", "in all", "processor", "a second"),
    *("verify", "processor", "a second", "memory"),
)


async def sizes(folder: Path, ballots: Sequence[int]) -> None:
    """Print a line for each size."""
    print(
        "\nseconds to count sealed ballots, and to verify the bundle; the count does that too, after tally and result"
    )
    print("making: ballots sealed on every core and stored; processor: seconds of all cores together")
    print(f"memory: MiB of the verifier's {cores() + 1} processes together, each at its peak")
    print(f"{HEADS[0]:>10}" + "".join(f" {name:>9}" for name in HEADS[1:]), flush=True)
    for number in ballots:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            await counting_of(Path(own), number)
