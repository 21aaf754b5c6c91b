"""election.json: one election has one spelling; every rule holds when it is made and when it is read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed import ANY, BLANK_OR_SOME, ONE_OF_TWO, UUID, belenios_files, election_of

from voting.ballots.election import (
    Question,
    check_paper,
    check_uuid,
    describe_paper,
    draw_uuid,
    make_election,
    read_election,
)
from voting.ballots.group import BASE, IDENTITY, write_point
from voting.ballots.refusals import BallotRefusal, FieldWrong, NotThisElection, PointWrong

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    options = tuple(draw(st.lists(texts, min_size=1, max_size=5)))
    most = draw(st.integers(1, len(options)))
    return Question(draw(texts), options, draw(st.integers(0, most)), most, draw(st.booleans()))


@settings(deadline=None)
@given(st.lists(questions(), min_size=1, max_size=3), texts, texts)
def test_what_is_written_is_read(asked: list[Question], name: str, description: str) -> None:
    election = make_election(uuid=UUID, name=name, description=description, key=BASE, questions=asked)
    assert read_election(election.written) == election


def test_belenios_own_election_is_read_and_written_to_the_byte() -> None:
    files = belenios_files()
    election = read_election(files["election 0"])
    assert election.written == files["election 0"]
    assert f'"election_hash":"{election.hash}"'.encode() in files["ballot 0"]
    assert [question.blank for question in election.questions] == [False, True]
    assert [question.ciphertexts for question in election.questions] == [3, 5]


def make(**facts: Any) -> None:
    good = {"uuid": UUID, "name": "Plaid", "description": "d", "key": BASE, "questions": [ONE_OF_TWO]}
    make_election(**{**good, **facts})


BROKEN: dict[str, dict[str, Any]] = {
    "uuid": {"uuid": "1" * 13},
    "name": {"name": ""},
    "description": {"description": "a\nb"},
    "public_key": {"key": IDENTITY},
    "questions": {"questions": []},
    "questions[1].question": {"questions": [ONE_OF_TWO, Question("", ("A",), 0, 1)]},
    "questions[0].answers": {"questions": [Question("Q", (), 0, 1)]},
    "questions[0].answers[1]": {"questions": [Question("Q", ("A", "\ud800"), 0, 1)]},
    "questions[0].min": {"questions": [Question("Q", ("A", "B"), 2, 1)]},
    "questions[0].max": {"questions": [Question("Q", ("A", "B"), 1, 3)]},
}


@pytest.mark.parametrize(("field", "facts"), BROKEN.items(), ids=BROKEN)
def test_a_broken_rule_names_its_field(field: str, facts: dict[str, Any]) -> None:
    with pytest.raises(BallotRefusal) as refused:
        make(**facts)
    assert refused.value.field == field
    assert str(refused.value).startswith(field)


@pytest.mark.parametrize(
    "facts",
    [
        {"questions": [ONE_OF_TWO] * 21},
        {"questions": [Question("Q", ("A",) * 65, 0, 1)]},
        {"questions": [Question("Q", ("A",), -1, 1)]},
        {"questions": [Question("Q", ("A",), 0, 0)]},
        {"name": "n" * 1_001},
        {"name": "a\x7f"},
    ],
    ids=["21 questions", "65 answers", "at least -1", "at most 0", "1,001 characters", "a control character"],
)
def test_every_bound_holds(facts: dict[str, Any]) -> None:
    with pytest.raises(FieldWrong):
        make(**facts)


def test_the_bounds_themselves_are_allowed() -> None:
    make(name="n" * 1_000, questions=[Question("Q", ("A",) * 64, 0, 64)] * 20)


@pytest.mark.parametrize(
    "uuid", ["1" * 13, "1" * 65, "0" * 14, "O" * 14, "I" * 14, "l" * 14, "1" * 13 + "-", "1" * 14 + "\n", 1]
)
def test_a_uuid_is_14_or_more_characters_of_base58(uuid: object) -> None:
    with pytest.raises(FieldWrong, match="uuid"):
        check_uuid(uuid, "uuid")


def test_a_drawn_uuid_is_one() -> None:
    assert check_uuid(draw_uuid(), "uuid") != draw_uuid()
    assert len(draw_uuid()) == 22


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(election_of(ONE_OF_TWO, BLANK_OR_SOME).written)
    change(content)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a field more": ("election", lambda c: c.update(administrator="x")),
    "a field less": ("election", lambda c: c.pop("name")),
    "another order": ("election", lambda c: c.update(version=c.pop("version"))),
    "version 0": ("version", lambda c: c.update(version=0)),
    "version true": ("version", lambda c: c.update(version=True)),
    "another group": ("group", lambda c: c.update(group="RFC-3526-2048")),
    "a uuid that is a number": ("uuid", lambda c: c.update(uuid=12345678912345)),
    "a key that is no point": ("public_key", lambda c: c.update(public_key="00" * 32)),
    "a key that is the identity": ("public_key", lambda c: c.update(public_key=write_point(IDENTITY))),
    "questions that are none": ("questions", lambda c: c.update(questions={})),
    "a question that is none": ("questions[0]", lambda c: c["questions"].__setitem__(0, [])),
    "a question of another type": ("questions[0]", lambda c: c["questions"][0].update(type="Lists")),
    "blank false": ("questions[1].blank", lambda c: c["questions"][1].update(blank=False)),
    "blank 1": ("questions[1].blank", lambda c: c["questions"][1].update(blank=1)),
    "a least that is a text": ("questions[0].min", lambda c: c["questions"][0].update(min="1")),
    "a most that is true": ("questions[0].max", lambda c: c["questions"][0].update(max=True)),
    "an answer that is a number": ("questions[0].answers[1]", lambda c: c["questions"][0].update(answers=["A", 1])),
}


@pytest.mark.parametrize(("field", "change"), CHANGES.values(), ids=CHANGES)
def test_an_election_file_is_read_strictly(field: str, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(BallotRefusal) as refused:
        read_election(changed(change))
    assert refused.value.field == field


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.replace(b":", b": ", 1),
        lambda text: text + b"\n",
        lambda text: text.replace(b"Plaid", b"\\u0050laid"),
        lambda text: text.replace("Ŵ".encode(), b"\\u0174"),
        lambda text: text.replace(b'"min":0', b'"min":-0'),
    ],
    ids=["a space", "a new line", "an escape", "an escaped letter", "minus zero"],
)
def test_another_spelling_of_the_same_election_is_refused(spell: Callable[[bytes], bytes]) -> None:
    written = election_of(ANY).written
    assert spell(written) != written
    with pytest.raises(FieldWrong, match=r"^election is not"):
        read_election(spell(written))


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"1" * 5_000, b" " * (4 * 1024 * 1024 + 1), b"null"],
    ids=["nothing", "half", "a list", "no UTF-8", "too deep", "too many digits", "too long", "null"],
)
def test_what_is_no_election_at_all_is_refused(raw: bytes) -> None:
    with pytest.raises(FieldWrong, match=r"^election is not"):
        read_election(raw)


def test_a_field_that_stands_there_twice_is_refused() -> None:
    written = election_of(ANY).written.replace(b'"name":"Plaid"', b'"name":"x","name":"Plaid"')
    with pytest.raises(FieldWrong, match=r"^name is not"):
        read_election(written)


def test_the_description_binds_every_language_of_the_paper() -> None:
    paper = b'{"title":{"cy":"Arweinydd","en":"Leader"}}'
    election = make_election(
        uuid=UUID, name="Plaid", description=describe_paper(paper), key=BASE, questions=[ONE_OF_TWO]
    )
    assert election.description.startswith("ballotline paper 1 ")
    check_paper(election, paper)
    with pytest.raises(NotThisElection, match="description"):
        check_paper(election, paper + b" ")


def test_an_election_needs_a_key_of_order_q() -> None:
    with pytest.raises(PointWrong, match="public_key"):
        make(key=bytes(32))
