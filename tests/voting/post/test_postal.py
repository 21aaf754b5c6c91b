"""Papers: one envelope is one vote however often it is scanned; a paper after a vote is set aside and reported."""

import asyncio
import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from kept_database import once
from prepared import (
    CLOSES_AT,
    NOW,
    POLL,
    SECRETS,
    chain_kinds,
    later,
    line,
    make_poll,
    open_with_key,
    rows,
    take_roll,
    write_roll,
)
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit.probes import run_probes
from voting.codes.codes import Kind as PackOrVote
from voting.codes.codes import generate
from voting.codes.scanned import read_scan
from voting.imports.report import ImportReport, Level
from voting.model import By, Phase
from voting.packs import packs
from voting.packs.packs import Printing
from voting.poll import polls
from voting.post import papers as postal_count
from voting.post import scans as postal
from voting.refusals import (
    FileUnreadable,
    PollNotOpen,
    PollOver,
    PollStillOpen,
    PostalCountDiffers,
    PostalCountWrong,
)
from voting.roll import roll
from voting.store.database import Database
from voting.votes.attempts import AttemptSeen, Kind

AT = "2022-08-03T10:00"
WAIT_SECONDS = 0.02
WAITS_MAX = 500


class World:
    """An open poll; members 1 to 4 hold packs whose codes are in `codes`, in the order they were issued."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.codes: dict[str, list[str]] = {}
        self.told: list[AttemptSeen] = []

    async def prepare(self, *, opened: bool = False) -> None:
        """Make the poll, or copy what was made before."""
        self.codes = await once(self.database, ("postal", opened), lambda: self._made(opened))

    async def _made(self, opened: bool) -> dict[str, list[str]]:
        await make_poll(self.database)
        lines = [line(str(number), name=f"Ada {number}") for number in range(1, 5)]
        await take_roll(self.database, write_roll(self.folder / "roll.csv", lines))
        await packs.issue(
            self.database, SECRETS, Printing(self.folder / "print.csv"), by=By("Gwen", "command line", NOW)
        )
        self.learn("print.csv")
        if opened:
            await open_with_key(self.database)
        return self.codes

    def learn(self, name: str) -> None:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self.codes.setdefault(row["member_no"], []).append(row["pack_code"])

    async def replace(self, member_no: str) -> None:
        printing = Printing(self.folder / "new.csv")
        for actor in ("Gwen", "Huw"):
            await packs.replace(
                self.database, SECRETS, member_no, printing, reason="lost", by=By(actor, "command line", NOW)
            )
        self.learn("new.csv")

    async def on_attempt(self, _connection: AsyncConnection, seen: AttemptSeen) -> None:
        self.told.append(seen)

    async def scan(
        self,
        *lines: str,
        at: datetime = NOW,
        dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Import rows; "1" stands for the first pack code of member 1, "1'" for that of the second pack."""
        path = self.folder / "postal.csv"
        filled = [",".join([self.code(cell), *rest]) for cell, *rest in (each.split(",") for each in lines)]
        path.write_text("\n".join(["pack_code,received_at,status", *filled, ""]), encoding="utf-8")
        by = By("Gwen", "command line", at)
        return await postal.import_postal(
            self.database, path, SECRETS, by=by, on_attempt=self.on_attempt, dry_run=dry_run, progress=progress
        )

    def code(self, cell: str) -> str:
        codes = self.codes.get(cell.removesuffix("'"))
        return codes[cell.count("'")] if codes else cell

    async def vote_online(self, connection: AsyncConnection, member_no: str) -> None:
        member = await roll.find(connection, member_no)
        found = select(schema.pack.c.id).where(schema.pack.c.member_id == member.id, schema.pack.c.state == "live")
        pack_id = await connection.scalar(found)
        paper = {"member_id": member.id, "pack_id": pack_id, "chat": "telegram:1"}
        await connection.execute(insert(schema.intent).values(id="i", opened_at=NOW, **paper))
        await connection.execute(insert(schema.lock).values(how="online", at=NOW, intent_id="i", receipt="r", **paper))

    async def papers(self) -> list[tuple[str, str, str, str | None]]:
        """Give member, status, outcome and reason of every paper."""
        async with self.database.reading() as connection:
            found = (
                select(schema.member.c.member_no, schema.paper.c.status, schema.paper.c.outcome, schema.paper.c.reason)
                .join(schema.pack, schema.pack.c.id == schema.paper.c.pack_id)
                .join(schema.member, schema.member.c.id == schema.pack.c.member_id)
                .order_by(schema.member.c.member_no, schema.pack.c.serial)
            )
            return [tuple(row) for row in await connection.execute(found)]

    async def locked(self) -> dict[str, str]:
        async with self.database.reading() as connection:
            found = select(schema.member.c.member_no, schema.lock.c.how).join(
                schema.lock, schema.lock.c.member_id == schema.member.c.id
            )
            return {row[0]: row[1] for row in await connection.execute(found)}

    async def papers_on_the_chain(self) -> dict[str, int]:
        chain = schema.chain.c
        bodies = [
            body
            for kind, body in await rows(self.database, schema.chain, chain.kind, chain.body)
            if kind == "papers_imported"
        ]
        return {name: sum(body[name] for body in bodies) for name in ("n_received", "n_rejected", "n_set_aside")}


