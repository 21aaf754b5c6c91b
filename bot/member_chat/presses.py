"""Presses of a member's buttons: the voting paper's and all others.

A press is answered at once, so that the button does not go on spinning. After a lock its words must arrive: where the
message cannot be changed and none can be sent, the receipt is planned as a message of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from telegram.error import BadRequest, NetworkError, RetryAfter

from bot.chat.buttons import ForeignButton, Gesture, PaperPress, read
from bot.member.answers import Locked
from bot.member.paper_desk import Pressed
from bot.member_chat import acts, request_words
from bot.member_chat.visit import Visit
from bot.member_chat.vote_words import VOTE_WORDS
from messages.words.texts import text


async def on_press(visit: Visit) -> None:
    """Take a press on any button."""
    assert visit.query is not None  # callback queries come here
    try:
        press = read(visit.desk.button_key, visit.user.id, visit.query.data or "")
    except ForeignButton:
        await visit.answer_press(text("member", "start.foreign_button", visit.caller.language))
        return
    answering = asyncio.create_task(visit.answer_press())
    try:
        await (_on_paper(visit, press) if isinstance(press, PaperPress) else _on_gesture(visit, press))
    finally:
        await answering


async def _on_paper(visit: Visit, press: PaperPress) -> None:
    await _say_on_paper(visit, await visit.desk.papers.press(visit.caller, press))


async def _on_paper_understood(visit: Visit, reference: str) -> None:
    """Take 'I understand' under a rule that changed while the paper was open."""
    version, _, intent_id = reference.partition("-")
    await _say_on_paper(visit, await visit.desk.papers.accept_rule(visit.caller, intent_id, int(version)))


async def _say_on_paper(visit: Visit, answer: Pressed) -> None:
    said = VOTE_WORDS[type(answer)](visit.page, answer)
    if not isinstance(answer, Locked):
        await visit.replace(said)
        return
    try:
        await visit.replace(said)
    except BadRequest:
        raise
    except (NetworkError, RetryAfter):
        await visit.desk.send_receipt_later(visit.caller, answer)


async def _on_gesture(visit: Visit, gesture: Gesture) -> None:
    act = GESTURES.get(gesture.name)
    if act is None:  # made by an older version of this program
        await visit.say(request_words.help_page(visit.page, linked=visit.caller.chat.member_id is not None))
        return
    await act(visit, gesture.reference)


GESTURES: Final[Mapping[str, Callable[[Visit, str], Awaitable[None]]]] = {
    "vote": acts.on_vote,
    "verify": acts.on_verify,
    "status": acts.on_status,
    "help": acts.on_help,
    "link": acts.on_link,
    "rule": acts.on_understood,
    "paper_rule": _on_paper_understood,
    "rule2": acts.on_another_understood,
    "another": acts.on_another,
    "rest": acts.on_rest,
    "theft": acts.on_theft,
    "damaged": acts.on_damaged,
    "call_staff": acts.on_call_staff,
    "sms": acts.on_set_texts,
    "language": acts.on_set_language,
    "privacy": acts.on_privacy,
    "export": acts.on_export,
    "forget": acts.on_forget,
}
