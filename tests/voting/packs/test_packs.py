"""Packs: codes in the clear are in the print file only; a pack works once, and two people replace it."""

import csv
import hashlib
import io
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from prepared import (
    GWEN,
    NOW,
    POLL,
    SECRETS,
    WINDOW,
    chain_kinds,
    later,
    line,
    make_poll,
    rows,
    take_roll,
    write_roll,
)
from sqlalchemy import insert, select, update

from voting import schema
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.group import write_point
from voting.codes.codes import Kind, hash_pack, parse, printed
from voting.codes.pack_word import word_for
from voting.imports.report import ImportReport, Level
from voting.model import By, Phase
from voting.packs import drawing, packs, print_file
from voting.packs.packing import imported_rolls
from voting.packs.packs import Asked, Issued, Printing
from voting.packs.print_file import PrintFile
from voting.poll import polls
from voting.refusals import (
    Fault,
    FileUnreadable,
    MemberHasVoted,
    NeedsSecondPerson,
    NoLivePack,
    NotEligible,
    PollOver,
    PrintFileExists,
    PrintFileUnwritable,
    RecipientUnusable,
    ReplacementUnknown,
    RollFileGone,
    UnknownMember,
)
from voting.roll import roll
from voting.roll.rows import COLUMNS
from voting.store.database import Database

BOT_URL = "https://t.me/example_bot?start=pack"


