"""Checking: Belenios's own ballots hold; what is changed, left out, repeated or misspelled is refused by its name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sealed import BLANK_OR_SOME, ONE_OF_TWO, SECRET, ballot_for, belenios_files, election_of

from voting.ballots.ballot import Ballot, read_ballot, write_ballot
from voting.ballots.check import check
from voting.ballots.credential import public_credential
from voting.ballots.election import hash_of, read_election
from voting.ballots.group import BASE, IDENTITY, ORDER, plus, write_point
from voting.ballots.packed import pack, unpack
from voting.ballots.proofs import prove_knowledge
from voting.ballots.refusals import BallotRefusal, FieldWrong, PointWrong, ScalarWrong

ELECTION = election_of(ONE_OF_TWO, BLANK_OR_SOME)
PUBLIC = public_credential(SECRET)
BALLOT = ballot_for(ELECTION, [(0, 1), (0, 1, 0, 1)])
WRITTEN = write_ballot(BALLOT)
ORDER_TWO = (2**255 - 20).to_bytes(32, "little")
IDENTITY_TEXT = write_point(IDENTITY)


def judge(raw: bytes) -> Ballot:
    return check(read_ballot(raw), ELECTION, PUBLIC)


def test_our_own_ballot_holds() -> None:
    assert judge(WRITTEN) == BALLOT


@pytest.mark.parametrize("number", range(5))
def test_belenios_own_ballots_hold(number: int) -> None:
    files = belenios_files()
    election = read_election(files["election 0"])
    ballot = check(read_ballot(files[f"ballot {number}"]), election)
    assert write_ballot(ballot) == files[f"ballot {number}"]
    assert check(unpack(pack(ballot), election), election) == ballot


# ---- one byte


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WRITTEN) - 1), st.integers(0, 255))
def test_no_byte_of_the_json_can_be_changed(at: int, byte: int) -> None:
    assume(WRITTEN[at] != byte)
    with pytest.raises(BallotRefusal):
        judge(WRITTEN[:at] + bytes([byte]) + WRITTEN[at + 1 :])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(pack(BALLOT)) - 1), st.integers(1, 255))
def test_no_byte_of_the_packed_ballot_can_be_changed(at: int, flip: int) -> None:
    packed = bytearray(pack(BALLOT))
    packed[at] ^= flip
    with pytest.raises(BallotRefusal):
        check(unpack(bytes(packed), ELECTION), ELECTION, PUBLIC)


@pytest.mark.parametrize("packed", [b"", pack(BALLOT)[:-1], pack(BALLOT) + b"\0"], ids=["nothing", "short", "long"])
def test_a_packed_ballot_has_its_length(packed: bytes) -> None:
    with pytest.raises(FieldWrong, match="ballot"):
        unpack(packed, ELECTION)


@pytest.mark.parametrize("spoiled", [ORDER, 2**256 - 1])
def test_a_packed_scalar_is_below_q(spoiled: int) -> None:
    with pytest.raises(ScalarWrong, match="byte"):
        unpack(pack(BALLOT)[:-32] + spoiled.to_bytes(32, "little"), ELECTION)


# ---- one value: a fitting value in each place, signed again


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for name, item in items for leaf in leaves(item, (*path, name))]
    return [path]


def written_path(path: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


PATHS = {written_path(path): path for path in leaves(json.loads(WRITTEN))}


def with_value(path: tuple[Any, ...], change: Callable[[Any], Any]) -> bytes:
    """The ballot with one value changed, and its hash and signature made anew by its own credential."""
    content = json.loads(WRITTEN)
    *way, last = path
    place = content
    for part in way:
        place = place[part]
    place[last] = change(place[last])
    return json.dumps(content, separators=(",", ":")).encode()


def signed_again(raw: bytes) -> bytes:
    """As a thief would who has the codes: the hash and the signature are right again."""
    content = json.loads(raw)
    content.pop("signature")
    text = json.dumps(content, separators=(",", ":")).encode()
    digest = hash_of(text)
    proof = prove_knowledge(SECRET, f"sig|{digest}|", 7)
    content["signature"] = {"hash": digest, "proof": {name: str(n) for name, n in proof._asdict().items()}}
    return json.dumps(content, separators=(",", ":")).encode()


def another(value: Any) -> Any:
    """Another value that could stand there."""
    if len(value) == 64 and not value.isdecimal():
        return write_point(plus(bytes.fromhex(value)[::-1], BASE))
    return str((int(value) + 1) % ORDER) if value.isdecimal() else value[:-1] + "z"


def test_signed_again_it_would_hold() -> None:
    assert judge(signed_again(WRITTEN))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_no_value_can_be_another(path: tuple[Any, ...]) -> None:
    changed = with_value(path, another)
    with pytest.raises(BallotRefusal):
        judge(changed)
    if path[0] != "signature":
        with pytest.raises(BallotRefusal):
            judge(signed_again(changed))


SCALARS = {name: path for name, path in PATHS.items() if path[-1] in {"challenge", "response"}}
POINTS = {name: path for name, path in PATHS.items() if path[-1] in {"alpha", "beta", "credential"}}


@pytest.mark.parametrize("name", SCALARS)
@pytest.mark.parametrize(
    "spell",
    [
        lambda text: "0" + text,
        lambda text: str(int(text) + ORDER),
        lambda text: "+" + text,
        lambda text: text + " ",
        int,
    ],
    ids=["a leading zero", "q more", "a plus", "a space", "a number"],
)
def test_a_scalar_has_one_spelling(name: str, spell: Callable[[Any], Any]) -> None:
    with pytest.raises(ScalarWrong) as refused:
        read_ballot(with_value(SCALARS[name], spell))
    assert refused.value.field == name


BAD_POINTS: dict[str, Callable[[str], object]] = {
    "capitals": str.upper,
    "63 digits": lambda text: text[1:],
    "the identity": lambda _: IDENTITY_TEXT,
    "order 2": lambda _: write_point(ORDER_TWO),
    "order 4": lambda _: "0" * 64,
    "mixed order": lambda text: write_point(plus(bytes.fromhex(text)[::-1], ORDER_TWO)),
    "not on the curve": lambda _: "0" * 63 + "2",
    "not canonical": lambda _: write_point((2**255 - 19 + 1).to_bytes(32, "little")),
    "null": lambda _: None,
}


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("spell", BAD_POINTS.values(), ids=BAD_POINTS)
def test_a_point_is_canonical_and_of_order_q(name: str, spell: Callable[[str], object]) -> None:
    """Signed again, so that only the rule about points is in the way."""
    changed = signed_again(with_value(POINTS[name], spell))
    with pytest.raises(PointWrong) as refused:
        check(read_ballot(changed), ELECTION)
    assert refused.value.field == name


# ---- form


def reordered(content: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(content.items()))


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a space": lambda raw: raw.replace(b":", b": ", 1),
    "a new line": lambda raw: raw + b"\n",
    "an escape": lambda raw: raw.replace(b'"alpha"', b'"\\u0061lpha"', 1),
    "an escaped half of a character": lambda raw: raw.replace(b'"Ba11', b'"\\ud800', 1),
    "a field twice": lambda raw: raw.replace(b'"alpha":', b'"alpha":"1","alpha":', 1),
    "a credential twice": lambda raw: raw.replace(b'"credential"', b'"credential":"","credential"', 1),
    "a field more": lambda raw: raw[:-1] + b',"x":1}',
    "another order": lambda raw: json.dumps(reordered(json.loads(raw)), separators=(",", ":")).encode(),
    "another order inside": lambda raw: json.dumps(
        json.loads(raw, object_hook=lambda fields: reordered(fields) if "alpha" in fields else fields),
        separators=(",", ":"),
    ).encode(),
    "no signature": lambda raw: raw[: raw.index(b',"signature"')] + b"}",
    "no JSON": lambda raw: raw[:-1],
    "no UTF-8": lambda raw: raw[:-2] + b"\xff}",
    "a list": lambda raw: b"[" + raw + b"]",
    "too deep": lambda _: b"[" * 100_000,
    "too long": lambda raw: raw + b" " * 1024 * 1024,
    "NaN": lambda raw: raw.replace(b'"answers":[', b'"answers":[NaN,', 1),
    "answers that are a text": lambda _: with_value(("answers",), lambda _: "x"),
    "an answer that is null": lambda _: with_value(("answers", 0), lambda _: None),
    "a uuid that is a number": lambda _: with_value(("election_uuid",), lambda _: 5),
    "a signature's hash left out": lambda _: with_value(("signature",), lambda value: {"proof": value["proof"]}),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_form_is_exact(form: Callable[[bytes], bytes]) -> None:
    with pytest.raises(FieldWrong):
        read_ballot(form(WRITTEN))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            "another order inside",
            r"^answers\[0\]\.choices\[0\] is not as the rules have it: exactly the fields alpha, beta",
        ),
        ("answers that are a text", "^answers is not as the rules have it: a list"),
        ("too long", "^ballot is not as the rules have it: at most 1048576 bytes"),
    ],
)
def test_the_refusal_names_the_place_and_the_rule(form: str, words: str) -> None:
    with pytest.raises(FieldWrong, match=words):
        read_ballot(FORMS[form](WRITTEN))


def test_the_hash_in_the_signature_is_the_ballot_s() -> None:
    with pytest.raises(FieldWrong) as refused:
        read_ballot(with_value(("signature", "hash"), lambda text: text[::-1]))
    assert refused.value.field == "signature.hash"


# ---- lists


LISTS: dict[str, tuple[Any, ...]] = {
    "answers": ("answers",),
    "answers[0].choices": ("answers", 0, "choices"),
    "answers[0].individual_proofs": ("answers", 0, "individual_proofs"),
    "answers[0].individual_proofs[1]": ("answers", 0, "individual_proofs", 1),
    "answers[0].overall_proof": ("answers", 0, "overall_proof"),
    "answers[1].overall_proof": ("answers", 1, "overall_proof"),
    "answers[1].blank_proof": ("answers", 1, "blank_proof"),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "resize",
    [lambda items: items[:-1], lambda items: [*items, items[-1]], lambda _: []],
    ids=["one less", "one more", "none"],
)
def test_a_list_is_exactly_as_long_as_the_question_gives(name: str, resize: Callable[[list[Any]], list[Any]]) -> None:
    with pytest.raises(FieldWrong) as refused:
        judge(signed_again(with_value(LISTS[name], resize)))
    assert refused.value.field == name


def test_a_blank_proof_stands_where_blank_is_allowed_and_nowhere_else() -> None:
    blank = {"blank_proof": [{"challenge": "1", "response": "1"}] * 2}
    for number, change in ((0, lambda answer: answer | blank), (1, lambda answer: dict(list(answer.items())[:3]))):
        with pytest.raises(FieldWrong) as refused:
            judge(signed_again(with_value(("answers", number), change)))
        assert refused.value.field == f"answers[{number}].blank_proof"
