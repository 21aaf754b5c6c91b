"""What a button carries: at most 64 bytes that say nothing to a reader and cannot be made by anyone else.

A payload is `<gesture letter><reference>.<tag>`: the tag is a keyed hash over what the button means and whose chat
it is in. A voting paper's is `p<paper>.<sealed>`: what is marked on the paper so far travels in the button alone, no
other place has it, and it is encrypted: the tag, a keyed hash of everything, is also what the key stream is drawn from.
https://core.telegram.org/bots/api#inlinekeyboardbutton
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from voting.refusals import Refusal

TAG_BYTES: Final = 12
PAYLOAD_MAX_BYTES: Final = 64
QUESTIONS_MAX: Final = 16
MARKS_MAX: Final = 80  # 64 options, and a blank vote for each question
SEAL_BYTES: Final = 16
PLAIN_BYTES: Final = 1 + MARKS_MAX // 8


class ForeignButton(Refusal):
    """That button is not one of ours, or not for this chat; send /start to begin again."""


class Act(StrEnum):
    """What a button of the voting paper means."""

    SHOW = "show"  # a question, with what is marked
    REVIEW = "review"  # the whole paper, as it would be cast
    CAST = "cast"
    NOT_NOW = "not_now"


@dataclass(frozen=True, slots=True)
class PaperPress:
    """A press on a voting paper, which leads to a question or to the end, with these marks on the whole paper.

    `marks` has a bit for every place of the paper, the first place's is the lowest. `reviewing`: the question is
    looked at again, and the review comes after it.
    """

    intent_id: str
    act: Act
    question: int = 0
    marks: int = 0
    reviewing: bool = False

    def __repr__(self) -> str:
        """Say nothing of what was chosen."""
        return f"PaperPress({self.act})"


@dataclass(frozen=True, slots=True)
class Gesture:
    """A press on any other button: a short name and what it refers to."""

    name: str
    reference: str


def paper_button(key: bytes, chat: int, press: PaperPress) -> str:
    """Make the payload of a voting paper's button."""
    if not (0 <= press.question < QUESTIONS_MAX and 0 <= press.marks < 1 << MARKS_MAX):
        raise ValueError("a paper with more questions or options than a button can hold")
    head = _ACTS.index(press.act) << 5 | press.reviewing << 4 | press.question
    plain = bytes([head]) + press.marks.to_bytes(MARKS_MAX // 8, "big")
    seal = _seal(key, chat, press.intent_id, plain)
    sealed = seal + _mixed(key, chat, press.intent_id, seal, plain)
    return _checked(f"p{press.intent_id}.{base64.urlsafe_b64encode(sealed).decode()}")


def gesture_button(key: bytes, chat: int, name: str, reference: str = "") -> str:
    """Make the payload of any other button; `name` and `reference` can be read, but not made, by a client."""
    if "." in name or "." in reference or ":" in name:
        raise ValueError("a gesture's name and reference hold no dots")
    return _checked(f"g{name}:{reference}.{_tag(key, chat, 'g', name, reference)}")


def read(key: bytes, chat: int, payload: str) -> PaperPress | Gesture:
    """Say what a payload means; ForeignButton when it was not made by us for this chat."""
    body, dot, tag = payload.rpartition(".")
    if not dot or len(payload) > PAYLOAD_MAX_BYTES or not payload.isascii():
        raise ForeignButton
    if body.startswith("p"):
        return _read_paper(key, chat, body[1:], tag)
    name, colon, reference = body[1:].partition(":")
    if body.startswith("g") and colon and _fits(tag, _tag(key, chat, "g", name, reference)):
        return Gesture(name, reference)
    raise ForeignButton


def _read_paper(key: bytes, chat: int, intent_id: str, written: str) -> PaperPress:
    try:
        sealed = base64.b64decode(written, altchars=b"-_", validate=True)
    except ValueError:
        raise ForeignButton from None
    seal, mixed = sealed[:SEAL_BYTES], sealed[SEAL_BYTES:]
    plain = _mixed(key, chat, intent_id, seal, mixed)
    if len(plain) != PLAIN_BYTES or not hmac.compare_digest(seal, _seal(key, chat, intent_id, plain)):
        raise ForeignButton
    head, marks = plain[0], int.from_bytes(plain[1:], "big")
    return PaperPress(intent_id, _ACTS[head >> 5], head & 15, marks, bool(head & 16))


def _seal(key: bytes, chat: int, intent_id: str, plain: bytes) -> bytes:
    about = f"paper\x1fseal\x1f{chat}\x1f{intent_id}\x1f".encode()
    return hmac.digest(key, about + plain, hashlib.sha256)[:SEAL_BYTES]


def _mixed(key: bytes, chat: int, intent_id: str, seal: bytes, data: bytes) -> bytes:
    """Encrypt, or decrypt: the key stream is drawn from the seal, which differs wherever anything does."""
    about = f"paper\x1fstream\x1f{chat}\x1f{intent_id}\x1f".encode()
    stream = hmac.digest(key, about + seal, hashlib.sha256)
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))


def _tag(key: bytes, chat: int, *meaning: object) -> str:
    message = "\x1f".join(str(part) for part in (chat, *meaning)).encode()
    digest = hmac.digest(key, message, hashlib.sha256)[:TAG_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _fits(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _checked(payload: str) -> str:
    if len(payload.encode()) > PAYLOAD_MAX_BYTES:
        raise ValueError("a button's payload is too long")
    if not payload.isascii():
        raise ValueError("a button's payload is ASCII: `read` takes no other")
    return payload


_ACTS: Final = tuple(Act)
