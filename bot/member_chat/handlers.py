"""What members write in their private chat: commands, codes, contacts, and everything else people send.

Groups and channels get no answer here: a member's affairs belong in a private chat.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from telegram import ChatMember, Message, Update
from telegram.ext import CallbackQueryHandler, ChatMemberHandler, CommandHandler, MessageHandler, filters

from bot.chat.context import Context, Handlers
from bot.member.answers import Linked, NotUnderstood
from bot.member.chats import Step
from bot.member.code_desk import DONE, PURPOSES
from bot.member.desk import MemberDesk
from bot.member.linking import CODE_DIGITS, Answer
from bot.member_chat import acts, request_words
from bot.member_chat.menu import show_menu
from bot.member_chat.presses import on_press
from bot.member_chat.visit import Act, Visit, visit
from messages.reach import BY_MEMBER
from voting.codes import codes

PRIVATE: Final = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
FOR_STAFF: Final = filters.Regex(r"^/start(@\w+)?\s+staff_")  # an enrolment link
FROM_PACK: Final = "pack"  # the start payload of the letter's QR code
FROM_TEXT: Final = "sms"  # the start payload of the link in a text message

COMMANDS: Final[Mapping[str, Act]] = {
    "vote": acts.on_vote,
    "verify": acts.on_verify,
    "status": acts.on_status,
    "missing": acts.on_missing,
    "language": acts.on_language,
    "sms": acts.on_texts,
    "privacy": acts.on_privacy,
    "help": acts.on_help,
}


async def on_start(visiting: Visit) -> None:
    """Take /start, from the letter's QR code, from a text message, or by hand."""
    words = ((visiting.message.text if visiting.message else "") or "").split()
    payload = words[1] if len(words) > 1 else ""
    if payload == FROM_TEXT:
        await acts.on_texts(visiting)
        return
    linked = visiting.caller.chat.member_id is not None
    await visiting.say(request_words.welcome(visiting.page, linked=linked, from_pack=payload == FROM_PACK))


def words_of(message: Message) -> str:
    """Give every word a person can put into a message: its text or caption, a poll's, a place's."""
    words = [message.text, message.caption]
    if message.poll is not None:
        words += [message.poll.question, *(option.text for option in message.poll.options)]
    if message.venue is not None:
        words += [message.venue.title, message.venue.address]
    return "\n".join(word for word in words if word)


async def on_text(visiting: Visit) -> None:
    """Take words: codes where they are asked for, a member number, a one-time code, or small talk."""
    message = visiting.message
    assert message is not None  # the filter lets only messages through
    text, step = words_of(message), visiting.caller.chat.step
    readable = bool(codes.parse(text, visiting.caller.poll.id).codes)
    if step in (Step.MEMBER_NUMBER, Step.ONE_TIME_CODE) and not readable:
        await _on_linking(visiting, text, step)
        return
    if readable or codes.contains_code(text):
        await visiting.delete()
    given = await visiting.desk.codes.take_text(visiting.caller, text, message_id=message.message_id)
    await acts.answer_with(visiting, given)


async def _on_linking(visiting: Visit, text: str, step: Step) -> None:
    linking, caller = visiting.desk.linking, visiting.caller
    if step is Step.ONE_TIME_CODE and sum(char.isdigit() for char in text) == CODE_DIGITS:
        await _say_linking(visiting, await linking.take_code(caller, text))
    else:
        answer = await linking.take_member_number(caller, text, occasion=visiting.occasion)
        visiting.desk.wake()
        await _say_linking(visiting, answer)


async def _say_linking(visiting: Visit, answer: Answer) -> None:
    if isinstance(answer, Linked):  # it may have changed the language
        before = visiting.caller.language
        visiting.caller = await visiting.desk.receive(
            visiting.user.id, visiting.user.language_code, visiting.caller.now
        )
        if visiting.caller.language != before:
            await show_menu(visiting)
    await acts.answer_with(visiting, answer)


async def on_contact(visiting: Visit) -> None:
    """Take a shared contact."""
    contact = visiting.message.contact if visiting.message else None
    assert contact is not None  # the filter lets only contacts through
    answer = await visiting.desk.linking.take_contact(visiting.caller, contact.phone_number, contact.user_id)
    await _say_linking(visiting, answer)


async def on_unreadable(visiting: Visit) -> None:
    """Take a picture, a voice, a file; one sent instead of codes may show them and is deleted.

    Codes written below a picture, in a poll or as a place are read like those in a text.
    """
    if visiting.message is not None and codes.contains_code(words_of(visiting.message)):
        await on_text(visiting)
        return
    if visiting.caller.chat.step in PURPOSES:
        await visiting.delete()
    await visiting.say(request_words.only_words(visiting.page))


async def on_unknown_command(visiting: Visit) -> None:
    """Take a command that is not ours."""
    await acts.answer_with(visiting, NotUnderstood())


async def on_edited(visiting: Visit) -> None:
    """Take an edited message: read like a new one while codes are asked for; otherwise deleted if it holds codes.

    Once the codes were right, other words that are edited ask for nothing, and get no answer.
    """
    text, chat = words_of(visiting.message) if visiting.message else "", visiting.caller.chat
    if text and chat.step in PURPOSES and (codes.contains_code(text) or not chat.facts.get(DONE)):
        await on_text(visiting)
    elif codes.contains_code(text):
        await visiting.delete()


async def on_membership(desk: MemberDesk, update: Update, _context: Context) -> None:
    """Take the news that the person blocked the bot, or let it in again."""
    change = update.my_chat_member
    assert change is not None  # the handler's kind
    if change.chat.type != "private":
        return
    blocked = change.new_chat_member.status in (ChatMember.BANNED, ChatMember.LEFT)
    await desk.requests.set_blocked(change.chat.id, blocked=blocked, now=desk.now(), reason=BY_MEMBER)


async def _ignore(_update: Update, _context: Context) -> None:
    """Be silent on purpose."""


def handlers(desk: MemberDesk) -> Handlers:
    """Give the members' handlers, in their order; private chats only."""
    edited = filters.ChatType.PRIVATE & filters.UpdateType.EDITED_MESSAGE
    service = PRIVATE & filters.StatusUpdate.ALL
    return [
        CommandHandler("start", visit(desk, on_start), PRIVATE & ~FOR_STAFF),
        *(CommandHandler(name, visit(desk, act), PRIVATE) for name, act in COMMANDS.items()),
        MessageHandler(PRIVATE & filters.CONTACT, visit(desk, on_contact)),
        MessageHandler(PRIVATE & filters.COMMAND, visit(desk, on_unknown_command)),
        MessageHandler(PRIVATE & filters.TEXT, visit(desk, on_text)),
        MessageHandler(service, _ignore),
        MessageHandler(PRIVATE, visit(desk, on_unreadable)),
        MessageHandler(edited, visit(desk, on_edited)),
        CallbackQueryHandler(visit(desk, on_press)),
        ChatMemberHandler(partial(on_membership, desk), ChatMemberHandler.MY_CHAT_MEMBER),
    ]