class World:
    """A poll with a roll of five: 1 to 4 may vote, 5 joined too late."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.roll = folder / "roll.csv"

    async def issue(
        self,
        name: str = "print.csv",
        *,
        recipient: str | None = None,
        roll_paths: tuple[Path, ...] = (),
        progress: Callable[[int], None] | None = None,
        random: Callable[[int], int] | None = None,
        mark: bool = False,
    ) -> Issued:
        printing = Printing(self.folder / name, BOT_URL, recipient, roll_paths, mark=mark)
        return await packs.issue(self.database, SECRETS, printing, by=GWEN, progress=progress, random=random)

    async def replace(self, member_no: str, actor: str, name: str = "new.csv", *, at: datetime = NOW) -> Asked | Issued:
        printing, by = Printing(self.folder / name, BOT_URL), By(actor, "command line", at)
        return await packs.replace(self.database, SECRETS, member_no, printing, reason="lost", by=by)

    async def ask(self, member_no: str, actor: str = "Gwen") -> Asked:
        async with self.database.writing() as connection:
            return await packs.ask_replacement(connection, member_no, "lost", by=By(actor, "command line", NOW))

    async def approve(self, member_no: str, actor: str) -> None:
        async with self.database.writing() as connection:
            await packs.approve_replacement(connection, member_no, by=By(actor, "command line", NOW))

    async def lock(self, member_no: str) -> None:
        async with self.database.writing() as connection:
            member = await roll.find(connection, member_no)
            pack_id = await connection.scalar(
                select(schema.pack.c.id).where(schema.pack.c.member_id == member.id, schema.pack.c.state == "live")
            )
            await connection.execute(
                insert(schema.lock).values(member_id=member.id, how="post", at=NOW, pack_id=pack_id)
            )

    async def states(self) -> list[tuple[str, int, str]]:
        async with self.database.reading() as connection:
            columns = (schema.member.c.member_no, schema.pack.c.serial, schema.pack.c.state)
            found = select(*columns).join(schema.pack, schema.pack.c.member_id == schema.member.c.id)
            return [tuple(row) for row in await connection.execute(found.order_by(*columns))]

    def printed(self, name: str = "print.csv") -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    async def events(
        self, *lines: str, dry_run: bool = False, progress: Callable[[int], None] | None = None
    ) -> ImportReport:
        path = self.folder / "events.csv"
        path.write_text("\n".join(["member_no,event,on", *lines, ""]), encoding="utf-8")
        by = By("Gwen", "command line", later(days=9))
        return await packs.update_events(self.database, path, SECRETS, by=by, dry_run=dry_run, progress=progress)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    await make_poll(database)
    world = World(database, tmp_path)
    members = [line(str(number), name=f"Ada {number}", postcode=f"Y{number}") for number in range(1, 5)]
    await take_roll(database, write_roll(world.roll, [*members, line("5", joined_on="2022-07-01")]))
    return world


async def test_everybody_who_may_vote_gets_one_pack_and_its_codes_are_hashed(world: World) -> None:
    issued = await world.issue()

    lines = world.printed()
    assert issued == Issued(4, world.folder / "print.csv", eligible=4, sources=(world.roll,))
    assert [row["member_no"] for row in lines] == ["1", "2", "3", "4"]
    assert lines[0]["name"] == "Ada 1"
    assert lines[0]["bot_url"] == BOT_URL
    pack_code = lines[0]["pack_code"].replace("-", "")
    digest = hash_pack(SECRETS.code_key, POLL.id, pack_code)
    stored = {
        row[0]: row[1]
        for row in await rows(world.database, schema.pack, schema.pack.c.pack_hash, schema.pack.c.credential)
    }
    vote_code = lines[0]["vote_code"].replace("-", "")
    assert stored[digest] == public_credential(derive_secret(pack_code, vote_code, POLL.uuid))
    assert lines[0]["word"] == word_for(SECRETS.code_key, digest)
    assert parse(lines[0]["pack_code"], POLL.id)


async def test_plain_codes_are_nowhere_but_in_the_print_file(world: World) -> None:
    await world.issue()

    kept = repr([await rows(world.database, table) for table in (schema.pack, schema.chain, schema.roll_file)])
    for row in world.printed():
        for code in (row["pack_code"], row["vote_code"]):
            assert code not in kept
            assert code.replace("-", "") not in kept
    assert (world.folder / "print.csv").stat().st_mode & 0o777 == 0o600


async def test_the_chain_knows_the_print_file_by_its_digest(world: World) -> None:
    await world.issue()

    body = (await rows(world.database, schema.chain, schema.chain.c.seq, schema.chain.c.body))[-1][1]
    digest = hashlib.sha256((world.folder / "print.csv").read_bytes()).hexdigest()
    written = sorted(credential for _, credential, _, _ in await credentials(world))
    expected = hashlib.sha256("\n".join(written).encode()).hexdigest()
    assert body == {"packs": 4, "print_sha256": digest, "credentials": expected}


async def credentials(world: World) -> list[tuple[str, str, int, int | None]]:
    """Give member_no, credential as it is written, and the entries that issued and ended it."""
    async with world.database.reading() as connection:
        pack, member = schema.pack, schema.member
        columns = (member.c.member_no, pack.c.credential, pack.c.issued_entry, pack.c.ended_entry)
        found = select(*columns).join(pack, pack.c.member_id == member.c.id).order_by(pack.c.id)
        return [(row[0], write_point(row[1]), row[2], row[3]) for row in await connection.execute(found)]


async def test_both_codes_of_a_letter_give_the_credential_of_its_pack(world: World) -> None:
    await world.issue()

    uuid = (await rows(world.database, schema.poll, schema.poll.c.uuid))[0][0]
    derived = {
        row["member_no"]: write_point(
            public_credential(
                derive_secret(row["pack_code"].replace("-", ""), row["vote_code"].replace("-", ""), str(uuid))
            )
        )
        for row in world.printed()
    }
    [last] = (await rows(world.database, schema.chain, schema.chain.c.seq))[-1]
    assert {number: credential for number, credential, _, _ in await credentials(world)} == derived
    assert {entry for _, _, entry, _ in await credentials(world)} == {last}


async def test_a_replaced_pack_s_credential_is_voided_by_the_entry_that_issues_the_new_one(world: World) -> None:
    await world.issue()
    await world.ask("2")
    await world.replace("2", "Huw")

    seq, body = (await rows(world.database, schema.chain, schema.chain.c.seq, schema.chain.c.body))[-1]
    old, new = [row for row in await credentials(world) if row[0] == "2"]
    assert body == {
        "packs": 1,
        "print_sha256": hashlib.sha256((world.folder / "new.csv").read_bytes()).hexdigest(),
        "credentials": hashlib.sha256(new[1].encode()).hexdigest(),
        "voided": [old[1]],
    }
    assert (old[3], new[2], new[3]) == (seq, seq, None)
    assert old[2] < seq
    assert [row[3] for row in await credentials(world)].count(seq) == 1


async def test_a_letter_names_the_voting_page_with_its_pack_code(world: World) -> None:
    """Behind "#", which no browser sends; without a page the column is empty."""
    few = write_roll(world.folder / "few.csv", [line("1")])
    printing = Printing(world.folder / "a.csv", roll_paths=(few,), vote_url="https://ballot.example/vote")
    await packs.issue(world.database, SECRETS, printing, by=GWEN)
    await world.issue("b.csv")

    [letter] = world.printed("a.csv")
    assert letter["vote_url"] == f"https://ballot.example/vote#{letter['pack_code']}"
    assert {row["vote_url"] for row in world.printed("b.csv")} == {""}


async def test_no_letter_names_a_page_that_the_poll_file_switched_off(world: World) -> None:
    async with world.database.writing() as connection:
        await connection.execute(update(schema.poll).values(ways={"page": False, "chat": True}))
    printing = Printing(world.folder / "a.csv", vote_url="https://ballot.example/vote")

    await packs.issue(world.database, SECRETS, printing, by=GWEN)

    assert {row["vote_url"] for row in world.printed("a.csv")} == {""}


@pytest.mark.parametrize("other", [{"pack_hash": b"h" * 32}, {"credential": b"c" * 32}], ids=["credential", "hash"])
async def test_a_credential_or_pack_code_that_another_pack_has_is_drawn_again(
    world: World, other: dict[str, bytes]
) -> None:
    """Whoever plants one of the two before the packs are made only has it drawn again."""
    numbers: list[int] = []
    real = drawing.pooled_random()

    def remember(below: int) -> int:
        numbers.append(real(below))
        return numbers[-1]

    async with world.database.writing() as connection:
        poll, member = await polls.load(connection), await roll.find(connection, "1")
        [drawn] = await drawing.Drawing(connection, poll, SECRETS.code_key, remember).draw(1)
        row = {"member_id": member.id, "serial": 1, "state": "live", "issued_at": NOW}
        same = {"pack_hash": drawn.pack_hash, "credential": drawn.credential, "issued_entry": 1}
        await connection.execute(insert(schema.pack).values(row | same | other))
    again = iter(numbers)

    def repeat(below: int) -> int:
        return next(again, real(below))

    issued = await world.issue(random=repeat)

    assert next(again, None) is None
    assert issued.packs == 3
    assert len({credential for _, credential, _, _ in await credentials(world)}) == 4
    assert len(set(await rows(world.database, schema.pack, schema.pack.c.pack_hash))) == 4


async def test_issuing_again_is_for_those_who_have_none(world: World) -> None:
    await world.issue()
    nothing = await world.issue("again.csv")
    await take_roll(
        world.database,
        write_roll(world.folder / "more.csv", [line("6"), line("1", area="London")]),
        by=By("Gwen", "command line", later(hours=1)),
    )

    issued = await world.issue("more-print.csv")

    assert nothing == Issued(0, world.folder / "again.csv", eligible=4, sources=(world.roll,))
    assert not nothing.file.exists()
    assert issued.packs == 1
    assert [row["member_no"] for row in world.printed("more-print.csv")] == ["6"]


async def test_who_is_missing_from_the_roll_file_is_counted(world: World) -> None:
    few = write_roll(world.folder / "few.csv", [line("1"), line("2"), line("1", name="Again"), line("77")])

    issued = await world.issue(roll_paths=(few,))

    assert (issued.packs, issued.left) == (2, 2)
    assert world.printed()[0]["name"] == "Member 1"


async def test_a_roll_file_that_changed_or_went_is_refused_until_it_is_named(world: World) -> None:
    with world.roll.open("a", encoding="utf-8") as file:
        file.write(line("9"))
    with pytest.raises(RollFileGone, match=r"has changed.*--roll FILE"):
        await world.issue()

    world.roll.rename(world.folder / "moved.csv")
    with pytest.raises(RollFileGone, match="cannot be read"):
        await world.issue()

    assert (await world.issue(roll_paths=(world.folder / "moved.csv",))).packs == 4


async def test_packs_without_any_roll_are_refused(database: Database, tmp_path: Path) -> None:
    await make_poll(database)

    with pytest.raises(RollFileGone, match="never imported"):
        await World(database, tmp_path).issue()


async def test_packs_are_issued_only_before_the_close(world: World) -> None:
    async with world.database.writing() as connection:
        await connection.execute(update(schema.poll).values(phase=Phase.CLOSED))

    with pytest.raises(PollOver):
        await world.issue()


async def test_a_print_file_is_never_overwritten(world: World) -> None:
    (world.folder / "print.csv").write_text("precious")

    with pytest.raises(PrintFileExists):
        await world.issue()

    assert (world.folder / "print.csv").read_text() == "precious"
    assert await rows(world.database, schema.pack) == []


async def test_a_folder_that_is_not_there_is_said(world: World) -> None:
    with pytest.raises(PrintFileUnwritable, match="No such file"):
        await world.issue("nowhere/print.csv")


async def test_a_crash_while_writing_leaves_neither_packs_nor_codes(world: World) -> None:
    class PowerCutError(Exception):
        pass

    def cut(done: int) -> None:
        raise PowerCutError

    with pytest.raises(PowerCutError):
        await world.issue(progress=cut)

    assert await rows(world.database, schema.pack) == []
    assert sorted(path.name for path in world.folder.glob("print*")) == []


async def test_a_part_of_a_run_that_never_committed_is_deleted(world: World) -> None:
    part = world.folder / "print.csv.part"
    part.write_text("codes of no pack")

    assert (await world.issue()).packs == 4
    assert not part.exists()
    assert len(world.printed()) == 4


async def test_a_run_that_ended_between_commit_and_name_is_finished_by_the_next(world: World) -> None:
    await world.issue()
    whole = (world.folder / "print.csv").read_bytes()
    (world.folder / "print.csv").rename(world.folder / "print.csv.part")

    issued = await world.issue()

    assert issued == Issued(4, world.folder / "print.csv", eligible=4, finished_earlier=True)
    assert (world.folder / "print.csv").read_bytes() == whole
    assert not (world.folder / "print.csv.part").exists()


async def test_finishing_an_earlier_run_overwrites_nothing_either(world: World) -> None:
    await world.issue()
    (world.folder / "print.csv.part").write_bytes((world.folder / "print.csv").read_bytes())

    with pytest.raises(PrintFileExists):
        await world.issue()


async def test_an_encrypted_print_file_is_the_same_lines_for_its_recipient_alone(world: World) -> None:
    identity = pyrage.x25519.Identity.generate()

    issued = await world.issue(recipient=f" {identity.to_public()}\n")

    sealed = issued.file.read_bytes()
    assert issued.file.name == "print.csv.age"
    assert b"Ada" not in sealed
    opened = list(csv.DictReader(io.StringIO(pyrage.decrypt(sealed, [identity]).decode())))
    assert [row["member_no"] for row in opened] == ["1", "2", "3", "4"]
    assert sorted(path.name for path in world.folder.glob("print*")) == ["print.csv.age"]


async def test_what_is_not_an_age_key_is_refused_before_anything_is_written(world: World) -> None:
    with pytest.raises(RecipientUnusable, match="age1"):
        await world.issue(recipient="age1nonsense")

    assert sorted(path.name for path in world.folder.glob("print*")) == []


@pytest.mark.parametrize(
    ("name", "recipient", "target"),
    [
        pytest.param("print.csv", None, "print.csv", id="plain"),
        pytest.param("print.csv", "age1", "print.csv.age", id="encrypted"),
        pytest.param("print.age", "age1", "print.age", id="named so already"),
    ],
)
def test_an_encrypted_file_is_called_so(name: str, recipient: str | None, target: str) -> None:
    assert Printing(Path(name), recipient=recipient).target == Path(target)


def fill_the_disk(file: PrintFile, lines: int) -> None:
    """Write to a device that is always full in place of the part."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file._disk.fileno())
    os.close(full)
    with file:
        file.write([("x" * 1_000,)] * lines)
        file.finish()


