"""The count in two steps with trustees at home, and cut off anywhere: begun again it ends the same."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from counted_town import CountedTown, as_owner, bytes_of, count_into, folders
from counting import close, share_files, take_count, take_papers
from prepared import GWEN, SECRETS, chain_kinds, later
from sqlalchemy import update
from trustee_town import an_election, tally_bytes

from voting import schema
from voting.audit import chain
from voting.ballots.decryption import Factor, read_decryption, write_decryption
from voting.ballots.group import BASE, plus
from voting.ballots.tally import read_tally
from voting.ballots.trustee_refusals import (
    DecryptionWrong,
    FileDamaged,
    FileForeign,
    TooFewDecryptions,
    TwoFromOne,
)
from voting.ballots.written import File
from voting.count import count as counting
from voting.count import settling
from voting.count.count import begin, finish
from voting.model import By
from voting.poll.election import election_of, trustees_of
from voting.refusals import CannotCount, SmallPoll
from voting.trustees.decrypt import make_decryption
from voting.trustees.shares import read_share


async def begin_into(town: CountedTown, out: Path, **named: Any) -> dict[str, Any]:
    """Begin; whatever was written verifies."""
    begun = await begin(town.database, out, **{"secrets": SECRETS, "by": GWEN} | named)
    assert counting.verify(out).problems == ()
    return begun


async def finish_into(town: CountedTown, files: Sequence[Path], out: Path, **named: Any) -> dict[str, Any]:
    """Finish; whatever was written verifies."""
    result = await finish(town.database, files, out, **{"secrets": SECRETS, "by": GWEN} | named)
    assert counting.verify(out).problems == ()
    return result


def decryptions(town: CountedTown, folder: Path) -> list[Path]:
    """Let every trustee decrypt the tally in `folder`; give their files."""
    made = []
    for path in share_files(town, folder.parent / "shares"):
        share = read_share(path)
        made.append(folder.parent / f"decryption-{share.index}.json")
        made[-1].write_bytes(town.decryption(share, folder))
    return made


async def test_begin_writes_the_same_bytes_again_and_whoever_logs_in_meanwhile(
    closed: CountedTown, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    begun = await begin_into(closed, out)
    before = bytes_of(out)
    async with closed.database.writing() as connection:
        await chain.append(connection, "console_opened", {}, by=GWEN)
        await chain.sign_head(connection, later(hours=1))

    assert await begin_into(closed, out, by=By("Huw", "command line", later(days=1))) == begun
    assert await begin_into(closed, tmp_path / "again") == begun

    assert bytes_of(out) == bytes_of(tmp_path / "again") == before
    assert (begun["n"], begun["tally"]) == (12, closed.tally(out).digest)
    assert (await chain_kinds(closed.database)).count("ballots_closed") == 1
    assert not {"result.json", "result.html", "decryptions.jsonl"} & set(before)
    assert "trustee decrypt" in (out / "README.txt").read_text()


@pytest.mark.parametrize("who", [(0, 1), (2, 0), (1, 2), (2, 1, 0)])
async def test_any_two_of_the_three_give_the_result_into_the_same_folder(
    closed: CountedTown, tmp_path: Path, who: tuple[int, ...]
) -> None:
    out = tmp_path / "out"
    await begin_into(closed, out)
    files = decryptions(closed, out)
    async with closed.database.writing() as connection:  # staff go on while the trustees decrypt at home
        await chain.append(connection, "console_opened", {}, by=GWEN)

    result = await finish_into(closed, [files[index] for index in who], out)

    assert [row["online"] for row in result["questions"][0]["options"]] == [7, 5]
    lines = (out / "decryptions.jsonl").read_bytes().splitlines()
    assert lines == [files[index].read_bytes() for index in sorted(who)[:2]]
    assert folders(tmp_path) == ["out", "shares"]


async def test_finishing_again_with_others_decryptions_publishes_those_that_were_counted(
    closed: CountedTown, tmp_path: Path
) -> None:
    await begin_into(closed, tmp_path / "out")
    files = decryptions(closed, tmp_path / "out")
    await finish_into(closed, files[:2], tmp_path / "out")

    await finish_into(closed, files[1:], tmp_path / "again", by=By("Huw", "command line", later(days=1)))

    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")


async def test_once_there_is_a_result_begin_does_not_write_over_it(closed: CountedTown, tmp_path: Path) -> None:
    await count_into(closed, tmp_path / "out")
    before = bytes_of(tmp_path / "out")

    with pytest.raises(CannotCount, match="neither an empty folder"):
        await begin_into(closed, tmp_path / "out")
    await begin_into(closed, tmp_path / "tally")

    assert bytes_of(tmp_path / "out") == before


async def test_nothing_is_finished_that_was_not_begun(closed: CountedTown, tmp_path: Path) -> None:
    with pytest.raises(CannotCount, match="`ballotline tally begin` first"):
        await finish_into(closed, [], tmp_path / "out")


async def test_wrong_foreign_repeated_and_missing_decryptions_are_named(closed: CountedTown, tmp_path: Path) -> None:
    out, wrong = tmp_path / "out", tmp_path / "wrong.json"
    await begin_into(closed, out)
    files = decryptions(closed, out)
    election, trustees, tally = election_of(closed.poll), trustees_of(closed.poll), closed.tally(out)

    with pytest.raises(TooFewDecryptions, match=r"1 of the 2 .* have not decrypted: 1, 3\."):
        await finish_into(closed, [files[1], files[1]], out)
    wrong.write_bytes(files[0].read_bytes()[:-9])
    with pytest.raises(FileDamaged, match=r"wrong\.json is damaged"):
        await finish_into(closed, [wrong, files[1]], out)
    share = read_share(share_files(closed, tmp_path / "shares")[0])
    other = read_tally(File("tally", tally_bytes(election, [[1, 2]])), election)
    wrong.write_bytes(make_decryption(share, election, other))
    with pytest.raises(FileForeign, match=r"wrong\.json belongs to another tally"):
        await finish_into(closed, [wrong, files[1]], out)
    wrong.write_bytes(make_decryption(share, an_election(election.key, uuid="2" * 22), tally))
    with pytest.raises(FileForeign, match=r"wrong\.json belongs to another election"):
        await finish_into(closed, [wrong, files[1]], out)
    found = read_decryption(File("d", files[0].read_bytes()), election, tally, trustees)
    shifted = [[Factor(plus(one.factor, BASE), one.proof, one.second_proof) for one in q] for q in found.factors]
    wrong.write_bytes(write_decryption(1, election, tally, shifted))
    with pytest.raises(DecryptionWrong, match=r"wrong\.json is a false decryption of trustee 1"):
        await finish_into(closed, [wrong, files[1]], out)
    with pytest.raises((TwoFromOne, DecryptionWrong)):
        await finish_into(closed, [files[0], wrong, files[1]], out)
    with pytest.raises(FileDamaged, match="cannot be read"):
        await finish_into(closed, [tmp_path / "nothing.json"], out)

    assert "counted" not in await chain_kinds(closed.database)
    assert "result.json" not in bytes_of(out)
    assert (await finish_into(closed, files[:2], out))["online"] == 12


async def test_a_small_poll_stays_agreed_between_the_steps(voted: CountedTown, tmp_path: Path) -> None:
    await take_papers(voted, tmp_path, voted.letters[12:])
    await close(voted)
    await take_count(voted, tmp_path, (1, 0))
    with pytest.raises(SmallPoll):
        await begin_into(voted, tmp_path / "out")

    await begin_into(voted, tmp_path / "out", publish_small=True)
    await begin_into(voted, tmp_path / "out")
    result = await finish_into(voted, decryptions(voted, tmp_path / "out"), tmp_path / "out")

    assert result["post"] == 1


# ---- cut off


class CutOffError(Exception):
    """The power went."""


class Scissors:
    """Cuts a run off before or after the n-th call of a function; `home` is the module that calls it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Any, name: str, nth: int, *, after: bool) -> None:
        self.nth, self.after, self.calls = nth, after, 0
        real = getattr(home, name)
        monkeypatch.setattr(home, name, self.later(real) if inspect.iscoroutinefunction(real) else self.now(real))

    def now(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def cut(*words: Any, **named: Any) -> Any:
            self.calls += 1
            self.snip(before=True)
            answer = real(*words, **named)
            self.snip(before=False)
            return answer

        return cut

    def later(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def cut(*words: Any, **named: Any) -> Any:
            self.calls += 1
            self.snip(before=True)
            answer = await real(*words, **named)
            self.snip(before=False)
            return answer

        return cut

    def snip(self, *, before: bool) -> None:
        if self.calls == self.nth and before is not self.after:
            raise CutOffError


# Where a count may be cut off, and at which call: every step that writes, in the order of the run.
PLACES = [
    (counting, "write_tally", 1),
    (counting, "close_ballots", 1),  # drafted
    (counting, "write_bundle", 1),
    (counting, "verify", 1),
    (counting, "close_ballots", 2),  # written again, and committed when it ends
    (settling, "_commit_if_same", 1),
    (counting, "decrypt_all", 1),
    (counting, "write_result", 1),
    (counting, "keep_result", 1),
    (counting, "write_bundle", 2),
    (counting, "verify", 2),
    (counting, "keep_result", 2),
    (settling, "_commit_if_same", 2),
    (counting, "publish", 1),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("home", "name", "nth"), PLACES, ids=[f"{name} {nth}" for _, name, nth in PLACES])
async def test_a_count_that_was_cut_off_anywhere_ends_the_same(
    closed: CountedTown, tmp_path: Path, home: Any, name: str, nth: int, after: bool
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        scissors = Scissors(patched, home, name, nth, after=after)
        with pytest.raises(CutOffError):
            await count_into(closed, tmp_path / "out")
    assert scissors.calls == nth
    published = after and name == "publish"
    assert (tmp_path / "out").exists() is published

    result = await count_into(closed, tmp_path / "out", by=By("Huw", "command line", later(days=1)))

    assert [row["votes"] for row in result["questions"][0]["options"]] == [7, 5]
    kinds = await chain_kinds(closed.database)
    assert [kinds.count(kind) for kind in ("roll_closed", "ballots_closed", "counted")] == [1, 1, 1]
    await count_into(closed, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")
    assert folders(tmp_path) == ["again", "out", "shares"]


@pytest.mark.parametrize("moment", ["set aside", "named"])
async def test_a_finish_that_was_cut_off_while_it_took_the_folders_place_ends_the_same(
    closed: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    out = tmp_path / "out"
    await begin_into(closed, out)
    files = decryptions(closed, out)
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if moment == "named" and target == out:
            raise CutOffError
        done = real(path, target)
        if moment == "set aside":
            raise CutOffError
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(CutOffError):
            await finish_into(closed, files, out)
    assert not out.exists()

    assert (await finish_into(closed, files, out))["online"] == 12
    assert folders(tmp_path) == ["out", "shares"]


# ---- others write meanwhile


class Neighbour:
    """Staff who log in while the bundle is checked, so many times; and how often it was checked."""

    def __init__(self, town: CountedTown, times: int) -> None:
        self.town, self.times, self.checks = town, times, 0

    async def check(self, real: Callable[..., Awaitable[None]], *words: Any, **named: Any) -> None:
        await real(*words, **named)
        self.checks += 1
        if self.checks <= self.times:
            async with self.town.database.writing() as connection:
                await chain.append(connection, "console_opened", {"n": self.checks}, by=GWEN)


@pytest.mark.parametrize(("logins", "checks"), [(0, 1), (1, 2), (2, 3), (3, 4)])
async def test_what_others_wrote_to_the_chain_meanwhile_is_in_the_bundle(
    closed: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logins: int, checks: int
) -> None:
    """It is drafted and verified anew; the last time nobody else writes until it is done."""
    neighbour = Neighbour(closed, logins)
    real = counting._Counting._check

    async def check(work: Any, *words: Any, **named: Any) -> None:
        await neighbour.check(real, work, *words, **named)

    monkeypatch.setattr(counting._Counting, "_check", check)

    await begin_into(closed, tmp_path / "out")

    assert neighbour.checks == checks
    kinds = await chain_kinds(closed.database)
    assert kinds[-2 - logins :] == ["console_opened"] * logins + ["roll_closed", "ballots_closed"]
    monkeypatch.setattr(counting._Counting, "_check", real)
    await begin_into(closed, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")


async def test_a_head_signed_meanwhile_is_in_the_bundle(
    closed: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = counting._Counting._check

    async def check(work: Any, *words: Any, **named: Any) -> None:
        await real(work, *words, **named)
        async with closed.database.writing() as connection:
            await chain.sign_head(connection, later(hours=1))

    monkeypatch.setattr(counting._Counting, "_check", check)

    await begin_into(closed, tmp_path / "out")

    monkeypatch.setattr(counting._Counting, "_check", real)
    await begin_into(closed, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")


async def test_an_archive_of_many_pages_is_that_of_one(
    closed: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin_into(closed, tmp_path / "one")
    monkeypatch.setattr("voting.count.stored.PAGE_ROWS", 5)

    await begin_into(closed, tmp_path / "many")

    assert bytes_of(tmp_path / "many") == bytes_of(tmp_path / "one")


async def test_the_chain_can_be_rewritten_by_nobody_between_the_steps(closed: CountedTown, tmp_path: Path) -> None:
    await begin_into(closed, tmp_path / "out")
    files = decryptions(closed, tmp_path / "out")
    async with as_owner(closed, "pack") as connection:
        await connection.execute(update(schema.pack).where(schema.pack.c.id == 13).values(credential=b"x" * 32))

    with pytest.raises(CannotCount, match="have changed since the count began"):
        await finish_into(closed, files, tmp_path / "out")