def counted(report: ImportReport) -> tuple[int, int, int, int, int]:
    return tuple(report.counts().values())


@pytest.fixture
async def preparing(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path)
    await world.prepare()
    return world


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path)
    await world.prepare(opened=True)
    return world


async def test_a_paper_locks_its_member(world: World) -> None:
    report = await world.scan(f"1,{AT},received", "2,2022-08-02T12:00:00+00:00,received", "3,2022-08-03,rejected")

    assert counted(report) == (3, 0, 0, 0, 0)
    assert await world.locked() == {"1": "post", "2": "post", "3": "post"}
    assert await world.papers() == [
        ("1", "received", "locked", None),
        ("2", "received", "locked", None),
        ("3", "rejected", "rejected", None),
    ]
    assert await world.papers_on_the_chain() == {"n_received": 2, "n_rejected": 1, "n_set_aside": 0}
    assert world.told == []


async def test_scans_are_taken_as_local_time(world: World) -> None:
    await world.scan(f"1,{AT},received")

    assert await rows(world.database, schema.paper, schema.paper.c.received_at) == [(NOW.replace(hour=9),)]


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    scans = (f"1,{AT},received", f"2,{AT},rejected", f"9,{AT},received")
    await world.scan(*scans)
    before = await rows(world.database, schema.paper), await rows(world.database, schema.chain)

    report = await world.scan(*scans, at=later(days=1))

    assert counted(report) == (0, 0, 2, 1, 0)
    assert (await rows(world.database, schema.paper), await rows(world.database, schema.chain)) == before


async def test_one_envelope_scanned_twice_is_one_paper_and_nobody_s_fault(world: World) -> None:
    await world.scan(f"1,{AT},received")

    report = await world.scan(
        "1,2022-08-03T11:00,received", "2,2022-08-03T11:00,received", "2,2022-08-03T11:01,received"
    )

    assert counted(report) == (1, 0, 2, 0, 2)
    assert {row.reason for row in report.rows} == {"scanned before with another time: the same paper"}
    assert world.told == []


async def test_a_paper_that_turns_out_spoiled_is_no_vote_any_more_but_used_up(world: World) -> None:
    scans = (f"1,{AT},received", "1,2022-08-03T12:00,rejected")
    report = await world.scan(*scans)

    assert counted(report) == (1, 1, 0, 0, 1)
    assert counted(await world.scan(*scans)) == (0, 0, 2, 0, 1)
    assert await world.papers() == [("1", "rejected", "rejected", None)]
    assert await world.locked() == {"1": "post"}
    assert await world.papers_on_the_chain() == {"n_received": 0, "n_rejected": 1, "n_set_aside": 0}


async def test_a_stored_paper_that_turns_out_spoiled_is_changed(world: World) -> None:
    await world.scan(f"1,{AT},received", f"2,{AT},received")

    assert counted(await world.scan(f"1,{AT},rejected")) == (0, 1, 0, 0, 1)
    assert await world.papers() == [("1", "rejected", "rejected", None), ("2", "received", "locked", None)]
    assert await world.papers_on_the_chain() == {"n_received": 1, "n_rejected": 1, "n_set_aside": 0}