@pytest.mark.parametrize("lines", [0, 1_200], ids=["at the last moment", "half-way"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path, encrypted: bool, lines: int) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public()) if encrypted else None
    file = PrintFile(tmp_path / "print.csv", recipient)

    with pytest.raises(PrintFileUnwritable, match="No space left"):
        fill_the_disk(file, lines)

    assert list(tmp_path.iterdir()) == []


async def test_codes_that_another_pack_has_are_drawn_again(world: World) -> None:
    """The random numbers repeat themselves after the first packs, so every code is drawn twice."""
    drawn: list[int] = []
    real = drawing.pooled_random()

    def remember(below: int) -> int:
        drawn.append(real(below))
        return drawn[-1]

    few = write_roll(world.folder / "few.csv", [line("1")])
    await world.issue("one.csv", roll_paths=(few,), random=remember)
    again = iter(drawn)

    issued = await world.issue("two.csv", random=lambda below: next(again, None) or real(below))

    assert issued.packs == 3
    assert len({row[0] for row in await rows(world.database, schema.pack, schema.pack.c.pack_hash)}) == 4


async def test_random_numbers_that_only_repeat_are_a_fault(world: World) -> None:
    few = write_roll(world.folder / "few.csv", [line("1")])
    numbers: list[int] = []
    real = drawing.pooled_random()

    def first(below: int) -> int:
        numbers.append(real(below))
        return numbers[-1]

    await world.issue("one.csv", roll_paths=(few,), random=first)
    turn = iter(numbers * 1_000)

    with pytest.raises(Fault, match="random"):
        await world.issue(
            "two.csv",
            roll_paths=(write_roll(world.folder / "b.csv", [line("2")]),),
            random=lambda _: next(turn),
        )


