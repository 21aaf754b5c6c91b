"""What a member asks for by a command or a button, each an act: ask the desk, say its answer."""

from typing import Final

from bot.member.answers import CodesUsed, VotedHere
from bot.member_chat import request_words
from bot.member_chat.link_words import LINK_WORDS
from bot.member_chat.menu import show_menu
from bot.member_chat.visit import Visit
from bot.member_chat.vote_words import VOTE_WORDS

WORDS: Final = {**VOTE_WORDS, **LINK_WORDS, **request_words.REQUEST_WORDS}


async def answer_with(visit: Visit, answer: object, *, in_place: bool = False) -> None:
    """Say an answer of the desk; a warning counts from the message that says it."""
    said = WORDS[type(answer)](visit.page, answer)
    if in_place:
        await visit.replace(said)
        return
    message_id = await visit.say(said)
    if isinstance(answer, VotedHere | CodesUsed) and answer.warns:
        await visit.desk.votes.note_warned(visit.caller, answer.member_id, message_id)


async def on_vote(visit: Visit, _reference: str = "") -> None:
    """Answer /vote."""
    await answer_with(visit, await visit.desk.votes.begin_vote(visit.caller))


async def on_verify(visit: Visit, _reference: str = "") -> None:
    """Answer /verify."""
    await answer_with(visit, await visit.desk.votes.begin_verify(visit.caller))


async def on_status(visit: Visit, _reference: str = "") -> None:
    """Answer /status."""
    await answer_with(visit, await visit.desk.requests.status(visit.caller))


async def on_help(visit: Visit, _reference: str = "") -> None:
    """Answer /help."""
    await visit.say(request_words.help_page(visit.page, linked=visit.caller.chat.member_id is not None))


async def on_missing(visit: Visit, _reference: str = "") -> None:
    """Answer /missing."""
    await answer_with(visit, await visit.desk.requests.missing(visit.caller))


async def on_link(visit: Visit, _reference: str = "") -> None:
    """Begin to link the chat."""
    await answer_with(visit, await visit.desk.linking.begin(visit.caller))


async def on_understood(visit: Visit, version: str) -> None:
    """Take 'I understand', under the rule."""
    begun = await visit.desk.votes.accept_rule(visit.caller, int(version), another=False)
    await answer_with(visit, begun, in_place=True)


async def on_another_understood(visit: Visit, version: str) -> None:
    """Take 'I understand', by another member of the household."""
    begun = await visit.desk.votes.accept_rule(visit.caller, int(version), another=True)
    await answer_with(visit, begun, in_place=True)


async def on_another(visit: Visit, _reference: str) -> None:
    """Let another member of the household vote from this chat."""
    await answer_with(visit, await visit.desk.votes.begin_another(visit.caller))


async def on_rest(visit: Visit, _reference: str) -> None:
    """Take 'Not now', under the rule."""
    await answer_with(visit, await visit.desk.votes.rest(visit.caller), in_place=True)


async def on_theft(visit: Visit, member_id: str) -> None:
    """Take 'This was not me'."""
    await answer_with(
        visit, await visit.desk.requests.theft(visit.caller.chat.identity, int(member_id), visit.caller.now)
    )


async def on_damaged(visit: Visit, _reference: str) -> None:
    """Take the report that the pack came damaged."""
    answer = await visit.desk.requests.missing(visit.caller, damaged=True)
    await answer_with(visit, answer, in_place=True)


async def on_call_staff(visit: Visit, _reference: str) -> None:
    """Call the staff for somebody."""
    await answer_with(visit, await visit.desk.requests.call_staff(visit.caller))


async def on_texts(visit: Visit, _reference: str = "") -> None:
    """Answer /sms."""
    await answer_with(visit, await visit.desk.requests.texts(visit.caller))


async def on_set_texts(visit: Visit, wanted: str) -> None:
    """Turn text messages on or off."""
    answer = await visit.desk.requests.set_texts(visit.caller, on=wanted == "on")
    await answer_with(visit, answer, in_place=True)


async def on_language(visit: Visit, _reference: str = "") -> None:
    """Answer /language."""
    await visit.say(request_words.languages(visit.page))


async def on_set_language(visit: Visit, language: str) -> None:
    """Speak the language chosen."""
    visit.caller = await visit.desk.requests.set_language(visit.caller, language)
    await visit.replace(request_words.language_set(visit.page))
    await show_menu(visit)


async def on_privacy(visit: Visit, _reference: str = "") -> None:
    """Answer /privacy."""
    await answer_with(visit, await visit.desk.privacy.kept(visit.caller), in_place=visit.query is not None)


async def on_export(visit: Visit, _reference: str) -> None:
    """Send all that is kept."""
    await visit.say_file(
        "my-data.json", await visit.desk.privacy.export(visit.caller), request_words.file_words(visit.page)
    )


async def on_forget(visit: Visit, sure: str) -> None:
    """Ask once more, then forget the chat and the number."""
    if sure != "yes":
        await visit.replace(request_words.ask_forget(visit.page))
        return
    await visit.desk.privacy.forget_me(visit.caller)
    await visit.replace(request_words.forgotten(visit.page))
