"""What staff write and press: every command and button with the act it needs, in two tables.

These handlers come before the members'. Whoever is not on the staff, or writes something that is no staff command, is
let through to them, so that a stranger who tries /staff learns nothing.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from telegram import ChatMember, Update
from telegram.error import BadRequest, Forbidden
from telegram.ext import (
    ApplicationHandlerStop,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot.alerts import alerts, groups, hooks
from bot.chat import buttons, posting
from bot.chat.context import Context, Handlers
from bot.chat.page import GESTURE_PREFIX
from bot.chat.said import plainly
from bot.staff import drafts, turnout_picture
from bot.staff.desk import StaffDesk
from bot.staff.drafts import Step
from bot.staff.enrolment import PREFIX
from bot.staff.roles import Act, NotStaff, insist
from bot.staff.turnout import turnout
from bot.staff_chat import broadcast, cases, group, notices, oneself, window
from bot.staff_chat.visit import Do, StaffVisit, for_staff, refuse_elsewhere, visit_of
from bot.staff_chat.words import turnout_caption
from messages.words.refusal_words import refusal_text
from messages.words.texts import fit_language, text
from voting.codes import codes
from voting.refusals import Refusal

PRIVATE: Final = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
GROUPS: Final = filters.ChatType.GROUPS & filters.UpdateType.MESSAGE
ENROLMENT: Final = filters.Regex(r"^/start(@\w+)?\s+" + PREFIX)


async def on_turnout(visiting: StaffVisit) -> None:
    """Show turnout as a picture."""
    async with visiting.desk.looking(visiting.user_id, Act.SEE_TURNOUT) as looking:
        counted = await turnout(looking.connection, looking.now)
    picture = await turnout_picture.chat_png(counted, visiting.language_here)
    await visiting.say_photo(picture, turnout_caption(counted, visiting.language_here))


async def on_acknowledge(visiting: StaffVisit) -> None:
    """Acknowledge an alert; the pump changes its message for all."""
    async with visiting.desk.acting(visiting.user_id, Act.ACKNOWLEDGE) as acting:
        known = await alerts.acknowledge(acting.connection, int(visiting.reference), by=acting.by)
    assert known.acknowledged_by is not None
    assert known.acknowledged_at is not None
    at = visiting.page.moment(known.acknowledged_at)
    await visiting.toast(text("staff", "alert.acknowledged", visiting.language, name=known.acknowledged_by, at=at))


async def on_stop_texts(visiting: StaffVisit) -> None:
    """Stop texts to a number whose words may have meant STOP, and so acknowledge the alert."""
    async with visiting.desk.acting(visiting.user_id, Act.ACKNOWLEDGE) as acting:
        await alerts.stop_texts(acting.connection, int(visiting.reference), by=acting.by)
        await alerts.acknowledge(acting.connection, int(visiting.reference), by=acting.by)
    await visiting.toast(text("staff", "texts.stopped", visiting.language))


async def on_acknowledge_all(visiting: StaffVisit) -> None:
    """Acknowledge every alert of a message that tells of many."""
    assert visiting.query is not None
    assert visiting.query.message is not None
    async with visiting.desk.acting(visiting.user_id, Act.ACKNOWLEDGE) as acting:
        found = await alerts.alerts_in(acting.connection, visiting.chat_id, visiting.query.message.message_id)
        for alert_id in found:
            await alerts.acknowledge(acting.connection, alert_id, by=acting.by)
    await visiting.toast()


COMMANDS: Final[Mapping[str, tuple[Act, Do]]] = {
    "staff": (Act.SEE_STAFF, oneself.on_staff),
    "duty": (Act.GO_ON_DUTY, oneself.on_duty),
    "turnout": (Act.SEE_TURNOUT, on_turnout),
    "console": (Act.OPEN_CONSOLE, oneself.on_console),
    "cases": (Act.SEE_CASES, cases.on_cases),
    "member": (Act.SEE_MEMBERS, cases.on_member),
    "missing_packs": (Act.SEE_PACKS, cases.on_missing_packs),
    "broadcast": (Act.SEE_NOTICES, broadcast.on_broadcast),
    "window": (Act.SET_WINDOW, window.on_window),
    "here": (Act.SET_GROUP, group.on_here),
}

GESTURES: Final[Mapping[str, tuple[Act, Do]]] = {
    "ack": (Act.ACKNOWLEDGE, on_acknowledge),
    "stoptexts": (Act.ACKNOWLEDGE, on_stop_texts),
    "ackall": (Act.ACKNOWLEDGE, on_acknowledge_all),
    "duty": (Act.GO_ON_DUTY, oneself.on_duty),
    "cancel": (Act.SEE_STAFF, oneself.on_cancel),
    "case": (Act.SEE_CASES, cases.on_case),
    "caseack": (Act.ACKNOWLEDGE, cases.on_case_acknowledge),
    "assign": (Act.WORK_ON_CASES, cases.on_assign),
    "outcomes": (Act.WORK_ON_CASES, cases.on_outcomes),
    "propose": (Act.WORK_ON_CASES, cases.on_propose),
    "nonote": (Act.WORK_ON_CASES, cases.on_no_note),
    "settle": (Act.WORK_ON_CASES, cases.on_settle),
    "packask": (Act.REPLACE_PACKS, cases.on_pack_ask),
    "packyes": (Act.REPLACE_PACKS, cases.on_pack_approve),
    "unlock": (Act.UNLOCK_PACKS, cases.on_unlock),
    "grouplang": (Act.SEE_STAFF, group.on_set_language),
    **window.GESTURES,
    **broadcast.GESTURES,
    **notices.GESTURES,
}

STEPS: Final[Mapping[Step, tuple[Act, Do]]] = {
    Step.CASE_NOTE: (Act.WORK_ON_CASES, cases.on_case_note),
    Step.WINDOW_DAYS: (Act.SET_WINDOW, window.on_days),
    Step.WINDOW_REASON: (Act.SET_WINDOW, window.on_reason),
    Step.NOTICE_AUDIENCE: (Act.WRITE_NOTICES, broadcast.on_audience_words),
    Step.NOTICE_WORDS: (Act.WRITE_NOTICES, broadcast.on_words),
}
assert STEPS.keys() == set(Step)


async def on_press(desk: StaffDesk, update: Update, context: Context) -> None:
    """Take a press on one of staff's buttons, from whoever pressed it."""
    query = update.callback_query
    assert query is not None
    visiting = await visit_of(desk, update, context)
    if visiting is None:
        words = refusal_text(NotStaff(), fit_language(query.from_user.language_code), "UTC")
        if not await posting.answer_press(context.bot, query.id, words, alert=True):
            with suppress(Forbidden, BadRequest):  # who never wrote to the bot, or blocked it, cannot be told
                await posting.send(context.bot, plainly(words), query.from_user.id)
        raise ApplicationHandlerStop
    try:
        await refuse_elsewhere(visiting)
        gesture = buttons.read(visiting.desk.button_key, visiting.chat_id, query.data or "")
        name = gesture.name.removeprefix(GESTURE_PREFIX) if isinstance(gesture, buttons.Gesture) else ""
        if not isinstance(gesture, buttons.Gesture) or name not in GESTURES:
            raise buttons.ForeignButton
        act, do = GESTURES[name]
        insist(visiting.staff.role, act)
        visiting.reference = gesture.reference
        await do(visiting)
        await visiting.toast()
    except Refusal as refusal:
        await visiting.refuse(refusal)
    raise ApplicationHandlerStop