def test_pooled_random_numbers_are_even_and_in_range() -> None:
    draw = drawing.pooled_random()
    counts = [0] * 31
    for _ in range(31_000):
        counts[draw(31)] += 1

    assert draw(1) == 0
    assert all(800 < count < 1_200 for count in counts)  # 6 standard deviations


async def test_replacing_takes_two_people_and_ends_the_old_codes(world: World) -> None:
    await world.issue()

    asked = await world.replace("2", "Gwen")
    assert asked == Asked("2", "Gwen", NOW)
    assert [row for row in await world.states() if row[0] == "2"] == [("2", 1, "live")]
    with pytest.raises(NeedsSecondPerson, match="Gwen"):
        await world.replace("2", " gwen ")
    issued = await world.replace("2", "Huw", at=later(hours=1))

    assert issued == Issued(1, world.folder / "new.csv")
    assert [row for row in await world.states() if row[0] == "2"] == [("2", 1, "replaced"), ("2", 2, "live")]
    new, old = world.printed("new.csv")[0], world.printed()[1]
    assert new["member_no"] == old["member_no"] == "2"
    assert new["pack_code"] != old["pack_code"]
    assert (await chain_kinds(world.database))[-3:] == [
        "pack_replacement_asked",
        "pack_replacement_approved",
        "pack_replaced",
    ]
    assert isinstance(await world.replace("2", "Huw", "third.csv"), Asked)  # that was that one; another may follow


