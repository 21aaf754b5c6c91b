"""The encrypted tally: worked out once, and taken from an earlier step's archive only while it is the chain's."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from counted_town import CountedTown, as_owner, bytes_of
from counting import share_files
from prepared import GWEN, SECRETS
from sqlalchemy import update

from voting import schema
from voting.ballots.ballot import Ballot
from voting.ballots.packed import pack
from voting.count import tally
from voting.count.count import begin, finish
from voting.refusals import CannotCount
from voting.trustees.shares import read_share
from voting.verify import format as form
from voting.verify.verify import verify


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many ballots were added up, each time any were."""
    seen: list[int] = []
    real = tally._products

    def products(ballots: Sequence[Ballot], election: tally.Election) -> tally.Sums:
        seen.extend([len(ballots)] if ballots else [])
        return real(ballots, election)

    monkeypatch.setattr(tally, "_products", products)
    return seen


async def begun(town: CountedTown, out: Path) -> list[Path]:
    """Begin into a folder, and have two trustees decrypt; give their files."""
    await begin(town.database, out, secrets=SECRETS, by=GWEN)
    files = []
    for path in share_files(town, out.parent / "shares")[:2]:
        files.append(out.parent / f"decryption-{path.name}")
        files[-1].write_bytes(town.decryption(read_share(path), out))
    return files


async def test_a_page_is_added_up_in_two_parts_and_the_second_step_adds_nothing(
    closed: CountedTown, tmp_path: Path, added: list[int]
) -> None:
    files = await begun(closed, tmp_path / "out")
    assert added == [6, 6]

    await finish(closed.database, files, tmp_path / "out", secrets=SECRETS, by=GWEN)

    assert added == [6, 6]
    assert verify(tmp_path / "out").problems == ()
    await finish(closed.database, files, tmp_path / "elsewhere", secrets=SECRETS, by=GWEN)
    assert added == [6, 6, 6, 6]
    assert bytes_of(tmp_path / "elsewhere") == bytes_of(tmp_path / "out")


def other_sums(archive: Path) -> None:
    """Change a digit of the tally."""
    content = archive.read_bytes()
    at = content.rindex(b'[[{"alpha":"') + 20
    archive.write_bytes(content[:at] + (b"0" if content[at : at + 1] != b"0" else b"1") + content[at + 1 :])


def other_ballot(archive: Path) -> None:
    """Change a digit of a ballot."""
    content = archive.read_bytes()
    at = content.index(b'"credential":"') + 20
    archive.write_bytes(content[:at] + (b"0" if content[at : at + 1] != b"0" else b"1") + content[at + 1 :])


def cut_short(archive: Path) -> None:
    """Leave the beginning alone."""
    archive.write_bytes(archive.read_bytes()[:1000])


def a_folder(archive: Path) -> None:
    """Put a folder there."""
    archive.unlink()
    archive.mkdir()


@pytest.mark.parametrize("tampers", [other_sums, other_ballot, cut_short, a_folder], ids=lambda act: act.__name__)
async def test_what_was_changed_in_the_first_steps_archive_is_not_taken_on(
    closed: CountedTown, tmp_path: Path, added: list[int], tampers: Callable[[Path], None]
) -> None:
    """Ballots are written from the database again; sums are taken only if they are those that the chain has bound."""
    files = await begun(closed, tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "good")
    tampers(tmp_path / "out" / form.archive_name(closed.poll.uuid))

    await finish(closed.database, files, tmp_path / "out", secrets=SECRETS, by=GWEN)

    assert added == [6, 6, *([] if tampers is other_ballot else [6, 6])]
    assert verify(tmp_path / "out").problems == ()
    await finish(closed.database, files, tmp_path / "good", secrets=SECRETS, by=GWEN)
    assert bytes_of(tmp_path / "good") == bytes_of(tmp_path / "out")


async def test_a_ballot_that_changed_between_the_steps_is_noticed_though_its_sum_is_taken_on(
    closed: CountedTown, tmp_path: Path
) -> None:
    files = await begun(closed, tmp_path / "out")
    before = bytes_of(tmp_path / "out")
    letter = closed.letters[0]
    async with as_owner(closed, "ballot") as connection:
        stored = update(schema.ballot).where(schema.ballot.c.credential == closed.credential(letter))
        await connection.execute(stored.values(packed=pack(closed.ballot(letter, 1))))

    with pytest.raises(CannotCount, match="is not the ballot that is due"):
        await finish(closed.database, files, tmp_path / "out", secrets=SECRETS, by=GWEN)

    assert bytes_of(tmp_path / "out") == before
