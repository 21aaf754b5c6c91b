"""Sealing and shares: nothing shows through a sealed ballot, and whatever is wrong with a share is named."""

import json
import re
import stat
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_box_seal

from voting.audit.canonical import canonical_json, sha256_hex
from voting.refusals import ShareRefusal, UnknownOption
from voting.sealing.seal import (
    OPTIONS_MAX,
    SEALED_BYTES,
    BallotSpoiled,
    ElectionKey,
    Opened,
    OpeningKey,
    create_election_key,
    fingerprint,
    open_key,
    seal,
)
from voting.sealing.shares import (
    BadThreshold,
    PollKeyMismatch,
    Share,
    ShareDamaged,
    ShareForeign,
    ShareRepeated,
    TooFewShares,
    join,
    read_share,
    split,
    try_share,
    write_shares,
)

POLL = "leader-2022"
ELECTION = create_election_key(3, 2, poll_id=POLL)
OTHER = create_election_key(3, 2, poll_id="other-poll")
OPENING = open_key(ELECTION.shares[:2], public_key=ELECTION.public_key)


def box_of(*, version: int = 1, option: int = 0, options: int = 2, binding: bytes | None = None) -> bytes:
    """Seal a ballot that the program itself would not make."""
    bound = bytes.fromhex(fingerprint(ELECTION.public_key))[:11] if binding is None else binding
    ballot = bytes([version]) + option.to_bytes(2) + options.to_bytes(2) + bound + bytes(16)
    return crypto_box_seal(ballot, ELECTION.public_key)


# ---- ballots


@settings(deadline=None)
@given(st.data())
def test_what_is_sealed_is_what_is_opened(data: st.DataObject) -> None:
    options = data.draw(st.integers(1, OPTIONS_MAX))
    option = data.draw(st.integers(0, options - 1))

    assert OPENING.open(seal(ELECTION.public_key, option, options=options)).option == option


def test_a_sealed_ballot_has_one_length_and_is_never_the_same_twice() -> None:
    sealed = {seal(ELECTION.public_key, option, options=5) for option in range(5) for _ in range(20)}

    assert len(sealed) == 100
    assert {len(ballot) for ballot in sealed} == {SEALED_BYTES}
    assert len({OPENING.open(ballot).nonce for ballot in sealed}) == 100


@pytest.mark.parametrize(
    ("option", "options"),
    [
        pytest.param(2, 2, id="one past the last"),
        pytest.param(-1, 2, id="before the first"),
        pytest.param(0, 0, id="no options"),
        pytest.param(0, OPTIONS_MAX + 1, id="more options than fit"),
    ],
)
def test_only_an_option_on_the_paper_can_be_sealed(option: int, options: int) -> None:
    with pytest.raises(UnknownOption):
        seal(ELECTION.public_key, option, options=options)


def test_every_single_changed_byte_spoils_a_ballot() -> None:
    sealed = seal(ELECTION.public_key, 1, options=2)

    for at in range(SEALED_BYTES):
        with pytest.raises(BallotSpoiled, match="changed since"):
            OPENING.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])


@pytest.mark.parametrize(
    ("sealed", "problem"),
    [
        pytest.param(b"", "0 bytes instead of 80", id="nothing"),
        pytest.param(bytes(79), "79 bytes instead of 80", id="a byte short"),
        pytest.param(bytes(81), "81 bytes instead of 80", id="a byte long"),
        pytest.param(bytes(80), "not sealed to this poll's key", id="zeros"),
        pytest.param(seal(OTHER.public_key, 0, options=2), "not sealed to this poll's key", id="of another poll"),
        pytest.param(box_of(version=2), "does not hold a choice", id="of another version"),
        pytest.param(box_of(option=2), "does not hold a choice", id="an option that is not there"),
        pytest.param(box_of(binding=bytes(11)), "does not hold a choice", id="bound to another key"),
    ],
)
def test_a_ballot_that_this_poll_cannot_have_sealed_is_spoiled(sealed: bytes, problem: str) -> None:
    with pytest.raises(BallotSpoiled, match=problem):
        OPENING.open(sealed)


def test_a_spoiled_ballot_does_not_stop_the_count() -> None:
    good = [seal(ELECTION.public_key, option, options=2) for option in (0, 1)]

    first, spoiled, last = OPENING.open_all(iter([good[0], bytes(80), good[1]]))

    assert isinstance(first, Opened)
    assert isinstance(last, Opened)
    assert (first.option, last.option) == (0, 1)
    assert isinstance(spoiled, BallotSpoiled)


def test_the_published_key_opens_the_box_for_a_stranger() -> None:
    stranger = OpeningKey.from_private(OPENING.private_bytes(), ELECTION.public_key)

    assert stranger.open(seal(ELECTION.public_key, 1, options=2)).option == 1