@pytest.mark.parametrize("name", ["GWEN", "Gw\u0435n", "Ｇｗｅｎ", "\u202eGwen"])
async def test_whose_name_looks_like_who_asked_is_no_second_person(world: World, name: str) -> None:
    await world.issue()
    await world.ask("2", "Gwen")

    with pytest.raises(NeedsSecondPerson, match="Gwen"):
        await world.approve("2", name)


async def test_why_a_pack_is_replaced_is_kept_as_it_can_be_shown(world: World) -> None:
    await world.issue()

    async with world.database.writing() as connection:
        await packs.ask_replacement(connection, "2", " it\u200b came\n torn ", by=By("Gwen", "command line", NOW))

    assert await rows(world.database, schema.replacement, schema.replacement.c.reason) == [("it came torn",)]


async def test_the_steps_of_a_replacement_can_be_taken_one_by_one(world: World) -> None:
    await world.issue()
    printing = Printing(world.folder / "new.csv", BOT_URL)

    async def issue_it() -> Issued:
        return await packs.issue_replacement(world.database, SECRETS, "1", printing, by=By("Ann", "command line", NOW))

    with pytest.raises(ReplacementUnknown):
        await issue_it()
    with pytest.raises(ReplacementUnknown):
        await world.approve("1", "Huw")
    assert await world.ask("1", "Gwen") == await world.ask("1", "Huw")
    with pytest.raises(NeedsSecondPerson):
        await issue_it()
    with pytest.raises(NeedsSecondPerson):
        await world.approve("1", "Gwen")
    await world.approve("1", "Huw")
    await world.approve("1", "Ann")
    assert (await issue_it()).packs == 1


