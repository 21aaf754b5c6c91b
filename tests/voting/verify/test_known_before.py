"""What somebody kept: a head of the chain, the mark of a ballot, the codes that it was cast with."""

import json
from pathlib import Path
from typing import Any

import pytest
from made_bundle import KEY, UUID, Made, head_line, sha256
from made_edits import after, entry, number_of
from nacl.signing import SigningKey
from trustee_town import a_vote

from voting.ballots.ballot import ballot_mark
from voting.ballots.credential import derive_secret
from voting.ballots.group import hash_to_scalar
from voting.verify import format as form
from voting.verify.verify import Asked, verify

PACK_CODE, VOTE_CODE = "VK475JSUE", "ES2G2H74GVKQ"
OTHERS = ("2345678AB", "23456789ABCD")  # codes of a pack that has not voted


def secret_of(pack: int) -> int:
    """The secret of a pack; packs 3 and 9 have codes that the tests know."""
    codes = {3: (PACK_CODE, VOTE_CODE), 9: OTHERS}.get(pack)
    return hash_to_scalar(f"pack {pack}") if codes is None else derive_secret(*codes, UUID)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr("made_bundle.secret_of", secret_of)
    monkeypatch.setattr("made_bundle.vote_of", lambda election, pack, vote: a_vote(election, secret_of(pack), vote))
    return Made()


@pytest.fixture
def bundle(made: Made, tmp_path: Path) -> Path:
    return made.write(tmp_path / "bundle")


def told(bundle: Path, **asked: Any) -> tuple[bool, str]:
    """Whether the bundle passes, and what the last check or the problem says."""
    report = verify(bundle, asked=Asked(**asked))
    return report.ok, " ".join(str(one) for one in report.problems) or report.checks[-1].detail


def test_a_member_finds_their_mark(made: Made, bundle: Path) -> None:
    mark = ballot_mark(made.made[2])

    assert told(bundle, receipt=mark) == (True, mark)
    assert told(bundle, receipt=f" {mark.lower().replace('-', ' ')}\n") == (True, mark)


def test_a_mark_of_no_ballot_is_said(bundle: Path) -> None:
    assert told(bundle, receipt="2222-2222-2222-2222") == (
        False,
        "the receipt: 2222-2222-2222-2222 is the mark of no ballot in the archive",
    )


@pytest.mark.parametrize("mark", ["", "ABC", "0000-0000-0000-0000", "\x1b[31m"])
def test_a_mark_that_is_none_is_said(bundle: Path, mark: str) -> None:
    ok, said = told(bundle, receipt=mark)

    assert not ok
    assert said.startswith("the receipt: cannot be read: mark is not")


def test_a_mark_is_not_looked_up_in_an_archive_that_was_changed(made: Made, bundle: Path) -> None:
    archive = bundle / form.archive_name(UUID)
    archive.write_bytes(archive.read_bytes()[:-1])

    report = verify(bundle, asked=Asked(receipt=ballot_mark(made.made[2])))

    assert not report.ok
    assert report.checks[-1].detail == f"not tried, because of {form.archive_name(UUID)}"


@pytest.mark.parametrize("pack_code", [PACK_CODE, PACK_CODE.lower(), "VK4-75J SUE"])
def test_with_the_codes_the_ballot_is_theirs(made: Made, bundle: Path, pack_code: str) -> None:
    mark = ballot_mark(made.made[2])  # of pack 3

    assert told(bundle, receipt=mark, codes=(pack_code, VOTE_CODE)) == (True, f"{mark}, by these codes")


def test_one_mark_told_to_two_voters_is_found_by_the_codes(made: Made, bundle: Path) -> None:
    """A service that casts one ballot and tells its mark to everybody who chose the same."""
    mine, told_to_me = ballot_mark(made.made[2]), ballot_mark(made.made[0])

    assert told(bundle, receipt=told_to_me)[0]
    assert told(bundle, receipt=told_to_me, codes=(PACK_CODE, VOTE_CODE)) == (
        False,
        f"the receipt: is not the mark of the ballot by these codes, {mine}",
    )