async def on_words(desk: StaffDesk, update: Update, context: Context) -> None:
    """Take plain words from staff who have begun a dialogue; codes and everything else belong to the members' side."""
    message, user = update.effective_message, update.effective_user
    if message is None or user is None or codes.contains_code(message.text or ""):
        return
    begun = await desk.begun(user.id)
    if begun is None:
        return
    visiting = await visit_of(desk, update, context)
    if visiting is None:
        return
    act, do = STEPS[begun.step]
    try:
        insist(visiting.staff.role, act)
        await do(visiting)
    except Refusal as refusal:
        await visiting.refuse(refusal)
    raise ApplicationHandlerStop


async def on_other_command(desk: StaffDesk, update: Update, _context: Context) -> None:
    """End what was begun when its author turns to something else, and let that through."""
    user = update.effective_user
    if user is not None and await desk.begun(user.id) is not None:
        async with desk.house.database.writing() as connection:
            await drafts.clear(connection, user.id)


async def on_migrated(desk: StaffDesk, update: Update, _context: Context) -> None:
    """Follow a staff group that became a supergroup."""
    message = update.effective_message
    if message is not None and message.migrate_to_chat_id is not None:
        async with desk.house.database.writing() as connection:
            await hooks.on_migrated(connection, str(message.chat_id), str(message.migrate_to_chat_id))


async def on_membership(desk: StaffDesk, update: Update, _context: Context) -> None:
    """Forget a group that removed the bot; the officers are told, if it was a staff group."""
    change = update.my_chat_member
    assert change is not None  # the handler's kind
    if change.chat.type == "private" or change.new_chat_member.status not in (ChatMember.BANNED, ChatMember.LEFT):
        return
    async with desk.house.database.writing() as connection:
        await groups.tell_of_lost(connection, groups.Lost(change.chat.id, "kicked", gone=True), desk.now())
    desk.wake()


def handlers(desk: StaffDesk) -> Handlers:
    """Give staff's handlers, to be asked before the members'."""
    return [
        MessageHandler(PRIVATE & ENROLMENT, partial(oneself.on_enrol, desk)),
        *(
            CommandHandler(name, for_staff(desk, act, do, any_group=name == "here"), PRIVATE | GROUPS)
            for name, (act, do) in COMMANDS.items()
        ),
        CommandHandler("language", for_staff(desk, Act.SEE_STAFF, group.on_language), GROUPS),
        CallbackQueryHandler(partial(on_press, desk), pattern=rf"^g{GESTURE_PREFIX}"),
        MessageHandler(PRIVATE & filters.COMMAND, partial(on_other_command, desk)),
        MessageHandler(PRIVATE & filters.TEXT, partial(on_words, desk)),
        MessageHandler(filters.StatusUpdate.MIGRATE, partial(on_migrated, desk)),
        ChatMemberHandler(partial(on_membership, desk), ChatMemberHandler.MY_CHAT_MEMBER),
    ]