async def test_a_replacement_that_ended_before_its_file_was_named_is_finished(world: World) -> None:
    await world.issue()
    await world.replace("2", "Gwen")
    await world.replace("2", "Huw")
    (world.folder / "new.csv").rename(world.folder / "new.csv.part")
    await world.ask("2")
    await world.approve("2", "Huw")

    issued = await packs.issue_replacement(
        world.database, SECRETS, "2", Printing(world.folder / "new.csv"), by=By("Huw", "command line", NOW)
    )

    assert issued == Issued(1, world.folder / "new.csv", eligible=4, finished_earlier=True)


@pytest.mark.parametrize(
    ("member_no", "refusal"),
    [
        pytest.param("1", MemberHasVoted, id="has voted"),
        pytest.param("2", MemberHasVoted, id="paper received"),
        pytest.param("3", NotEligible, id="lapsed"),
        pytest.param("6", NoLivePack, id="never had one"),
        pytest.param("99", UnknownMember, id="not on the roll"),
    ],
)
async def test_a_pack_is_not_replaced_when(world: World, member_no: str, refusal: type[Exception]) -> None:
    await world.issue()
    await take_roll(world.database, write_roll(world.folder / "more.csv", [line("6")]))
    await world.lock("1")
    async with world.database.writing() as connection:
        pack_id = await connection.scalar(
            select(schema.pack.c.id).join(schema.member).where(schema.member.c.member_no == "2")
        )
        paper = {"pack_id": pack_id, "received_at": NOW, "status": "received", "outcome": "set_aside"}
        await connection.execute(insert(schema.paper).values(**paper, reason="not_eligible", imported_at=NOW))
        await roll.lapse(connection, "3", "left", by=By("Gwen", "command line", NOW))

    with pytest.raises(refusal):
        await world.replace(member_no, "Gwen")


async def test_a_vote_between_asking_and_approving_ends_the_replacement(world: World) -> None:
    await world.issue()
    await world.ask("1")
    await world.lock("1")

    with pytest.raises(MemberHasVoted):
        await world.replace("1", "Huw")
    assert not (world.folder / "new.csv").exists()


async def test_a_replacement_needs_the_member_in_the_roll_file(world: World) -> None:
    await world.issue()
    await take_roll(
        world.database,
        write_roll(world.folder / "more.csv", [line("6")]),
        by=By("Gwen", "command line", later(hours=1)),
    )
    await world.ask("1")

    with pytest.raises(RollFileGone, match="does not name 1"):
        await world.replace("1", "Huw")

    assert ("1", 1, "live") in await world.states()
    assert list(world.folder.glob("new*")) == []