@pytest.mark.parametrize(
    "private_key",
    [pytest.param(bytes(32), id="zeros"), pytest.param(b"", id="nothing"), pytest.param(bytes(33), id="too long")],
)
def test_a_private_key_that_is_not_the_polls_is_refused(private_key: bytes) -> None:
    with pytest.raises(PollKeyMismatch):
        OpeningKey.from_private(private_key, ELECTION.public_key)


# ---- shares joined


@pytest.mark.parametrize(
    ("trustees", "threshold"),
    [
        pytest.param(n, k, id=f"{k} of {n}")
        for n, k in ((1, 1), (2, 1), (2, 2), (3, 2), (5, 3), (5, 5), (16, 1), (16, 16))
    ],
)
def test_any_k_shares_open_and_fewer_do_not(trustees: int, threshold: int) -> None:
    election = create_election_key(trustees, threshold, poll_id=POLL)
    ballot = seal(election.public_key, 1, options=2)

    for chosen in combinations(election.shares, threshold):
        opening = open_key(chosen, public_key=election.public_key, share_digests=election.share_digests)
        assert opening.open(ballot).option == 1
    with pytest.raises(TooFewShares, match=f"{threshold - 1} of the {threshold}"):
        open_key(election.shares[: threshold - 1], public_key=election.public_key)


def test_more_shares_than_needed_open_too_in_any_order() -> None:
    opening = open_key(ELECTION.shares[::-1], public_key=ELECTION.public_key)

    assert opening.private_bytes() == OPENING.private_bytes()


def test_each_key_and_each_share_is_new() -> None:
    assert ELECTION.public_key != OTHER.public_key
    halves = {half for share in ELECTION.shares + OTHER.shares for half in (share.first_half, share.second_half)}
    assert len(halves) == 12


@settings(deadline=None, max_examples=40)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 16), st.data())
def test_whatever_is_split_can_be_joined(secret: bytes, trustees: int, data: st.DataObject) -> None:
    threshold = data.draw(st.integers(1, trustees))
    shares = split(secret, trustees, threshold, poll_id=POLL, key="k")
    chosen = data.draw(st.permutations(shares))[:threshold]

    assert join(chosen, key="k") == secret