async def test_a_paper_after_an_online_vote_is_set_aside_and_reported_once(world: World) -> None:
    async with world.database.writing() as connection:
        await world.vote_online(connection, "1")

    report = await world.scan(f"1,{AT},received", f"2,{AT},received")
    again = await world.scan(f"1,{AT},received", f"2,{AT},received")
    spoiled = await world.scan(f"1,{AT},rejected")

    assert counted(report) == (2, 0, 0, 0, 1)
    assert [(row.level, row.member_no, row.reason) for row in report.rows] == [
        (Level.WARNING, "1", "set aside: the member has voted online")
    ]
    assert (counted(again), counted(spoiled)) == ((0, 0, 2, 0, 0), (0, 1, 0, 0, 1))
    assert [(seen.kind, seen.chat, seen.new) for seen in world.told] == [(Kind.POST_AFTER_ONLINE, None, True)]
    assert await world.locked() == {"1": "online", "2": "post"}
    assert (await world.papers())[0] == ("1", "rejected", "set_aside", "online_vote")


async def test_a_paper_of_a_replaced_pack_counts_for_nothing_and_against_nobody(world: World) -> None:
    await world.replace("1")

    report = await world.scan(f"1,{AT},received")

    assert [row.reason for row in report.rows] == ["set aside: its pack was replaced or void"]
    assert (await world.locked(), world.told) == ({}, [])
    await world.scan(f"1',{AT},received")
    assert await world.locked() == {"1": "post"}
    assert await world.papers() == [("1", "received", "set_aside", "dead_pack"), ("1", "received", "locked", None)]


async def test_a_stolen_paper_of_a_replaced_pack_after_the_owner_voted_online_opens_no_case(world: World) -> None:
    await world.replace("1")
    async with world.database.writing() as connection:
        await world.vote_online(connection, "1")

    report = await world.scan(f"1,{AT},received")

    assert [row.reason for row in report.rows] == ["set aside: its pack was replaced or void"]
    assert (await world.locked(), world.told) == ({"1": "online"}, [])


@pytest.mark.parametrize("together", [True, False], ids=["in one file", "in two"])
async def test_the_old_pack_s_paper_after_the_new_one_s_is_set_aside_without_a_case(
    world: World, together: bool
) -> None:
    await world.replace("1")
    files = [[f"1',{AT},received", f"1,{AT},received"]] if together else [[f"1',{AT},received"], [f"1,{AT},received"]]

    for scans in files:
        report = await world.scan(*scans)

    assert [row.reason for row in report.rows] == ["set aside: its pack was replaced or void"]
    assert world.told == []
    assert await world.locked() == {"1": "post"}


async def test_a_paper_of_somebody_who_may_not_vote_waits_until_they_may(world: World) -> None:
    async with world.database.writing() as connection:
        await roll.lapse(connection, "1", "unpaid", by=By("Gwen", "command line", NOW))
    report = await world.scan(f"1,{AT},received")
    again = await world.scan(f"1,{AT},received")
    assert [row.reason for row in report.rows] == ["set aside: the member may not vote"]
    assert (counted(again), await world.locked(), world.told) == ((0, 0, 1, 0, 0), {}, [])

    async with world.database.writing() as connection:
        await roll.restore(connection, "1", by=By("Gwen", "command line", NOW))
    report = await world.scan(f"1,{AT},received")

    assert counted(report) == (0, 1, 0, 0, 0)
    assert await world.papers() == [("1", "received", "locked", None)]
    assert await world.papers_on_the_chain() == {"n_received": 1, "n_rejected": 0, "n_set_aside": 0}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(f"ABC-DEF-GH,{AT},received", "not a pack code, or a slip in it", id="too short"),
        pytest.param(f",{AT},received", "not a pack code, or a slip in it", id="no code"),
        pytest.param("2,yesterday,received", "unreadable time 'yesterday': write it like 2022-08-01T09:00", id="words"),
        pytest.param("2,2022-08-05T10:00,received", "received in the future", id="two days from now"),
        pytest.param(f"2,{AT},lost", "unknown status 'lost': known are received, rejected", id="unknown status"),
        pytest.param("2,2022", "2 fields instead of 3", id="ragged"),
    ],
)
async def test_a_row_that_cannot_be_taken_never_stops_the_others(world: World, row: str, reason: str) -> None:
    report = await world.scan(row, f"1,{AT},received")

    assert [(each.line, each.level, each.reason) for each in report.rows] == [(2, Level.REJECTED, reason)]
    assert await world.locked() == {"1": "post"}


