"""The count: refused until all is in order, right, and the same however often it is cut off."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from counting import close, share_files, take_count, take_papers
from electorate import Electorate, open_electorate
from prepared import GWEN, NOW, SECRETS, chain_kinds, later, make_poll
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema, secrets_file
from voting.audit import chain
from voting.count.ballots import Whole, box_in_order, receipts_in_order
from voting.count.count import _tally, count
from voting.model import By
from voting.poll import polls
from voting.refusals import CannotCount, ForeignSecrets, NoElectionKey
from voting.roll import roll
from voting.sealing import shares
from voting.sealing.seal import create_election_key, open_key, seal
from voting.sealing.shares import ShareForeign, TooFewShares
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.verify.verify import verify


@pytest.fixture
async def voted(database: Database) -> Electorate:
    """Twelve members: seven voted for the first option, four for the second, one did not."""
    town = await open_electorate(database, members=12)
    await asyncio.gather(*(town.votes(letter, option=int(n >= 7)) for n, letter in enumerate(town.letters[:11])))
    return town


@pytest.fixture
async def closed(voted: Electorate) -> Electorate:
    """The same, closed."""
    await close(voted)
    return voted


async def count_into(
    town: Electorate,
    out: Path,
    files: Sequence[Path] | None = None,
    *,
    secrets: Secrets = SECRETS,
    by: By = GWEN,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Count with the first two shares unless others are named."""
    files = share_files(town, out.parent / "shares")[:2] if files is None else files
    return await count(town.database, files, out, secrets=secrets, by=by, progress=progress)


@asynccontextmanager
async def as_owner(town: Electorate, table: str) -> AsyncIterator[AsyncConnection]:
    """Write as the database's owner does, past the triggers."""
    async with town.database.writing() as connection:
        if town.database.is_sqlite:
            triggers = await connection.execute(
                text(f"SELECT name FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'trigger'")
            )
            for (name,) in triggers.all():
                await connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        yield connection


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Give a folder's files."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_the_count_is_right_and_its_bundle_verifies(closed: Electorate, tmp_path: Path) -> None:
    seen: list[int] = []

    result = await count_into(closed, tmp_path / "result", progress=seen.append)

    assert [(row["option"], row["votes"]) for row in result["options"]] == [("North", 7), ("South", 4)]
    assert (result["turnout_with_rejected"], result["eligible"]) == ("91.67", 12)
    assert seen == [11]
    assert verify(tmp_path / "result").problems == ()
    assert await closed.broken_probes() == []


async def test_the_chain_says_what_is_in_the_box_before_it_is_opened(closed: Electorate, tmp_path: Path) -> None:
    def too_late(_opened: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await count_into(closed, tmp_path / "result", progress=too_late)

    assert (await chain_kinds(closed.database))[-2:] == ["box_closed", "receipts_closed"]
    async with closed.database.reading() as connection:
        entries = await connection.scalar(select(schema.chain.c.seq).order_by(schema.chain.c.seq.desc()).limit(1))
        signed = await connection.scalar(select(schema.head.c.seq).order_by(schema.head.c.seq.desc()).limit(1))
        assert entries == signed
        assert await connection.scalar(select(schema.result.c.only)) is None


async def test_a_count_cut_off_while_opening_is_taken_up_again(closed: Electorate, tmp_path: Path) -> None:
    def cut_off(_opened: int) -> None:
        raise OSError("power")

    with pytest.raises(OSError, match="power"):
        await count_into(closed, tmp_path / "result", progress=cut_off)

    await count_into(closed, tmp_path / "result")

    assert (await chain_kinds(closed.database)).count("box_closed") == 1
    assert verify(tmp_path / "result").ok


async def test_a_count_cut_off_before_its_bundle_is_written_gives_it_later(closed: Electorate, tmp_path: Path) -> None:
    blocked = tmp_path / "result.part"
    blocked.write_text("not a folder")
    with pytest.raises(NotADirectoryError):
        await count_into(closed, tmp_path / "result")
    assert not (tmp_path / "result").exists()
    blocked.unlink()

    await count_into(closed, tmp_path / "result")

    assert verify(tmp_path / "result").ok


async def test_what_an_interrupted_run_left_beside_the_bundle_is_cleared_away(
    closed: Electorate, tmp_path: Path
) -> None:
    (tmp_path / "result.part").mkdir()
    (tmp_path / "result.part" / "box.txt").write_text("half a bo")
    (tmp_path / "result").mkdir()

    await count_into(closed, tmp_path / "result")

    assert verify(tmp_path / "result").ok
    assert not (tmp_path / "result.part").exists()


async def test_counting_again_gives_the_same_bundle_to_the_byte(closed: Electorate, tmp_path: Path) -> None:
    files = share_files(closed, tmp_path / "shares")
    await count_into(closed, tmp_path / "result", files[:2])

    await count_into(closed, tmp_path / "again", files[1:], by=By("Huw", "command line", later(days=1)))

    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "result")