async def test_events_are_noted_and_a_file_may_come_again(world: World) -> None:
    await world.issue()

    report = await world.events("1,dispatched,2022-08-04", "1,delivered,2022-08-06", "2,returned,2022-08-08")
    again = await world.events("1,dispatched,2022-08-04", "1,delivered,2022-08-06", "2,returned,2022-08-08")
    changed = await world.events("1,dispatched,2022-08-05", "1,dispatched,2022-08-04")

    assert (report.counts(), again.unchanged, changed.changed, changed.unchanged) == (
        {"added": 3, "changed": 0, "unchanged": 0, "rejected": 0, "warnings": 0},
        3,
        1,
        1,
    )
    pack = schema.pack.c
    dates = await rows(world.database, schema.pack, pack.id, pack.dispatched_on, pack.delivered_on, pack.returned_on)
    assert [row[1:] for row in dates[:2]] == [
        (date(2022, 8, 5), date(2022, 8, 6), None),
        (None, None, date(2022, 8, 8)),
    ]
    async with world.database.reading() as connection:
        assert await packs.journeys(connection) == {"not_dispatched": 2, "dispatched": 0, "delivered": 1, "returned": 1}
    assert (await chain_kinds(world.database)).count("pack_events_imported") == 2


async def test_a_dry_run_of_events_leaves_no_trace(world: World) -> None:
    await world.issue()
    done: list[int] = []

    report = await world.events("1,dispatched,2022-08-04", dry_run=True, progress=done.append)

    assert (report.added, done) == (1, [1])
    async with world.database.reading() as connection:
        assert (await packs.journeys(connection))["not_dispatched"] == 4


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("9,dispatched,2022-08-04", "not on the roll", id="stranger"),
        pytest.param("5,dispatched,2022-08-04", "no pack on that day", id="member without a pack"),
        pytest.param(
            "1,lost,2022-08-04", "unknown event 'lost': known are dispatched, delivered, returned", id="unknown event"
        ),
        pytest.param(
            "1,dispatched,08/05/2022", "unreadable day '08/05/2022': write it like 2022-08-01", id="either order"
        ),
        pytest.param("1,dispatched,2022-08-02", "no pack on that day", id="before it was issued"),
        pytest.param("1,dispatched,2022-08-14", "2022-08-14 lies in the future", id="two days from now"),
    ],
)
async def test_an_event_that_cannot_be_is_rejected(world: World, row: str, reason: str) -> None:
    await world.issue()

    report = await world.events(row, "2,delivered,2022-08-13")

    assert [(each.line, each.level, each.reason) for each in report.rows] == [(2, Level.REJECTED, reason)]
    assert report.added == 1


async def test_an_event_belongs_to_the_pack_of_its_day(world: World) -> None:
    await world.issue()
    await world.ask("1")
    await world.replace("1", "Huw", at=later(days=5))

    await world.events("1,returned,2022-08-05", "1,dispatched,2022-08-09")

    pack = schema.pack.c
    found = await rows(world.database, schema.pack, pack.id, pack.serial, pack.returned_on, pack.dispatched_on)
    assert [row[1:] for row in found if row[2] or row[3]] == [(1, date(2022, 8, 5), None), (2, None, date(2022, 8, 9))]


async def test_a_file_of_events_needs_its_columns(world: World) -> None:
    path = world.folder / "events.csv"
    path.write_text("member_no,event\n")

    with pytest.raises(FileUnreadable, match="names on nowhere"):
        await packs.update_events(world.database, path, SECRETS, by=By("Gwen", "command line", NOW))


async def test_overdue_is_what_has_not_come_when_the_window_is_over(world: World) -> None:
    await world.issue()
    await world.events(
        "1,dispatched,2022-08-03", "2,delivered,2022-08-04", "3,delivered,2022-08-04", "3,returned,2022-08-05"
    )
    await world.lock("4")

    async with world.database.reading() as connection:
        on_the_last_day = await packs.overdue(connection, WINDOW.last_day)
        after = await packs.overdue(connection, WINDOW.last_day + timedelta(days=1))

    assert on_the_last_day == []
    assert [(pack.member_no, pack.dispatched_on, pack.returned_on) for pack in after] == [
        ("1", date(2022, 8, 3), None),
        ("3", None, date(2022, 8, 5)),
    ]