async def test_a_code_of_no_pack_is_rejected_without_being_repeated(world: World) -> None:
    code = generate(PackOrVote.PACK, POLL.id)
    report = await world.scan(f"{code},{AT},received")

    assert [row.reason for row in report.rows] == ["no pack has this code"]
    assert code not in repr(report)


async def test_a_slip_in_a_code_is_not_guessed_at(world: World) -> None:
    code = world.codes["1"][0]
    wrong = code[:-1] + ("3" if code[-1] == "2" else "2")

    report = await world.scan(f"{wrong},{AT},received", f"{code.lower().replace('-', ' ')},{AT},received")

    assert counted(report) == (1, 0, 0, 1, 0)


async def test_two_codes_in_one_cell_are_no_code(world: World) -> None:
    report = await world.scan(f"{world.codes['1'][0]} {world.codes['2'][0]},{AT},received")

    assert counted(report) == (0, 0, 0, 1, 0)


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        pytest.param("2022-09-02T16:59:59.999999", True, id="at the last moment"),
        pytest.param("2022-09-02T17:00", False, id="on the closing bell"),
    ],
)
async def test_what_came_in_time_may_be_imported_after_the_close(world: World, at: str, taken: bool) -> None:
    async with world.database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", CLOSES_AT))

    report = await world.scan(f"1,{at},received", at=CLOSES_AT)

    assert (await world.locked() == {"1": "post"}) is taken
    assert [row.reason for row in report.rows] == ([] if taken else ["received after the close"])


@pytest.mark.parametrize(
    ("phase", "refusal"),
    [pytest.param(Phase.PREPARING, PollNotOpen, id="preparing"), pytest.param(Phase.COUNTED, PollOver, id="counted")],
)
async def test_papers_are_taken_from_the_opening_to_the_count(
    preparing: World, phase: Phase, refusal: type[Exception]
) -> None:
    async with preparing.database.writing() as connection:
        await connection.execute(update(schema.poll).values(phase=phase))

    with pytest.raises(refusal):
        await preparing.scan(f"1,{AT},received")


async def test_a_dry_run_reports_the_same_and_leaves_no_trace(world: World) -> None:
    async with world.database.writing() as connection:
        await world.vote_online(connection, "2")
    before = await chain_kinds(world.database)
    done: list[int] = []

    told = await world.scan(f"1,{AT},received", f"2,{AT},received", dry_run=True, progress=done.append)

    assert (await world.papers(), await world.locked(), await chain_kinds(world.database)) == (
        [],
        {"2": "online"},
        before,
    )
    assert await rows(world.database, schema.attempt) == []
    assert done == [2]
    assert told == await world.scan(f"1,{AT},received", f"2,{AT},received")


async def test_a_file_of_scans_needs_its_columns(world: World) -> None:
    path = world.folder / "postal.csv"
    path.write_text("pack_code,status\n")

    with pytest.raises(FileUnreadable, match="received_at"):
        await postal.import_postal(world.database, path, SECRETS, by=By("Gwen", "command line", NOW))


async def test_an_online_vote_that_overtakes_the_scan_stands(world: World) -> None:
    """The vote commits after the import has looked for locks and before it can make its own."""
    async with world.database.writing() as connection:
        await world.vote_online(connection, "1")
        importing = asyncio.create_task(world.scan(f"1,{AT},received", f"2,{AT},received"))
        if not world.database.is_sqlite:  # there the import waits for its turn to write
            await until_somebody_waits(world.database)
    report = await importing

    assert counted(report) == (2, 0, 0, 0, 1)
    assert await world.locked() == {"1": "online", "2": "post"}
    assert [seen.kind for seen in world.told] == [Kind.POST_AFTER_ONLINE]