async def test_what_happens_after_the_count_is_not_in_its_bundle(closed: Electorate, tmp_path: Path) -> None:
    """Cases are settled for weeks; the chain goes on, the bundle does not change."""
    await count_into(closed, tmp_path / "result")
    async with closed.database.writing() as connection:
        await chain.append(connection, "case_settled", {}, by=By("Gwen", "command line", later(days=9)))
        await chain.sign_head(connection, later(days=9))

    await count_into(closed, tmp_path / "again", by=By("Gwen", "command line", later(days=10)))

    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "result")


@pytest.mark.parametrize("taken", ["file", "full"])
async def test_a_bundle_is_not_written_over_anything(closed: Electorate, tmp_path: Path, taken: str) -> None:
    out = tmp_path / "result"
    if taken == "full":
        out.mkdir()
        out = out / "notes.txt"
    out.write_text("mine")

    with pytest.raises(CannotCount, match="not an empty folder"):
        await count_into(closed, tmp_path / "result")


async def test_papers_count_with_the_box(voted: Electorate, tmp_path: Path) -> None:
    """A rejected paper counts for one of the two turnouts only, and a paper after an online vote not at all."""
    await take_papers(voted, tmp_path, voted.letters[10:])
    await close(voted)
    await take_count(voted, tmp_path, (0, 1))

    result = await count_into(voted, tmp_path / "result")

    assert [(row["online"], row["post"]) for row in result["options"]] == [(7, 0), (4, 1)]
    assert (result["votes"], result["turnout_with_rejected"]) == (12, "100.00")
    assert verify(tmp_path / "result").problems == ()


async def test_both_turnouts_are_named(voted: Electorate, tmp_path: Path) -> None:
    await take_papers(voted, tmp_path, voted.letters[11:], status="rejected")
    await close(voted)

    result = await count_into(voted, tmp_path / "result")

    assert (result["turnout_with_rejected"], result["turnout_without_rejected"]) == ("100.00", "91.67")
    assert result["rejected_papers"] == 1
    assert verify(tmp_path / "result").problems == ()


async def test_papers_that_nobody_counted_stop_the_count(voted: Electorate, tmp_path: Path) -> None:
    await take_papers(voted, tmp_path, voted.letters[11:])
    await close(voted)

    with pytest.raises(CannotCount, match="1 papers were received but not counted"):
        await count_into(voted, tmp_path / "result")


async def test_papers_that_came_after_their_count_stop_the_count_until_somebody_says_why(
    voted: Electorate, tmp_path: Path
) -> None:
    await close(voted)
    await take_count(voted, tmp_path, (0, 0))
    await take_papers(voted, tmp_path, voted.letters[11:])

    with pytest.raises(CannotCount, match="1 papers were scanned but 0 counted"):
        await count_into(voted, tmp_path / "result")

    await take_count(voted, tmp_path, (0, 0), justification="An empty <envelope>")
    await count_into(voted, tmp_path / "result")
    assert verify(tmp_path / "result").problems == ()
    assert "An empty &lt;envelope&gt;" in (tmp_path / "result" / "result.html").read_text()


async def test_who_voted_and_lapsed_later_still_could_vote(voted: Electorate, tmp_path: Path) -> None:
    async with voted.database.writing() as connection:
        await roll.lapse(connection, "0000001", "moved", by=By("Gwen", "command line", NOW))
        await roll.lapse(connection, "0000012", "moved", by=By("Gwen", "command line", NOW))
    await close(voted)

    result = await count_into(voted, tmp_path / "result")

    assert (result["votes"], result["eligible"]) == (11, 11)


async def test_an_open_poll_is_not_counted(voted: Electorate, tmp_path: Path) -> None:
    with pytest.raises(CannotCount, match="is open"):
        await count_into(voted, tmp_path / "out")


async def test_a_full_tray_is_not_counted(voted: Electorate, tmp_path: Path) -> None:
    async with voted.database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", NOW))

    with pytest.raises(CannotCount, match="11 ballots are still in the tray"):
        await count_into(voted, tmp_path / "out")


