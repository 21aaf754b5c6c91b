"""Buttons: opaque, bound to their chat and meaning, and never made by anybody else."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.buttons import (
    MARKS_MAX,
    PAYLOAD_MAX_BYTES,
    QUESTIONS_MAX,
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

INTENT = new_intent_id()
ALL_MARKS = (1 << MARKS_MAX) - 1


def paper(act: Act = Act.CAST, question: int = 0, marks: int = 2, intent: str = INTENT) -> str:
    """A payload of a voting paper."""
    return paper_button(KEY, CHAT, PaperPress(intent, act, question, marks))


@given(st.sampled_from(Act), st.integers(0, QUESTIONS_MAX - 1), st.integers(0, ALL_MARKS), st.booleans(), st.integers())
def test_a_paper_s_button_means_what_it_was_made_for_and_fits(
    act: Act,
    question: int,
    marks: int,
    reviewing: bool,
    chat: int,
) -> None:
    press = PaperPress(INTENT, act, question, marks, reviewing)
    payload = paper_button(KEY, chat, press)

    assert read(KEY, chat, payload) == press
    assert len(payload.encode()) <= PAYLOAD_MAX_BYTES


@given(st.integers(0, ALL_MARKS), st.integers(0, ALL_MARKS))
def test_no_payload_of_a_paper_says_what_is_marked(one: int, other: int) -> None:
    """All have the same shape; papers that differ in one mark differ in about half of their sealed bits."""
    sealed = [paper(marks=marks).rpartition(".")[2] for marks in (one, other)]
    bits = [int.from_bytes(base64.urlsafe_b64decode(each), "big") for each in sealed]

    assert len(sealed[0]) == len(sealed[1]) == 36
    assert (bits[0] == bits[1]) is (one == other)
    if one != other:
        assert 60 < (bits[0] ^ bits[1]).bit_count() < 156  # of 216: outside by chance once in 10^10


def test_a_button_taken_to_another_paper_is_foreign() -> None:
    sealed = paper().rpartition(".")[2]
    with pytest.raises(ForeignButton):
        read(KEY, CHAT, f"p{new_intent_id()}.{sealed}")


def test_a_press_says_nothing_of_what_is_marked() -> None:
    assert repr(PaperPress(INTENT, Act.CAST, 1, 5)) == "PaperPress(cast)"


@pytest.mark.parametrize(("question", "marks"), [(QUESTIONS_MAX, 0), (0, ALL_MARKS + 1), (-1, 0), (0, -1)])
def test_a_paper_too_large_for_a_button_is_refused(question: int, marks: int) -> None:
    with pytest.raises(ValueError, match="more questions or options"):
        paper(question=question, marks=marks)


@pytest.mark.parametrize("name", sorted(GESTURES))
def test_every_gesture_fits_and_comes_back(name: str) -> None:
    payload = gesture_button(KEY, CHAT, name, "9223372036854775807")
    assert len(payload.encode()) <= PAYLOAD_MAX_BYTES
    assert read(KEY, CHAT, payload) == Gesture(name, "9223372036854775807")


@pytest.mark.parametrize("chat", [CHAT + 1, -CHAT, 0])
def test_a_button_of_another_chat_is_foreign(chat: int) -> None:
    for payload in (paper(), gesture_button(KEY, CHAT, "vote")):
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
    for payload in (paper(), gesture_button(KEY, CHAT, "theft", "42")):
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