async def until_somebody_waits(database: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(WAITS_MAX):
        async with database.reading() as connection:
            if await connection.scalar(waiting):
                return
        await asyncio.sleep(WAIT_SECONDS)
    raise AssertionError("nobody waits")


async def test_the_probes_hold_after_every_kind_of_paper(world: World) -> None:
    await world.replace("1")
    await world.scan(f"1',{AT},received", f"1,{AT},received", f"2,{AT},rejected", f"3,{AT},received")
    await world.scan(f"3,{AT},rejected")

    async with world.database.reading() as connection:
        assert [probe for probe in await run_probes(connection) if not probe.holds] == []


@pytest.mark.parametrize(
    "written",
    [pytest.param("]C1{}", id="AIM"), pytest.param("c1{}", id="half"), pytest.param("*{}*", id="stars")],
)
async def test_a_scanner_s_own_marks_are_no_part_of_the_code(world: World, written: str) -> None:
    world.codes["marked"] = [written.format(world.codes["1"][0])]

    report = await world.scan(f"marked,{AT},RECEIVED")

    assert (report.rows, await world.locked()) == ([], {"1": "post"})


async def test_a_scanner_on_another_keyboard_is_told_of(world: World) -> None:
    world.codes["turned"] = [turned_code()]

    report = await world.scan(f"turned,{AT},received")

    expected = "not a pack code; with Y and Z exchanged it is one: set the scanner to this computer's keyboard"
    assert [row.reason for row in report.rows] == [expected]


def turned_code() -> str:
    """Give a code of this poll that a keyboard with Y and Z exchanged made none: its check finds nearly all of them."""
    while True:
        made = generate(PackOrVote.PACK, POLL.id)
        turned = made.translate(str.maketrans("YZ", "ZY"))
        if turned != made and read_scan(turned, POLL.id) is None:
            return turned


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param("2022-08-01T08:59", "received before the opening", id="a minute before"),
        pytest.param("2022-08-01T09:00", None, id="on the opening bell"),
        pytest.param("2022-08-01", None, id="on the day, without a time"),
        pytest.param("2022-07-31", "received before the opening", id="the day before"),
        pytest.param("1922-08-03T10:00", "received before the opening", id="another century"),
        pytest.param("03/08/2022 10:00", None, id="the day first: in March there was no poll"),
        pytest.param("01/08/2022 10:00", None, id="the day first: nor in January"),
        pytest.param("08/03/2022 10:00", "unreadable time '08/03/2022 10:00': write it like 2022-08-01T09:00", id="US"),
        pytest.param("25/07/2022 10:00", "received before the opening", id="one reading, too early"),
    ],
)
async def test_a_time_is_one_at_which_a_paper_could_come(world: World, written: str, reason: str | None) -> None:
    report = await world.scan(f"1,{written},received")

    assert [row.reason for row in report.rows] == ([] if reason is None else [reason])
    assert report.added == (1 if reason is None else 0)


async def test_a_rejected_paper_that_is_corrected_is_a_vote_and_both_are_on_the_chain(world: World) -> None:
    await world.scan(f"1,{AT},rejected")

    report = await world.scan(f"1,{AT},received")

    assert counted(report) == (0, 1, 0, 0, 1)
    assert [row.reason for row in report.rows] == [
        "rejected before, now received: it is a vote; both stay on the chain"
    ]
    assert await world.papers() == [("1", "received", "locked", None)]
    bodies = [body for _, body in await rows(world.database, schema.chain, schema.chain.c.seq, schema.chain.c.body)]
    said = [(body["n_received"], body["n_rejected"]) for body in bodies if "n_received" in body]
    assert said == [(0, 1), (1, -1)]


async def test_a_file_that_was_imported_before_corrects_nothing(world: World) -> None:
    """The same bytes once more are the same scans, not a correction of what came after them."""
    await world.scan(f"1,{AT},received")
    await world.scan(f"1,{AT},rejected")

    report = await world.scan(f"1,{AT},received")

    assert counted(report) == (0, 0, 1, 0, 0)
    assert await world.papers() == [("1", "rejected", "rejected", None)]


async def test_the_last_line_of_a_file_says_what_a_paper_is(world: World) -> None:
    await world.scan(f"1,{AT},received", f"1,{AT},rejected")

    report = await world.scan(f"2,{AT},received", f"1,{AT},received", f"1,{AT},rejected")

    assert counted(report) == (1, 0, 2, 0, 0)
    assert (await world.papers())[0] == ("1", "rejected", "rejected", None)