async def test_a_broken_probe_stops_the_count(closed: Electorate, tmp_path: Path) -> None:
    """A ballot that nobody cast lies in the box."""
    async with closed.database.writing() as connection:
        await connection.execute(insert(schema.box).values(id=b"i" * 16, sealed=b"s" * 80))

    with pytest.raises(CannotCount, match="do not hold"):
        await count_into(closed, tmp_path / "out")


async def test_a_count_needs_the_secrets_of_its_poll(closed: Electorate, tmp_path: Path) -> None:
    with pytest.raises(ForeignSecrets):
        await count_into(closed, tmp_path / "out", secrets=secrets_file.make())


async def test_a_poll_that_never_had_an_election_key_is_not_counted(database: Database, tmp_path: Path) -> None:
    await make_poll(database)
    async with database.writing() as connection:
        await connection.execute(update(schema.poll).values(phase="closed"))

    with pytest.raises(NoElectionKey):
        await count(database, [], tmp_path / "out", secrets=SECRETS, by=By("Gwen", "command line", NOW))


async def test_one_share_or_a_foreign_share_opens_nothing(closed: Electorate, tmp_path: Path) -> None:
    files = share_files(closed, tmp_path / "shares")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    others = shares.write_shares(foreign, create_election_key(3, 2, poll_id="other").shares)

    with pytest.raises(TooFewShares):
        await count_into(closed, tmp_path / "out", files[:1])
    with pytest.raises(ShareForeign):
        await count_into(closed, tmp_path / "out", [files[0], others[1]])
    assert not (tmp_path / "out").exists()
    assert "box_closed" not in await chain_kinds(closed.database)


async def exchange_a_ballot(town: Electorate, sealed: bytes) -> None:
    """Put another ballot in the place of one: numbers stay right and no probe sees it."""
    async with as_owner(town, "box") as connection:
        one = select(schema.box.c.id).limit(1).scalar_subquery()
        await connection.execute(update(schema.box).where(schema.box.c.id == one).values(sealed=sealed))


@pytest.mark.parametrize(
    ("options", "option", "foreign", "words"),
    [
        pytest.param(2, 0, True, "not sealed to this poll's key", id="sealed to another key"),
        pytest.param(5, 4, False, "does not hold a choice", id="of a poll with more options"),
    ],
)
async def test_a_ballot_that_cannot_be_one_stops_the_count(
    closed: Electorate, tmp_path: Path, options: int, option: int, foreign: bool, words: str
) -> None:
    key = create_election_key(1, 1, poll_id="other").public_key if foreign else closed.key.public_key
    await exchange_a_ballot(closed, seal(key, option, options=options))

    with pytest.raises(CannotCount, match=words):
        await count_into(closed, tmp_path / "out")


async def test_a_box_that_changed_since_an_earlier_count_began_is_not_counted(
    closed: Electorate, tmp_path: Path
) -> None:
    await count_into(closed, tmp_path / "result")
    await exchange_a_ballot(closed, seal(closed.key.public_key, 0, options=2))

    with pytest.raises(CannotCount, match="have changed since"):
        await count_into(closed, tmp_path / "out")


async def test_a_result_that_the_databases_owner_rewrote_is_not_published(closed: Electorate, tmp_path: Path) -> None:
    await count_into(closed, tmp_path / "result")
    async with as_owner(closed, "result") as connection:
        await connection.execute(update(schema.result).values(body={"votes": 99}))

    with pytest.raises(CannotCount, match="is another one"):
        await count_into(closed, tmp_path / "out")


async def test_a_box_that_grows_while_it_is_opened_is_noticed(closed: Electorate) -> None:
    key = open_key(closed.key.shares, public_key=closed.key.public_key)
    async with closed.database.reading() as connection:
        with pytest.raises(CannotCount, match="held 10 ballots and now holds 11"):
            await _tally(connection, key, Whole(10, ""), 2, None)


async def test_box_and_receipts_are_in_the_order_of_their_bytes(closed: Electorate) -> None:
    """Whatever the database takes for an alphabet: digests must be the same on every machine."""
    async with closed.database.reading() as connection:
        receipts = [receipt async for page in receipts_in_order(connection) for receipt in page]
        box = [sealed async for page in box_in_order(connection) for sealed in page]

    assert receipts == sorted(receipts)
    assert box == sorted(box)
    assert len(receipts) == len(box) == 11
