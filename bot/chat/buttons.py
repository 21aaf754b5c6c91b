"""What a button carries: at most 64 bytes that say nothing to a reader and cannot be made by anyone else.

A payload is `<gesture letter><reference>.<tag>`: the tag is a keyed hash over what the button means and whose chat
it is in. What was chosen is not in the payload at all: for a voting paper the server tries each thing the button
could mean and sees which one fits the tag. https://core.telegram.org/bots/api#inlinekeyboardbutton
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
OPTIONS_MAX: Final = 64


class ForeignButton(Refusal):
    """That button is not one of ours, or not for this chat; send /start to begin again."""


class Act(StrEnum):
    """What a button of the voting paper means."""

    CHOOSE = "choose"
    CAST = "cast"
    CHANGE = "change"
    NOT_NOW = "not_now"


@dataclass(frozen=True, slots=True)
class PaperPress:
    """A press on a voting paper; `option` is there for CHOOSE and CAST."""

    intent_id: str
    act: Act
    option: int | None


@dataclass(frozen=True, slots=True)
class Gesture:
    """A press on any other button: a short name and what it refers to."""

    name: str
    reference: str


def paper_button(key: bytes, chat: int, intent_id: str, act: Act, option: int | None = None) -> str:
    """Make the payload of a voting paper's button."""
    return _checked(f"p{intent_id}.{_tag(key, chat, 'p', intent_id, act, option)}")


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


def _read_paper(key: bytes, chat: int, intent_id: str, tag: str) -> PaperPress:
    meanings: list[tuple[Act, int | None]] = [(Act.CHANGE, None), (Act.NOT_NOW, None)]
    meanings += [(act, option) for act in (Act.CHOOSE, Act.CAST) for option in range(OPTIONS_MAX)]
    # All are tried whichever fits: how long this takes does not say which.
    fitting = [m for m in meanings if _fits(tag, _tag(key, chat, "p", intent_id, *m))]
    if not fitting:
        raise ForeignButton
    act, option = fitting[0]
    return PaperPress(intent_id, act, option)


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