async def test_a_paper_that_was_set_aside_stays_so_whatever_is_corrected(world: World) -> None:
    async with world.database.writing() as connection:
        await world.vote_online(connection, "1")
    await world.scan(f"1,{AT},rejected")

    report = await world.scan(f"1,{AT},received")

    assert [row.reason for row in report.rows] == ["received now, but it was set aside before and stays unopened"]
    assert await world.papers() == [("1", "received", "set_aside", "online_vote")]
    assert len(world.told) == 1


class Counting:
    """A closed poll with two papers that are votes and one that was rejected."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.path = world.folder / "postal-count.csv"

    async def take(
        self, *lines: str, at: datetime = CLOSES_AT, justification: str = "", dry_run: bool = False
    ) -> postal_count.PostalCount:
        self.path.write_text("\n".join(["option,votes", *lines, ""]), encoding="utf-8")
        return await postal_count.import_count(
            self.world.database,
            self.path,
            by=By("Gwen", "command line", at),
            justification=justification,
            dry_run=dry_run,
        )

    async def latest(self) -> postal_count.PostalCount | None:
        async with self.world.database.reading() as connection:
            return await postal_count.latest(connection)


@pytest.fixture
async def counting(world: World) -> Counting:
    await world.scan(f"1,{AT},received", f"2,{AT},received", f"3,{AT},rejected")
    async with world.database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", CLOSES_AT))
    return Counting(world)


async def test_the_count_of_papers_is_kept_in_the_paper_s_order(counting: Counting) -> None:
    assert await counting.latest() is None

    count = await counting.take("South,2", "North,0", justification="not needed")

    assert count == postal_count.PostalCount(1, ((0, 2),), 2, None, "Gwen", CLOSES_AT)
    assert await counting.latest() == count
    assert (await chain_kinds(counting.world.database))[-1] == "postal_counted"


async def test_a_recount_is_a_new_version_and_the_same_again_is_none(counting: Counting) -> None:
    first = await counting.take("North,1", "South,1")
    again = await counting.take("North,1", "South,1", at=later(days=60))
    recount = await counting.take("North,2", "South,0", at=later(days=60))

    assert (first, recount.version) == (again, 2)
    assert await counting.latest() == recount


async def test_a_dry_count_leaves_no_trace(counting: Counting) -> None:
    assert (await counting.take("North,1", "South,1", dry_run=True)).votes == ((1, 1),)
    assert await counting.latest() is None


async def test_papers_and_scans_that_differ_need_a_reason(counting: Counting) -> None:
    with pytest.raises(PostalCountDiffers, match="3 papers but 2 were scanned"):
        await counting.take("North,1", "South,2", justification="  ")

    count = await counting.take("North,1", "South,2", justification=" one\u00ad envelope held\ttwo papers ")

    assert (count.scanned, count.justification) == (2, "one envelope held two papers")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        pytest.param(["North,2"], "does not name 'South'", id="option missing"),
        pytest.param(["North,1", "North,1"], "line 3 names 'North' again", id="option twice"),
        pytest.param(["North,1", "West,1"], "line 3 names 'West', which is no option", id="unknown option"),
        pytest.param(["North,1", "South,-1"], "line 3 has no whole number", id="below nothing"),
        pytest.param(["North,1", "South,²"], "line 3 has no whole number", id="another alphabet's digit"),
        pytest.param(["North,1", "South"], "line 3 cannot be read: 1 field instead", id="ragged"),
    ],
)
async def test_a_count_that_is_not_whole_is_refused(counting: Counting, lines: list[str], problem: str) -> None:
    with pytest.raises(PostalCountWrong, match=problem):
        await counting.take(*lines)

    assert await counting.latest() is None


async def test_papers_are_counted_between_the_close_and_the_count(world: World) -> None:
    counting = Counting(world)
    with pytest.raises(PollStillOpen):
        await counting.take("North,1", "South,1")
    async with counting.world.database.writing() as connection:
        await connection.execute(update(schema.poll).values(phase=Phase.COUNTED))
    with pytest.raises(PollOver):
        await counting.take("North,1", "South,1")
