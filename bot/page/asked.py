"""What the page may ask, read strictly: a JSON object with the fields of its question, each within its bounds."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.page.refusals import RequestWrong
from voting.ballots.group import read_point, read_scalar
from voting.ballots.proofs import Proof
from voting.ballots.refusals import BallotRefusal
from voting.codes.codes import Kind
from voting.codes.format import VALUES
from voting.votes.right_codes import Purpose

LANGUAGE_CHARACTERS_MAX: Final = 35
RULE_VERSION_MAX: Final = 2**31 - 1
_SESSION: Final = re.compile(r"[0-9a-f]{32}")
_INTENT: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PURPOSES: Final = {"check": Purpose.VERIFY, "vote": Purpose.VOTE}


@dataclass(frozen=True, slots=True)
class Asker:
    """What comes with every question; `init_data` is what Telegram signed, or nothing."""

    session: str
    language: str | None
    init_data: str | None


@dataclass(frozen=True, slots=True, repr=False)
class PackAsked:
    """A pack code; without a rule's version the codes are only checked."""

    code: str
    rule_version: int | None


@dataclass(frozen=True, slots=True, repr=False)
class CodesAsked:
    """A credential and the proof that both its codes are at hand; `said` is the purpose as the proof names it."""

    intent: str
    said: str
    purpose: Purpose
    credential: bytes
    proof: Proof


@dataclass(frozen=True, slots=True, repr=False)
class BallotAsked:
    """A sealed and signed ballot; `ballot` is its JSON, compact, judged later."""

    intent: str
    rule_version: int
    ballot: bytes


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object; RequestWrong."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestWrong(field="not JSON") from None
    if not isinstance(content, dict):
        raise RequestWrong(field="not an object")
    return content


def read_asker(content: dict[str, Any]) -> Asker:
    """Read who asks; RequestWrong."""
    return Asker(
        _matched(content, "session", _SESSION),
        _optional(content, "language", lambda value: len(value) <= LANGUAGE_CHARACTERS_MAX),
        _optional(content, "init_data", bool),
    )


def read_pack(content: dict[str, Any]) -> PackAsked:
    """Read the question of /vote/pack; RequestWrong."""
    code = content.get("pack_code")
    if not isinstance(code, str) or len(code) != Kind.PACK.length or not VALUES.keys() >= set(code):
        raise RequestWrong(field="pack_code")
    if content.get("rule_version") is None:
        return PackAsked(code, None)
    return PackAsked(code, _version(content))


def read_codes(content: dict[str, Any]) -> CodesAsked:
    """Read the question of /vote/codes; RequestWrong."""
    said = content.get("purpose")
    if not isinstance(said, str) or said not in _PURPOSES:
        raise RequestWrong(field="purpose")
    proof = content.get("proof")
    if not isinstance(proof, dict) or proof.keys() != {"challenge", "response"}:
        raise RequestWrong(field="proof")
    try:
        credential = read_point(content.get("credential"), "credential")
        numbers = Proof(read_scalar(proof["challenge"], "proof"), read_scalar(proof["response"], "proof"))
    except BallotRefusal as wrong:
        raise RequestWrong(field=wrong.field) from None
    return CodesAsked(_matched(content, "intent", _INTENT), said, _PURPOSES[said], credential, numbers)


def read_ballot(content: dict[str, Any]) -> BallotAsked:
    """Read the question of /vote/ballot; RequestWrong. The ballot is written anew, as compact as it is hashed."""
    ballot = content.get("ballot")
    if not isinstance(ballot, dict):
        raise RequestWrong(field="ballot")
    try:
        written = json.dumps(ballot, ensure_ascii=False, separators=(",", ":")).encode()
    except (UnicodeEncodeError, RecursionError):
        raise RequestWrong(field="ballot") from None
    return BallotAsked(_matched(content, "intent", _INTENT), _version(content), written)


def read_intent(content: dict[str, Any]) -> str:
    """Read the question of /vote/not_mine; RequestWrong."""
    return _matched(content, "intent", _INTENT)


def _version(content: dict[str, Any]) -> int:
    version = content.get("rule_version")
    if type(version) is not int or not 0 <= version <= RULE_VERSION_MAX:
        raise RequestWrong(field="rule_version")
    return version


def _matched(content: dict[str, Any], field: str, pattern: re.Pattern[str]) -> str:
    value = content.get(field)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RequestWrong(field=field)
    return value


def _optional(content: dict[str, Any], field: str, fits: Callable[[str], object]) -> str | None:
    value = content.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not fits(value):
        raise RequestWrong(field=field)
    return value