@pytest.mark.parametrize(
    ("codes", "what"),
    [
        (OTHERS, "the codes: have no ballot in the archive"),
        ((VOTE_CODE, PACK_CODE), "the codes: are no pack's in this poll"),
        (("O0O0", VOTE_CODE), "the codes: cannot be read: pack_code is not"),
    ],
)
def test_codes_without_a_ballot_are_said(made: Made, bundle: Path, codes: tuple[str, str], what: str) -> None:
    ok, said = told(bundle, receipt=ballot_mark(made.made[0]), codes=codes)

    assert not ok
    assert said.startswith(what)
    assert PACK_CODE not in repr(Asked(receipt="x", codes=codes))


# ---- heads


def kept(path: Path, line: bytes) -> Path:
    """A head in a file."""
    path.write_bytes(line)
    return path


def test_a_head_that_was_kept_is_on_the_chain(made: Made, bundle: Path, tmp_path: Path) -> None:
    line = head_line(7, made.entries[6]["hash"])

    assert told(bundle, head=kept(tmp_path / "head", line)) == (True, "entry 7")
    assert told(bundle, head=kept(tmp_path / "head", b"\n " + line)) == (True, "entry 7")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (head_line(5, "ab" * 32), "does not have the head that was kept, entry 5"),
        (head_line(9_999, "ab" * 32), "does not have the head that was kept, entry 9999"),
        (head_line(5, "ab" * 32, SigningKey(bytes(32))), "is not signed by this poll's signing key"),
        (b"", "is not JSON"),
        (b'{"seq":1}', '"hash" is not a text'),
    ],
)
def test_a_head_that_was_kept_contradicts_another_chain(bundle: Path, tmp_path: Path, line: bytes, what: str) -> None:
    """Signed by the same key, so somebody saw another chain."""
    ok, said = told(bundle, head=kept(tmp_path / "head", line))

    assert not ok
    assert what in said


def test_a_head_that_was_given_up_is_said_to_be(tmp_path: Path) -> None:
    lost = entry("head_resumed", lost_seq=11, lost_hash="ab" * 32, asked_by="Gwen", approved_by="Huw")
    bundle = Made(edit_entries=after("votes_locked", lost)).write(tmp_path / "bundle")

    ok, said = told(bundle, head=kept(tmp_path / "head", head_line(11, "ab" * 32)))

    assert not ok
    assert "does not continue the head that was kept, entry 11: two officers gave it up" in said


def test_a_head_that_cannot_be_read_is_said(bundle: Path, tmp_path: Path) -> None:
    assert told(bundle, head=tmp_path / "nowhere") == (
        False,
        "the head that was kept: cannot be read (No such file or directory)",
    )


# ---- what an operator with the signing key does after somebody kept a head


def test_votes_taken_away_contradict_a_head_that_was_kept(made: Made, tmp_path: Path) -> None:
    """Everything is signed anew, and agrees with itself: only the kept head tells."""
    before = head_line(len(made.entries), made.entries[-1]["hash"])
    fewer = Made(votes=made.votes[:-2], voters=made.voters[:-2]).write(tmp_path / "fewer")

    assert verify(fewer).ok
    assert not told(fewer, head=kept(tmp_path / "head", before))[0]


def test_an_older_copy_put_back_contradicts_a_head_that_was_kept(made: Made, tmp_path: Path) -> None:
    place = number_of("pack_replaced")
    older = Made(replaced=None).write(tmp_path / "older")

    assert verify(older).ok
    assert not told(older, head=kept(tmp_path / "head", head_line(place, made.entries[place - 1]["hash"])))[0]


def test_the_key_that_signs_heads_signs_nothing_else(made: Made, bundle: Path, tmp_path: Path) -> None:
    """An entry's signature is none of a head, nor the manifest's."""
    last = made.entries[-1]
    line = form.canonical({"seq": last["seq"], "hash": last["hash"], "signature": last["signature"]})
    manifest = KEY.sign((bundle / form.MANIFEST).read_bytes()).signature.hex().encode() + b"\n"

    assert "is not signed" in told(bundle, head=kept(tmp_path / "head", line))[1]
    (bundle / form.SIGNATURE).write_bytes(manifest)
    assert not verify(bundle).ok
    assert json.loads(line)["hash"] != sha256(line)
