"""Decryptions: both proofs; any k of the m; what is wrong, foreign, repeated or missing is named."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from false_decryption import Cheat
from hypothesis import given, settings
from hypothesis import strategies as st
from trustee_town import a_tally, an_election, changed, compact, dealt, tallied, tally_bytes

from voting.ballots.combination import Combined, Logarithm, _same_factors, combine
from voting.ballots.decryption import read_decryption
from voting.ballots.gathering import gather
from voting.ballots.group import BASE, IDENTITY, base_times
from voting.ballots.tally import Tally, read_tally
from voting.ballots.trustee_refusals import (
    DecryptionWrong,
    FileDamaged,
    FileForeign,
    ResultImpossible,
    TooFewDecryptions,
    TrusteeRefusal,
    TwoFromOne,
)
from voting.ballots.written import File
from voting.trustees.dealer import deal_all
from voting.trustees.decrypt import make_decryption

ELECTION = an_election(dealt().trustees.election_key)
TALLY = a_tally(ELECTION, [[6, 2]])
GOOD = {
    index: File(f"decryption-{index}.json", make_decryption(dealt().shares[index - 1], ELECTION, TALLY))
    for index in (1, 2, 3)
}


def combined(*files: File, tally: Tally = TALLY, ballots: int = 8) -> Combined:
    return combine(list(files), election=ELECTION, trustees=dealt().trustees, tally=tally, ballots=ballots)


# ---- combination


@pytest.mark.parametrize("who", list(itertools.permutations((1, 2, 3), 2)), ids=str)
def test_any_two_of_three_make_the_result(who: tuple[int, int]) -> None:
    found = combined(*(GOOD[index] for index in who))

    assert found.dumps() == b'{"result":[[6,2]]}'
    assert [one.index for one in found.used] == sorted(who)


@pytest.mark.parametrize(("threshold", "of"), [(1, 1), (1, 2), (3, 3), (3, 4)])
def test_other_thresholds_make_the_result_too(threshold: int, of: int) -> None:
    key = deal_all(of, threshold)
    election = an_election(key.trustees.election_key)
    tally = a_tally(election, [[0, 9]])
    files = [File(str(share.index), make_decryption(share, election, tally)) for share in key.shares[-threshold:]]

    found = combine(files, election=election, trustees=key.trustees, tally=tally, ballots=9)

    assert found.result == ((0, 9),)


def test_a_decryption_more_is_checked_and_not_needed() -> None:
    found = combined(GOOD[3], GOOD[2], GOOD[1])

    assert [one.index for one in found.used] == [1, 2]
    assert found.notes == ("decryption-3.json is good and was not needed.",)


def test_no_ballots_at_all_make_a_result() -> None:
    """The product of no ballots is the identity, and so are its factors."""
    tally = read_tally(File("tally", tallied(ELECTION, [])), ELECTION)
    files = [File(str(share.index), make_decryption(share, ELECTION, tally)) for share in dealt().shares[:2]]

    assert combined(*files, tally=tally, ballots=0).result == ((0, 0),)


def test_a_decryption_given_twice_counts_once_and_is_said_so() -> None:
    again = File("again.json", make_decryption(dealt().shares[0], ELECTION, TALLY))

    with pytest.raises(TooFewDecryptions, match=r"1 of the 2 decryptions needed were given; .* decrypted: 2, 3\."):
        combined(GOOD[1], GOOD[1])
    assert combined(GOOD[1], again, GOOD[2]).notes == (
        "again.json says the same as decryption-1.json; it counts once.",
    )


def test_who_has_not_decrypted_is_named() -> None:
    with pytest.raises(TooFewDecryptions, match=r"0 of the 2 .* have not decrypted: 1, 2, 3\."):
        combined()


def test_a_decryption_of_another_election_or_tally_is_named() -> None:
    other = an_election(ELECTION.key, uuid="AnotherBaLLotLine")
    texts = an_election(ELECTION.key, options=("North", "West"))
    share = dealt().shares[0]
    for election in (other, texts):
        foreign = File("f.json", make_decryption(share, election, a_tally(election, [[1, 1]])))
        with pytest.raises(FileForeign, match=r"f\.json belongs to another election\."):
            combined(GOOD[2], foreign)
    foreign = File("f.json", make_decryption(share, ELECTION, a_tally(ELECTION, [[6, 2]])))
    with pytest.raises(FileForeign, match=r"f\.json belongs to another tally of this election\."):
        combined(GOOD[2], foreign)


def test_trustees_of_another_election_are_refused() -> None:
    with pytest.raises(FileForeign, match=r"trustees\.json belongs to another election"):
        combine([], election=ELECTION, trustees=deal_all(1, 1).trustees, tally=TALLY, ballots=8)


def test_a_sum_that_so_many_ballots_cannot_have_is_refused() -> None:
    with pytest.raises(ResultImpossible, match=r"\[0\]\[0\] of the result is not a number from 0 to 5, so"):
        combined(GOOD[1], GOOD[2], ballots=5)
    assert combined(GOOD[1], GOOD[2], ballots=6).result == ((6, 2),)


@pytest.mark.parametrize("highest", [0, 1, 2, 3, 8, 9, 10, 1000])
def test_logarithms_are_found_up_to_the_bound_and_not_beyond(highest: int) -> None:
    logarithm = Logarithm(highest)

    for number in {0, 1, 2, 3, highest // 2, highest - 1, highest, highest + 1, highest + 2} - {-1}:
        assert logarithm.of(base_times(number)) == (number if number <= highest else None)
    assert logarithm.of(base_times(-1)) is None


# ---- what is wrong in a decryption


def changed_file(change: Callable[[Any], object]) -> File:
    found = json.loads(GOOD[1].data)
    change(found)
    return File("d.json", compact(found))


def other_factor(found: Any) -> None:
    found["decryption"]["decryption_factors"][0][0] = "".join(f"{byte:02x}" for byte in BASE[::-1])


def other_second(found: Any) -> None:
    found["second_proofs"][0][0] = found["decryption"]["decryption_proofs"][0][0]


def other_first(found: Any) -> None:
    found["decryption"]["decryption_proofs"][0][0] = found["second_proofs"][0][0]


WRONG: dict[str, tuple[Callable[[Any], object], type[TrusteeRefusal], str]] = {
    "another trustee's": (
        lambda d: d.update(index=2),
        DecryptionWrong,
        r"false decryption of trustee 2: decryption_proofs",
    ),
    "another factor": (other_factor, DecryptionWrong, r"false decryption of trustee 1: decryption_proofs\[0\]\[0\]"),
    "first proof as second": (other_second, DecryptionWrong, r"trustee 1: second_proofs\[0\]\[0\] does not prove"),
    "second proof as first": (other_first, DecryptionWrong, r"trustee 1: decryption_proofs\[0\]\[0\] does not prove"),
    "no such trustee": (lambda d: d.update(index=4), FileDamaged, "index is not as"),
    "a question less": (lambda d: d["second_proofs"].pop(), FileDamaged, "second_proofs is not as .*a list of 1"),
    "a proof less": (lambda d: d["second_proofs"][0].pop(), FileDamaged, r"second_proofs\[0\] is not as .*a list of 2"),
    "a factor more": (
        lambda d: d["decryption"]["decryption_factors"][0].append("0" * 63 + "1"),
        FileDamaged,
        r"decryption_factors\[0\] is not as .*a list of 2",
    ),
    "a digest that is none": (lambda d: d.update(tally="1"), FileDamaged, "tally is not as"),
    "another format": (lambda d: d.update(format="2"), FileDamaged, "format is not as"),
    "a small-order factor": (
        lambda d: d["decryption"]["decryption_factors"].__setitem__(0, ["0" * 64] * 2),
        FileDamaged,
        r"decryption_factors\[0\] is not a point",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_decryption_is_named(name: str) -> None:
    change, kind, problem = WRONG[name]

    with pytest.raises(kind, match=rf"d\.json is .*{problem}"):
        combined(changed_file(change), GOOD[2])


def test_two_good_looking_decryptions_of_one_trustee_cannot_differ() -> None:
    one = read_decryption(GOOD[1], ELECTION, TALLY, dealt().trustees)
    other = read_decryption(GOOD[2], ELECTION, TALLY, dealt().trustees)

    assert _same_factors(one, one)
    assert not _same_factors(one, other)
    with pytest.raises(TwoFromOne):
        gather([GOOD[1], GOOD[2]], lambda file: one if file is GOOD[1] else _as_first(other), _same_factors)


def _as_first(other: Any) -> Any:
    return replace(other, index=1)


@settings(max_examples=100, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_changed_byte_of_a_decryption_is_refused(place: float, bit: int) -> None:
    with pytest.raises((FileDamaged, FileForeign, DecryptionWrong)):
        combined(File("d.json", changed(GOOD[1].data, place, bit)), GOOD[2])


@settings(max_examples=100, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_changed_byte_of_the_tally_is_refused(place: float, bit: int) -> None:
    data = tally_bytes(ELECTION, [[6, 2]])
    share = dealt().shares[0]
    made = File("d.json", make_decryption(share, ELECTION, read_tally(File("tally", data), ELECTION)))

    with pytest.raises((FileDamaged, FileForeign)):
        tally = read_tally(File("tally", changed(data, place, bit)), ELECTION)
        read_decryption(made, ELECTION, tally, dealt().trustees)


def test_a_tally_has_exactly_the_elections_sums() -> None:
    sums = json.loads(tally_bytes(ELECTION, [[6, 2]]))

    for wrong in ([], [*sums, *sums], [sums[0][:1]], [[*sums[0], sums[0][0]]], [[{}, {}]]):
        with pytest.raises(FileDamaged, match="tally is damaged"):
            read_tally(File("tally", compact(wrong)), ELECTION)


# ---- the false decryption (BALLOTS.md 7.1)


def test_a_trustee_and_the_last_caster_cannot_prove_a_false_result() -> None:
    """6:2 would become 1:7. Belenios's own proof holds: belenios-tool says that all is well (see its tests)."""
    cheat = Cheat(dealt().shares[0], dealt().trustees, ELECTION, partners=(1, 2), shift=(-5, 5))
    ballots = cheat.ballots([0, 0, 0, 0, 0, 0, 1, 1])
    tally = read_tally(File("tally", tallied(ELECTION, ballots)), ELECTION)
    honest = File("2.json", make_decryption(dealt().shares[1], ELECTION, tally))
    false = File("1.json", cheat.decryption(tally))

    with pytest.raises(DecryptionWrong, match=r"1\.json is a false decryption of trustee 1: second_proofs\[0\]\[0\]"):
        combined(false, honest, tally=tally)
    assert cheat.first_proofs_hold(tally)
    good = File("1.json", make_decryption(dealt().shares[0], ELECTION, tally))
    assert combined(good, honest, tally=tally).result == ((6, 2),)


def test_the_identity_is_no_surprise() -> None:
    assert Logarithm(3).of(IDENTITY) == 0
