"""Buttons: opaque, bound to their chat and meaning, and never made by anybody else."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.buttons import (
    OPTIONS_MAX,
    PAYLOAD_MAX_BYTES,
    Act,
    ForeignButton,
    Gesture,
    PaperPress,
    gesture_button,
    paper_button,
    read,
)
from bot.member_chat.presses import GESTURES
from voting.votes.cast import new_intent_id

KEY, OTHER_KEY = secrets.token_bytes(32), secrets.token_bytes(32)
CHAT = 5_000_000_001

MEANINGS = [
    *((act, option) for act in (Act.CHOOSE, Act.CAST) for option in (0, 1, OPTIONS_MAX - 1)),
    (Act.CHANGE, None),
    (Act.NOT_NOW, None),
]


@pytest.mark.parametrize(("act", "option"), MEANINGS)
def test_a_paper_s_button_means_what_it_was_made_for(act: Act, option: int | None) -> None:
    intent = new_intent_id()
    assert read(KEY, CHAT, paper_button(KEY, CHAT, intent, act, option)) == PaperPress(intent, act, option)


def test_no_payload_of_a_paper_says_what_it_means() -> None:
    """All have the same shape, and two papers' buttons for one option have nothing in common but the prefix."""
    intent = new_intent_id()
    payloads = [paper_button(KEY, CHAT, intent, act, option) for act, option in MEANINGS]
    assert len(set(payloads)) == len(payloads)
    assert len({payload.rpartition(".")[0] for payload in payloads}) == 1
    assert len({len(payload) for payload in payloads}) == 1


@pytest.mark.parametrize("name", sorted(GESTURES))
def test_every_gesture_fits_and_comes_back(name: str) -> None:
    payload = gesture_button(KEY, CHAT, name, "9223372036854775807")
    assert len(payload.encode()) <= PAYLOAD_MAX_BYTES
    assert read(KEY, CHAT, payload) == Gesture(name, "9223372036854775807")


@pytest.mark.parametrize("chat", [CHAT + 1, -CHAT, 0])
def test_a_button_of_another_chat_is_foreign(chat: int) -> None:
    for payload in (paper_button(KEY, CHAT, new_intent_id(), Act.CAST, 0), gesture_button(KEY, CHAT, "vote")):
        with pytest.raises(ForeignButton):
            read(KEY, chat, payload)


def test_a_button_made_with_another_key_is_foreign() -> None:
    with pytest.raises(ForeignButton):
        read(KEY, CHAT, gesture_button(OTHER_KEY, CHAT, "vote"))


@given(st.text(max_size=80))
def test_nothing_typed_by_chance_is_a_button(payload: str) -> None:
    with pytest.raises(ForeignButton):
        read(KEY, CHAT, payload)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_payload_changed_anywhere_is_foreign(place: int, char: str) -> None:
    for payload in (paper_button(KEY, CHAT, "A" * 16, Act.CAST, 1), gesture_button(KEY, CHAT, "theft", "42")):
        at = place % len(payload)
        changed = payload[:at] + char + payload[at + 1 :]
        if changed != payload:
            with pytest.raises(ForeignButton):
                read(KEY, CHAT, changed)


def tagged(body: str) -> str:
    """Give a payload with the tag of another."""
    return f"{body}.{gesture_button(KEY, CHAT, 'vote').rpartition('.')[2]}"


FOREIGN = {
    "nothing": "",
    "a dot": ".",
    "a gesture without its tag": "gvote:",
    "a gesture with an empty tag": "gvote:.",
    "a gesture without its colon": tagged("gvote"),
    "another gesture with the tag of this one": tagged("gtheft:"),
    "the same gesture with a reference added": tagged("gvote:1"),
    "the same gesture in capitals": tagged("Gvote:"),
    "a paper with a gesture's tag": tagged("p" + "A" * 16),
    "a paper without its intent": tagged("p"),
    "another bot's JSON": '{"action": "vote", "id": 1}',
    "another bot's words": "vote_yes",
    "a letter of Cyrillic": tagged("gv\u043ete:"),
    "a tag of a character that is not ASCII": "gvote:.é",
    "a space behind": gesture_button(KEY, CHAT, "vote") + " ",
    "a line's end behind": gesture_button(KEY, CHAT, "vote") + "\n",
    "one byte more than Telegram carries": "g" + "x" * PAYLOAD_MAX_BYTES,
}


@pytest.mark.parametrize("payload", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_others_and_old_clients_send_is_foreign(payload: str) -> None:
    with pytest.raises(ForeignButton):
        read(KEY, CHAT, payload)


def test_a_reference_that_no_client_could_bring_back_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        gesture_button(KEY, CHAT, "unlock", "Ö17")


@pytest.mark.parametrize(("name", "reference"), [("a.b", ""), ("a", "1.2"), ("a:b", "")])
def test_a_gesture_that_could_be_misread_cannot_be_made(name: str, reference: str) -> None:
    with pytest.raises(ValueError, match="dots"):
        gesture_button(KEY, CHAT, name, reference)


def test_a_payload_too_long_for_telegram_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="too long"):
        gesture_button(KEY, CHAT, "x" * 60)
