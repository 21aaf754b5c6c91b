"""The count in one step: right, refused until all is in order, published only when it verifies."""

from pathlib import Path
from typing import Any

import pytest
from counted_town import CountedTown, as_owner, bytes_of, count_into, folders, open_town, replace_pack
from counting import close, share_files, take_count, take_papers
from prepared import GWEN, NOW, SECRETS, chain_kinds, later, make_poll
from sqlalchemy import insert, select, update

from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.probes import run_probes
from voting.ballots.group import write_point
from voting.ballots.packed import pack
from voting.ballots.trustee_refusals import TooFewDecryptions
from voting.count import count as counting
from voting.count.count import VERIFYING, begin, count
from voting.count.tally import TALLYING
from voting.model import By
from voting.packs.forgetting import forget_credentials
from voting.post.papers import import_count
from voting.refusals import (
    CannotCount,
    CredentialsForgotten,
    ForeignSecrets,
    NoElectionKey,
    PollOver,
    SmallPoll,
)
from voting.roll import roll
from voting.store.database import Database
from voting.trustees.dealer import deal_all, write_dealt
from voting.trustees.refusals import ShareForeign, TallyRefused
from voting.trustees.shares import bind_tally, read_share


async def test_the_count_is_right_and_its_bundle_verifies(closed: CountedTown, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    result = await count_into(closed, tmp_path / "result", progress=lambda *step: seen.append(step))

    assert [(row["option"], row["votes"]) for row in result["questions"][0]["options"]] == [("North", 7), ("South", 5)]
    assert (result["turnout_with_rejected"], result["eligible"]) == ("92.31", 13)
    assert (TALLYING, 12, 12) in seen
    assert VERIFYING in {stage for stage, _, _ in seen}
    assert not (tmp_path / "result.part").exists()
    async with closed.database.reading() as connection:
        assert [probe for probe in await run_probes(connection) if not probe.holds] == []


async def test_the_chain_says_what_is_counted_before_anything_is_decrypted(
    closed: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(counting, "decrypt_all", too_late)
    with pytest.raises(KeyboardInterrupt):
        await count_into(closed, tmp_path / "result")

    assert (await chain_kinds(closed.database))[-2:] == ["roll_closed", "ballots_closed"]
    async with closed.database.reading() as connection:
        head = await chain.last_head(connection)
        body = await connection.scalar(select(schema.chain.c.body).where(schema.chain.c.kind == "ballots_closed"))
        assert head is not None
        assert head.seq == await connection.scalar(select(schema.chain.c.seq).order_by(schema.chain.c.seq.desc()))
        assert await connection.scalar(select(schema.result.c.only)) is None
    assert (body["n"], set(body)) == (12, {"n", "tally", "credentials"})
    assert list((tmp_path / "shares").glob("*.tally")) == []


async def test_a_share_remembers_the_tally_that_it_decrypted(closed: CountedTown, tmp_path: Path) -> None:
    files = share_files(closed, tmp_path / "shares")
    bind_tally(files[0], read_share(files[0]), closed.poll.uuid, "another tally")

    with pytest.raises(TallyRefused):
        await count_into(closed, tmp_path / "result")
    assert "counted" not in await chain_kinds(closed.database)

    await count_into(closed, tmp_path / "result", files[1:])
    assert files[1].with_name(files[1].name + ".tally").exists()


async def test_counting_again_gives_the_same_bundle_to_the_byte(closed: CountedTown, tmp_path: Path) -> None:
    """Also with other shares, and after the chain went on: cases are settled for weeks."""
    files = share_files(closed, tmp_path / "shares")
    await count_into(closed, tmp_path / "result", files[:2])
    async with closed.database.writing() as connection:
        await chain.append(connection, "case_settled", {}, by=By("Gwen", "command line", later(days=9)))
        await chain.sign_head(connection, later(days=9))

    await count_into(closed, tmp_path / "again", files[1:], by=By("Huw", "command line", later(days=10)))

    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "result")
    before = bytes_of(tmp_path / "result")
    await count_into(closed, tmp_path / "result", files[:2])
    assert bytes_of(tmp_path / "result") == before


@pytest.mark.parametrize("taken", ["file", "full", "with a note", "another poll's"])
async def test_a_bundle_is_not_written_over_anything(closed: CountedTown, tmp_path: Path, taken: str) -> None:
    out = tmp_path / "result"
    if taken == "file":
        out.write_text("mine")
    elif taken == "full":
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    else:
        await begin(closed.database, out, secrets=SECRETS, by=GWEN)
        if taken == "with a note":
            (out / "notes.txt").write_text("mine")
        else:
            manifest = (out / "manifest.json").read_text()
            (out / "manifest.json").write_text(manifest.replace(closed.poll.uuid, "2" * 22))

    with pytest.raises(CannotCount, match="neither an empty folder nor what an earlier step wrote of this poll"):
        await count_into(closed, out)


async def test_what_an_interrupted_run_left_beside_the_bundle_is_cleared_away(
    closed: CountedTown, tmp_path: Path
) -> None:
    for left in ("result.part", "result.part.old"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "chain.jsonl").write_text("half a cha")
    (tmp_path / "result").mkdir()

    await count_into(closed, tmp_path / "result")

    assert folders(tmp_path) == ["result", "shares"]


async def test_papers_count_with_the_ballots(voted: CountedTown, tmp_path: Path) -> None:
    """A paper after an online vote is set aside and counts not at all."""
    await take_papers(voted, tmp_path, voted.letters[11:])
    await close(voted)
    await take_count(voted, tmp_path, (0, 1))

    result = await count_into(voted, tmp_path / "result", publish_small=True)

    assert [(row["online"], row["post"]) for row in result["questions"][0]["options"]] == [(7, 0), (5, 1)]
    assert (result["votes"], result["turnout_with_rejected"]) == (13, "100.00")


async def test_both_turnouts_are_named(voted: CountedTown, tmp_path: Path) -> None:
    await take_papers(voted, tmp_path, voted.letters[12:], status="rejected")
    await close(voted)

    result = await count_into(voted, tmp_path / "result")

    assert (result["turnout_with_rejected"], result["turnout_without_rejected"]) == ("100.00", "92.31")
    assert result["rejected_papers"] == 1


async def test_papers_that_nobody_counted_stop_the_count(voted: CountedTown, tmp_path: Path) -> None:
    await take_papers(voted, tmp_path, voted.letters[12:])
    await close(voted)

    with pytest.raises(CannotCount, match="1 papers were received but not counted"):
        await count_into(voted, tmp_path / "result")


async def test_papers_that_came_after_their_count_stop_the_count_until_somebody_says_why(
    voted: CountedTown, tmp_path: Path
) -> None:
    await close(voted)
    await take_count(voted, tmp_path, (0, 0))
    await take_papers(voted, tmp_path, voted.letters[12:])

    with pytest.raises(CannotCount, match="1 papers were scanned but 0 counted"):
        await count_into(voted, tmp_path / "result")

    await take_count(voted, tmp_path, (0, 0), justification="An empty <envelope>")
    await count_into(voted, tmp_path / "result")
    assert "An empty &lt;envelope&gt;" in (tmp_path / "result" / "result.html").read_text()


async def test_papers_are_refused_once_the_count_has_begun(voted: CountedTown, tmp_path: Path) -> None:
    """Later ones would make an honest poll one that cannot be counted."""
    await close(voted)
    await begin(voted.database, tmp_path / "tally", secrets=SECRETS, by=GWEN)

    with pytest.raises(PollOver, match="already being counted"):
        await take_papers(voted, tmp_path, voted.letters[12:])
    with pytest.raises(PollOver, match="already being counted"):
        await take_count(voted, tmp_path, (0, 0))
    await count_into(voted, tmp_path / "result")
    with pytest.raises(PollOver, match="already counted"):
        await import_count(voted.database, tmp_path / "postal-count.csv", by=GWEN)


async def test_who_voted_and_lapsed_later_still_could_vote(voted: CountedTown, tmp_path: Path) -> None:
    async with voted.database.writing() as connection:
        await roll.lapse(connection, "0000001", "moved", by=GWEN)
        await roll.lapse(connection, "0000013", "moved", by=GWEN)
    await close(voted)

    result = await count_into(voted, tmp_path / "result")

    assert (result["votes"], result["eligible"]) == (12, 12)


async def test_ballots_by_credentials_issued_after_the_opening_are_counted_apart(
    voted: CountedTown, tmp_path: Path
) -> None:
    old = voted.letters[12]
    new = await replace_pack(voted, old)
    await voted.votes([new], 1)
    await close(voted)

    result = await count_into(voted, tmp_path / "result")

    assert (result["online"], result["ballots_by_later_credentials"]) == (13, 1)
    lines = (tmp_path / "result" / "credentials.txt").read_text().splitlines()
    assert len(lines) == 14
    assert lines == sorted(lines)
    assert [line.split()[0] for line in lines if not line.endswith(" -")] == [write_point(voted.credential(old))]
    archive = (tmp_path / "result" / "belenios" / f"{voted.poll.uuid}.bel").read_text()
    assert write_point(voted.credential(old)) not in archive
    assert write_point(voted.credential(new)) in archive


async def test_an_open_poll_is_not_counted(voted: CountedTown, tmp_path: Path) -> None:
    with pytest.raises(CannotCount, match="the poll is open; close it first"):
        await count_into(voted, tmp_path / "out")


async def test_a_broken_probe_stops_the_count(closed: CountedTown, tmp_path: Path) -> None:
    """A ballot that nobody cast stands among the others."""
    async with closed.database.writing() as connection:
        values = {"credential": b"c" * 32, "packed": b"p", "digest": b"d" * 32, "entry": 1}
        await connection.execute(insert(schema.ballot).values(values))

    with pytest.raises(CannotCount, match="do not hold"):
        await count_into(closed, tmp_path / "out")


async def test_a_count_needs_the_secrets_of_its_poll(closed: CountedTown, tmp_path: Path) -> None:
    with pytest.raises(ForeignSecrets):
        await count_into(closed, tmp_path / "out", secrets=secrets_file.make())


async def test_a_poll_that_never_had_an_election_key_is_not_counted(database: Database, tmp_path: Path) -> None:
    await make_poll(database)
    async with database.writing() as connection:
        await connection.execute(update(schema.poll).values(phase="closed"))

    with pytest.raises(NoElectionKey):
        await count(database, [], tmp_path / "out", secrets=SECRETS, by=GWEN)
    with pytest.raises(NoElectionKey):
        await begin(database, tmp_path / "out", secrets=SECRETS, by=GWEN)


async def test_one_share_or_a_foreign_share_opens_nothing(closed: CountedTown, tmp_path: Path) -> None:
    files = share_files(closed, tmp_path / "shares")
    (tmp_path / "foreign").mkdir()
    others = write_dealt(tmp_path / "foreign", deal_all(3, 2))

    with pytest.raises(TooFewDecryptions, match=r"1 of the 2 .* have not decrypted: 2, 3\."):
        await count_into(closed, tmp_path / "out", [files[0], files[0]])
    with pytest.raises(ShareForeign):
        await count_into(closed, tmp_path / "out", [files[0], others[1]])
    assert not (tmp_path / "out").exists()
    assert "ballots_closed" not in await chain_kinds(closed.database)


async def test_what_does_not_verify_is_neither_committed_nor_published(closed: CountedTown, tmp_path: Path) -> None:
    """The database's owner put a ballot of no choice but 1,000 votes in a ballot's place: numbers stay right."""
    await exchange_a_ballot(closed)

    with pytest.raises(CannotCount, match="what was written does not verify"):
        await count_into(closed, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert "ballots_closed" not in await chain_kinds(closed.database)


async def test_ballots_that_changed_since_the_count_began_are_not_counted(closed: CountedTown, tmp_path: Path) -> None:
    await begin(closed.database, tmp_path / "tally", secrets=SECRETS, by=GWEN)
    await exchange_a_ballot(closed)

    with pytest.raises(CannotCount, match="have changed since the count began"):
        await count_into(closed, tmp_path / "out")


async def exchange_a_ballot(town: CountedTown) -> None:
    """Put another ballot of the same voter in the place of one."""
    letter = town.letters[0]
    async with as_owner(town, "ballot") as connection:
        stored = update(schema.ballot).where(schema.ballot.c.credential == town.credential(letter))
        await connection.execute(stored.values(packed=pack(town.ballot(letter, 1))))


@pytest.mark.parametrize(
    "values", [{"body": {"votes": 99}}, {"decryptions": b""}], ids=["another result", "other decryptions"]
)
async def test_a_result_that_the_databases_owner_rewrote_is_not_published(
    closed: CountedTown, tmp_path: Path, values: dict[str, Any]
) -> None:
    await count_into(closed, tmp_path / "result")
    async with as_owner(closed, "result") as connection:
        await connection.execute(update(schema.result).values(values))

    with pytest.raises((CannotCount, TooFewDecryptions), match=r"is another one|0 of the 2"):
        await count_into(closed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


async def test_other_decryptions_than_those_on_the_chain_are_not_published(closed: CountedTown, tmp_path: Path) -> None:
    """The same trustees decrypt anew, and the database's owner puts that in the place of what was counted."""
    await count_into(closed, tmp_path / "result")
    shares = [read_share(path) for path in share_files(closed, tmp_path / "shares")[:2]]
    lines = b"".join(closed.decryption(share, tmp_path / "result") + b"\n" for share in shares)
    async with as_owner(closed, "result") as connection:
        await connection.execute(update(schema.result).values(decryptions=lines))

    with pytest.raises(CannotCount, match="is another one"):
        await count_into(closed, tmp_path / "out")


async def test_a_result_that_is_not_on_the_chain_is_not_published(closed: CountedTown, tmp_path: Path) -> None:
    await begin(closed.database, tmp_path / "tally", secrets=SECRETS, by=GWEN)
    shares = [read_share(path) for path in share_files(closed, tmp_path / "shares")[:2]]
    lines = b"".join(closed.decryption(share, tmp_path / "tally") + b"\n" for share in shares)
    async with closed.database.writing() as connection:
        await connection.execute(insert(schema.result).values(only=1, body={}, at=NOW, decryptions=lines))

    with pytest.raises(CannotCount, match="is another one"):
        await count_into(closed, tmp_path / "out")


async def test_an_entry_out_of_place_stops_the_count_and_is_named(closed: CountedTown, tmp_path: Path) -> None:
    async with closed.database.writing() as connection:
        await chain.append(connection, "rule_changed", {}, by=GWEN)

    with pytest.raises(CannotCount, match='"rule_changed", comes after the close'):
        await count_into(closed, tmp_path / "out")


async def test_after_the_purge_no_bundle_is_written_again(closed: CountedTown, tmp_path: Path) -> None:
    await count_into(closed, tmp_path / "result")
    async with closed.database.writing() as connection:
        await forget_credentials(connection)

    with pytest.raises(CredentialsForgotten):
        await count_into(closed, tmp_path / "again")


SMALL = [(1, 0), (4, 0), (0, 1), (0, 4), (4, 5), (5, 4)]
LARGE = [(0, 0), (5, 0), (0, 5), (5, 5)]


@pytest.mark.parametrize(("online", "papers"), [*SMALL, *LARGE])
async def test_few_of_a_kind_are_published_only_if_the_officer_agrees(
    database: Database, tmp_path: Path, online: int, papers: int
) -> None:
    """None of a kind cannot harm. A poll without votes, with one, with only papers counts."""
    town = await open_town(database, 10)
    if online:
        await town.votes(town.letters[:online], 0)
    if papers:
        await take_papers(town, tmp_path, town.letters[online : online + papers])
    await close(town)
    await take_count(town, tmp_path, (0, papers))
    small = (online, papers) in SMALL
    if small:
        with pytest.raises(SmallPoll, match=f"^{online} ballots and {papers} papers: .* add --publish-small"):
            await count_into(town, tmp_path / "out")
        assert "ballots_closed" not in await chain_kinds(database)

    result = await count_into(town, tmp_path / "out", publish_small=small)

    assert [(row["online"], row["post"]) for row in result["questions"][0]["options"]] == [(online, 0), (0, papers)]
    async with database.reading() as connection:
        body = await connection.scalar(select(schema.chain.c.body).where(schema.chain.c.kind == "ballots_closed"))
    assert body.get("small", False) is small
    again = await count_into(town, tmp_path / "again")  # what was agreed once stands on the chain
    assert again == result