def test_what_is_printed_is_grouped() -> None:
    assert printed(Kind.PACK, "ABCDEFGHJ") == "ABC-DEF-GHJ"


def test_the_columns_are_the_roll_s_and_five_more() -> None:
    assert (*COLUMNS, "pack_code", "vote_code", "word", "bot_url", "vote_url") == print_file.PRINT_COLUMNS


async def test_an_event_may_name_its_envelope(world: World) -> None:
    await world.issue()
    old = world.printed()[0]["pack_code"]
    await world.ask("1")
    await world.replace("1", "Huw")
    new = world.printed("new.csv")[0]["pack_code"]
    other = world.printed()[1]["pack_code"]
    path = world.folder / "coded.csv"
    lines = [
        f"1,returned,2022-08-05,]C1{old.lower()}",
        f"1,dispatched,2022-08-05,{new}",
        f"1,returned,2022-08-05,{other}",
        "1,returned,2022-08-05,ABC-DEF-GHJ",
        f"1,returned,2022-08-02,{new}",
    ]
    path.write_text("\n".join(["member_no,event,on,pack_code", *lines, ""]))

    report = await packs.update_events(world.database, path, SECRETS, by=By("Gwen", "command line", later(days=9)))

    assert report.added == 2
    assert [(row.line, row.reason) for row in report.rows] == [
        (4, "the pack code is not one of this member's"),
        (5, "not a pack code, or a slip in it"),
        (6, "no pack on that day"),
    ]
    days = await rows(
        world.database, schema.pack, schema.pack.c.serial, schema.pack.c.dispatched_on, schema.pack.c.returned_on
    )
    assert (2, date(2022, 8, 5), None) in days


async def test_a_member_is_printed_from_the_first_file_that_has_an_address(world: World) -> None:
    """Who is in several files gets one letter; a file without their address is no reason to go without."""
    bare = write_roll(world.folder / "bare.csv", [line("1", address_1="", town=""), line("2", town="Leeds")])

    issued = await world.issue(roll_paths=(bare, world.roll))

    towns = {row["member_no"]: row["town"] for row in world.printed()}
    assert (issued.packs, issued.left, issued.nowhere, issued.sources) == (4, 0, 0, (bare, world.roll))
    assert towns == {"1": "York", "2": "Leeds", "3": "York", "4": "York"}


async def test_line_breaks_and_tabs_become_spaces_in_the_print_file(world: World) -> None:
    path = write_roll(world.folder / "odd.csv", [line("1", address_1='"Flat 2\n1 High\tSt"')])

    await world.issue(roll_paths=(path,))

    assert world.printed()[0]["address_1"] == "Flat 2 1 High St"


async def test_the_print_file_has_no_mark_unless_asked(world: World) -> None:
    """With the mark a spreadsheet reads it as UTF-8; without it the first column has its name for every program."""
    few = write_roll(world.folder / "few.csv", [line("1", name="Siân")])
    await world.issue(roll_paths=(few,))
    await world.issue("marked.csv", mark=True)

    assert (world.folder / "print.csv").read_bytes().startswith(b"member_no,name,")
    assert "Siân".encode() in (world.folder / "print.csv").read_bytes()
    assert (world.folder / "marked.csv").read_bytes().startswith(b"\xef\xbb\xbfmember_no,name,")


async def test_a_roll_that_was_read_from_a_pipe_has_to_be_named(world: World, tmp_path: Path) -> None:
    async with world.database.writing() as connection:
        await connection.execute(update(schema.roll_file).values(path="-"))

    with pytest.raises(RollFileGone, match="read from a pipe; name the roll with --roll FILE"):
        await world.issue()
    async with world.database.reading() as connection:
        assert await imported_rolls(connection) == []
    assert (await world.issue(roll_paths=(world.roll,))).packs == 4