@pytest.mark.parametrize(
    ("trustees", "threshold"),
    [
        pytest.param(3, 4, id="more than there are"),
        pytest.param(3, 0, id="none"),
        pytest.param(0, 0, id="nobody"),
        pytest.param(17, 2, id="too many trustees"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(trustees: int, threshold: int) -> None:
    with pytest.raises(BadThreshold):
        create_election_key(trustees, threshold, poll_id=POLL)


def test_a_share_given_twice_is_named() -> None:
    with pytest.raises(ShareRepeated, match="share 2 of 3 was given twice"):
        open_key([ELECTION.shares[1], ELECTION.shares[1]], public_key=ELECTION.public_key)


def test_a_share_of_another_key_is_named_with_its_poll() -> None:
    with pytest.raises(ShareForeign, match=r"share 1 of 3 is a share of another key \(poll other-poll\)"):
        open_key([ELECTION.shares[1], OTHER.shares[0]], public_key=ELECTION.public_key)


def test_a_share_changed_with_a_digest_to_match_is_named_by_the_public_record() -> None:
    forged = replace(ELECTION.shares[1], second_half=bytes(16))
    given = [ELECTION.shares[0], Share.loads(forged.dumps())]

    with pytest.raises(ShareDamaged, match="share 2 of 3 is damaged"):
        open_key(given, public_key=ELECTION.public_key, share_digests=ELECTION.share_digests)
    with pytest.raises(PollKeyMismatch):
        open_key(given, public_key=ELECTION.public_key)


def test_a_share_that_claims_a_lower_threshold_opens_nothing() -> None:
    with pytest.raises(PollKeyMismatch):
        open_key([replace(ELECTION.shares[0], threshold=1)], public_key=ELECTION.public_key)


def test_no_shares_are_too_few() -> None:
    with pytest.raises(TooFewShares):
        open_key([], public_key=ELECTION.public_key)


def test_a_trustee_can_try_a_share_alone() -> None:
    key = fingerprint(ELECTION.public_key)
    for share in ELECTION.shares:
        try_share(share, key=key, digests=ELECTION.share_digests)

    with pytest.raises(ShareForeign):
        try_share(OTHER.shares[0], key=key)
    with pytest.raises(ShareDamaged):
        try_share(replace(ELECTION.shares[0], threshold=1), key=key, digests=ELECTION.share_digests)


def test_neither_a_share_nor_a_key_shows_its_secret(tmp_path: Path) -> None:
    secrets = [half for share in ELECTION.shares for half in (share.first_half, share.second_half)]
    secrets.append(OPENING.private_bytes())
    shown = repr(ELECTION) + repr(OPENING) + str(ELECTION.share_digests)

    assert not any(repr(secret) in shown or secret.hex() in shown for secret in secrets)


# ---- shares written down


def test_a_share_reads_back_as_it_was_written() -> None:
    for share in ELECTION.shares:
        assert Share.loads(share.dumps()) == share


def test_a_share_survives_a_windows_editor_and_a_mail() -> None:
    text = ELECTION.shares[0].dumps()

    assert Share.loads("\n\n" + text.replace("\n", "\r\n") + "  ") == ELECTION.shares[0]


@settings(deadline=None)
@given(st.data())
def test_any_changed_character_of_what_matters_is_noticed(data: st.DataObject) -> None:
    text = ELECTION.shares[0].dumps()
    matters = text.index('"format"')
    at = data.draw(st.integers(matters, len(text) - 3).filter(lambda place: not text[place].isspace()))
    char = data.draw(st.characters(codec="ascii", exclude_characters=text[at]))
    changed = text[:at] + char + text[at + 1 :]

    # Upper-case hexadecimal digits are the same number, and no damage.
    if changed.lower() != text.lower():
        with pytest.raises(ShareDamaged):
            Share.loads(changed)


def line(name: str, value: object) -> str:
    """Write a share with one line replaced (left out for None) and everything else right."""
    found = json.loads(ELECTION.shares[0].dumps()) | {name: value}
    return json.dumps({key: held for key, held in found.items() if held is not None})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "not a share file", id="empty"),
        pytest.param("Dear trustee,", "not a share file", id="a letter"),
        pytest.param("[" * 100_000, "not a share file", id="deeply nested"),
        pytest.param(ELECTION.shares[0].dumps()[:200], "not a share file", id="cut off"),
        pytest.param("[]", "not a share file of this version", id="a list"),
        pytest.param(line("format", "ballotline share 2"), "not a share file of this version", id="a newer version"),
        pytest.param(line("poll", None), "its line poll is missing or wrong", id="no poll"),
        pytest.param(line("poll", 7), "its line poll is missing or wrong", id="a number for a poll"),
        pytest.param(line("share", None), "its line share is missing or wrong", id="no index"),
        pytest.param(line("share", 0), "its line share is missing or wrong", id="index nought"),
        pytest.param(line("share", True), "its line share is missing or wrong", id="true for an index"),
        pytest.param(line("of", 17), "its line of is missing or wrong", id="too many trustees"),
        pytest.param(line("needed", "2"), "its line needed is missing or wrong", id="words for a number"),
        pytest.param(line("key", None), "its line key is missing or wrong", id="no key"),
        pytest.param(line("first_half", "00" * 15), "its line first_half is missing or wrong", id="half a byte short"),
        pytest.param(line("second_half", "xyz"), "its line second_half is missing or wrong", id="not hexadecimal"),
        pytest.param(line("digest", None), "was changed, or mistyped", id="no digest"),
        pytest.param(line("needed", 1), "was changed, or mistyped", id="another threshold"),
        pytest.param(line("first_half", "00" * 16), "was changed, or mistyped", id="another half"),
        pytest.param(line("poll", "\ud800"), "its line poll is missing or wrong", id="half a character"),
    ],
)
def test_what_is_wrong_with_a_share_file_is_named(text: str, problem: str) -> None:
    with pytest.raises(ShareDamaged, match=re.escape(problem)) as refused:
        Share.loads(text, name="share-1.json")

    assert str(refused.value).startswith("share-1.json is damaged: it")


def test_share_files_are_for_their_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    paths = write_shares(tmp_path, ELECTION.shares)

    assert [path.name for path in paths] == ["share-1-of-3.json", "share-2-of-3.json", "share-3-of-3.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert [read_share(path) for path in paths] == list(ELECTION.shares)
    with pytest.raises(FileExistsError):
        write_shares(tmp_path, ELECTION.shares)


def test_a_share_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")

    with pytest.raises(ShareDamaged, match=r"photo\.jpg is damaged: it is not a share file"):
        read_share(tmp_path / "photo.jpg")
    with pytest.raises(ShareDamaged, match=r"none\.json is damaged: it cannot be read \(No such file or directory\)"):
        read_share(tmp_path / "none.json")


def test_every_share_refusal_is_one_that_staff_are_shown() -> None:
    for kind in (BadThreshold, ShareDamaged, ShareForeign, ShareRepeated, TooFewShares, PollKeyMismatch):
        assert issubclass(kind, ShareRefusal)


def test_an_election_key_keeps_its_private_half_nowhere_but_in_its_shares() -> None:
    assert ElectionKey.__dataclass_fields__.keys() == {"public_key", "shares"}


# ---- canonical JSON


def test_the_same_value_is_the_same_bytes_whatever_the_order() -> None:
    assert canonical_json({"b": [1, None, True], "a": ("ŵ", {})}) == '{"a":["ŵ",{}],"b":[1,null,true]}'.encode()
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@settings(deadline=None)
@given(nested)
def test_canonical_json_reads_back_and_writes_the_same_again(value: object) -> None:
    written = canonical_json(value)

    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1.0, id="a float"),
        pytest.param([float("nan")], id="not a number"),
        pytest.param({"a": b""}, id="bytes"),
        pytest.param({1: "a"}, id="a number for a key"),
        pytest.param({"a": {2}}, id="a set"),
    ],
)
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)
