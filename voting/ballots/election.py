"""The election: its questions, its key and election.json, whose very bytes are hashed into every ballot.

election.json is Belenios's (specification 3.0, sections 4.9.1 and 4.10) without the optional names of people:
version, description, name, group, public_key, questions, uuid, in this order, as compact JSON. One election has one
spelling: what is read is written again and has to be the same bytes.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voting.ballots.group import Point, check_point, read_point, write_point
from voting.ballots.refusals import FieldWrong, NotThisElection
from voting.ballots.strict_json import Item, read_json

GROUP: Final = "Ed25519"
VERSION: Final = 1  # of the protocol
UUID_CHARACTERS_MIN: Final = 14  # specification 4.2
UUID_CHARACTERS_MAX: Final = 64
QUESTIONS_MAX: Final = 20
OPTIONS_MAX: Final = 64
TEXT_CHARACTERS_MAX: Final = 1_000
BLANK: Final = "(blank)"  # stands for a blank vote where options are named
ELECTION_BYTES_MAX: Final = 4 * 1024 * 1024
BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

_FIELDS: Final = ("version", "description", "name", "group", "public_key", "questions", "uuid")
_QUESTION: Final = ("answers", "min", "max", "question")
_BLANK_QUESTION: Final = ("answers", "blank", "min", "max", "question")
_UUID: Final = re.compile(rf"[{BASE58}]{{{UUID_CHARACTERS_MIN},{UUID_CHARACTERS_MAX}}}")
_TEXT: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{TEXT_CHARACTERS_MAX}}}")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: `least` to `most` of the options, or, where `blank` is allowed, none and that said."""

    text: str
    options: tuple[str, ...]
    least: int
    most: int
    blank: bool = False

    @property
    def ciphertexts(self) -> int:
        """How many ciphertexts answer it: one an option, and one before them for a blank vote."""
        return len(self.options) + self.blank

    @property
    def one_each(self) -> bool:
        """Whether every vote has exactly one mark, so that marks and voters are as many."""
        return self.least == self.most == 1

    @property
    def names(self) -> tuple[str, ...]:
        """Name what the ciphertexts stand for, in their order."""
        return (BLANK, *self.options) if self.blank else self.options

    @property
    def branches(self) -> int:
        """How many statements the proof of the sum has: one a sum, and one before them for a blank vote."""
        return self.most - self.least + 1 + self.blank


@dataclass(frozen=True, slots=True)
class Election:
    """What election.json says. `written` are its bytes, `hash` their SHA-256 in base64 without padding."""

    uuid: str
    name: str
    description: str
    key: Point
    questions: tuple[Question, ...]
    written: bytes
    hash: str


def draw_uuid() -> str:
    """Draw a fresh uuid: 22 characters of Base58, 128 bits."""
    return "".join(secrets.choice(BASE58) for _ in range(22))


def check_uuid(uuid: object, field: str) -> str:
    """Return a uuid of 14 to 64 Base58 characters; else `FieldWrong(field)`."""
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise FieldWrong(field, problem=f"a uuid has {UUID_CHARACTERS_MIN} or more characters of Base58")
    return uuid


def make_election(*, uuid: str, name: str, description: str, key: Point, questions: Sequence[Question]) -> Election:
    """Make the election and its bytes; the first rule that is broken raises, naming the field."""
    check_uuid(uuid, "uuid")
    _check_text(name, "name")
    _check_text(description, "description")
    check_point(key, "public_key")
    if not 1 <= len(questions) <= QUESTIONS_MAX:
        raise FieldWrong("questions", problem=f"1 to {QUESTIONS_MAX} questions")
    for number, question in enumerate(questions):
        _check_question(question, f"questions[{number}]")
    content = {
        "version": VERSION,
        "description": description,
        "name": name,
        "group": GROUP,
        "public_key": write_point(key),
        "questions": [_question_json(question) for question in questions],
        "uuid": uuid,
    }
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Election(uuid, name, description, key, tuple(questions), written, hash_of(written))


def read_election(written: bytes) -> Election:
    """Read election.json strictly; `FieldWrong`, or `PointWrong` for the key, names what is not by the rules."""
    content = read_json(written, bytes_max=ELECTION_BYTES_MAX, field="election").fields(_FIELDS)
    if content["version"].value != VERSION or isinstance(content["version"].value, bool):
        raise FieldWrong("version", problem=f"it is not {VERSION}")
    if content["group"].value != GROUP:
        raise FieldWrong("group", problem=f"it is not {GROUP}")
    election = make_election(
        uuid=content["uuid"].text(),
        name=content["name"].text(),
        description=content["description"].text(),
        key=read_point(content["public_key"].value, "public_key"),
        questions=[_read_question(item) for item in content["questions"].items()],
    )
    if election.written != written:
        raise FieldWrong("election", problem="it is not written as the specification has it")
    return election


def hash_of(written: bytes) -> str:
    """Hash as Belenios does: SHA-256 in base64 without padding, 43 characters."""
    return base64.b64encode(hashlib.sha256(written).digest()).decode().rstrip("=")


def describe_paper(paper: bytes) -> str:
    """Give the description that binds paper.json, every language's texts, into election.json."""
    return f"ballotline paper 1 {hashlib.sha256(paper).hexdigest()}"


def check_paper(election: Election, paper: bytes) -> None:
    """Raise `NotThisElection("description")` unless these are the bytes of the paper that the election binds."""
    if election.description != describe_paper(paper):
        raise NotThisElection("description")


def _read_question(item: Item) -> Question:
    content = item.fields(_BLANK_QUESTION if item.has("blank") else _QUESTION)
    blank = "blank" in content
    if blank and content["blank"].value is not True:
        raise FieldWrong(content["blank"].field, problem="it is true or not there")
    options = tuple(option.text() for option in content["answers"].items())
    return Question(content["question"].text(), options, content["min"].number(), content["max"].number(), blank)


def _question_json(question: Question) -> dict[str, object]:
    blank = {"blank": True} if question.blank else {}
    numbers = {"min": question.least, "max": question.most}
    return {"answers": list(question.options), **blank, **numbers, "question": question.text}


def _check_question(question: Question, field: str) -> None:
    _check_text(question.text, f"{field}.question")
    if not 1 <= len(question.options) <= OPTIONS_MAX:
        raise FieldWrong(f"{field}.answers", problem=f"1 to {OPTIONS_MAX} answers")
    for number, option in enumerate(question.options):
        _check_text(option, f"{field}.answers[{number}]")
    if not 0 <= question.least <= question.most:
        raise FieldWrong(f"{field}.min", problem="it is from 0 to max")
    if not 1 <= question.most <= len(question.options):
        raise FieldWrong(f"{field}.max", problem="it is from 1 to the number of answers")


def _check_text(text: str, field: str) -> None:
    if not _TEXT.fullmatch(text):
        raise FieldWrong(field, problem=f"1 to {TEXT_CHARACTERS_MAX} characters, none of them a control character")
