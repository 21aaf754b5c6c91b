"""A notice in chat once it is drafted: tried on, approved by another, sent, watched, paused, canceled, reported.

A button that is pressed twice acts once: it carries the notice's version. An action on a notice that is being sent
changes nothing the second time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.pages import tell_staff
from bot.chat import posting
from bot.chat.page import Page, Reader
from bot.chat.said import Said
from bot.schema import notice_message
from bot.staff import enrolment
from bot.staff.desk import Acting
from bot.staff.roles import Act, may
from bot.staff_chat.notice_words import preview_said, progress_said, report_said
from bot.staff_chat.visit import Do, StaffVisit
from messages.notices import life, notices, sending
from messages.notices.model import EDITABLE, ENDED, Content, Notice
from messages.notices.preview import preview
from messages.notices.report_csv import unreached_csv
from messages.notices.reports import progress, report
from messages.reach import SMS, TELEGRAM
from messages.refusals import NoticeChanged
from messages.words.texts import html_text, text
from voting.store.inserts import insert_into
from voting.typed_text import looks_like

_MARK: Final = re.compile(r"(?P<notice>\d+)(?:v(?P<version>\d+))?$")


async def notice_page(acting: Acting, page: Page, notice: Notice) -> Said:
    """Show a notice as it stands: its preview, how far it is, or what became of it."""
    if notice.state in EDITABLE:
        seen = await preview(acting.connection, notice, now=acting.now)
        return preview_said(page, notice, seen, acting.staff, approve_over=acting.poll.staff.approve_over)
    if notice.state in ENDED:
        return report_said(page, await report(acting.connection, notice.id))
    return progress_said(page, notice, await progress(acting.connection, notice.id))


async def on_notice(visiting: StaffVisit) -> None:
    """Show a notice; one on its way is watched from now on."""
    async with visiting.desk.acting(visiting.user_id, Act.SEE_NOTICES) as acting:
        notice = await notices.show(acting.connection, read_mark(visiting.reference)[0])
        said = await notice_page(acting, visiting.own_page, notice)
    message_id = await visiting.say_privately(said)
    if notice.state not in EDITABLE | ENDED:
        await _watch(visiting, notice.id, message_id)


async def on_test(visiting: StaffVisit) -> None:
    """Send a notice to oneself: to this chat, and to one's on-call number where there is one."""
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        ways = {TELEGRAM: str(acting.staff.user_id), SMS: acting.staff.phone}
        for channel, address in ways.items():
            if address is not None:
                for language in acting.poll.languages:
                    await sending.try_on(
                        acting.connection,
                        read_mark(visiting.reference)[0],
                        channel=channel,
                        address=address,
                        language=language,
                        occasion=f"{visiting.occasion}:{channel}:{language}",
                        now=acting.now,
                    )
    visiting.desk.wake()
    await visiting.toast(text("staff", "notice.tested", visiting.language))


async def on_submit(visiting: StaffVisit) -> None:
    """Offer a notice for approval: everybody who may approve it is told."""
    notice_id, version = read_mark(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        found = await notices.locked(acting.connection, notice_id)
        if found.state != "submitted":
            if found.version != version:
                raise NoticeChanged(notice_id=notice_id)
            found = await notices.submit(acting.connection, notice_id, by=acting.by)
            await ask_approval(acting, found, visiting.desk.button_key)
        said = await notice_page(acting, visiting.page, found)
    visiting.desk.wake()
    await visiting.replace(said)


async def ask_approval(acting: Acting, notice: Notice, button_key: bytes) -> None:
    """Tell everybody else who may approve, with the preview; for the console too."""
    seen = await preview(acting.connection, notice, now=acting.now)
    for person in await enrolment.everybody(acting.connection):
        if looks_like(person.name, notice.author) or not may(person.role, Act.APPROVE_NOTICES):
            continue
        page = Page(Reader.STAFF, acting.poll, person.user_id, person.language, button_key, acting.now)
        said = preview_said(page, notice, seen, person, approve_over=acting.poll.staff.approve_over)
        words = html_text("staff", "notice.please_approve", person.language, name=notice.author)
        occasion = f"approve:{notice.id}:{notice.version}:{person.id}"
        await tell_staff(
            acting.connection, person, f"{words}\n\n{said.html}", said.rows, occasion=occasion, now=acting.now
        )


async def on_approve(visiting: StaffVisit) -> None:
    """Approve what was shown; its author is told."""
    notice_id, version = read_mark(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.APPROVE_NOTICES) as acting:
        found = await notices.show(acting.connection, notice_id)
        if found.approved_by != acting.staff.name:
            found = await notices.approve(acting.connection, notice_id, version=version, by=acting.by)
            await tell_author(acting, found, visiting.desk.button_key)
        said = await notice_page(acting, visiting.page, found)
    visiting.desk.wake()
    await visiting.replace(said)


async def tell_author(acting: Acting, notice: Notice, button_key: bytes) -> None:
    """Tell the author that it is approved, with the button that sends it; for the console too."""
    for person in await enrolment.everybody(acting.connection):
        if not looks_like(person.name, notice.author):
            continue
        page = Page(Reader.STAFF, acting.poll, person.user_id, person.language, button_key, acting.now)
        words = html_text(
            "staff", "notice.is_approved", person.language, notice=notice.id, name=str(notice.approved_by)
        )
        rows = ((page.button("button.send", "nsend", f"{notice.id}v{notice.version}"),),)
        occasion = f"approved:{notice.id}:{notice.version}"
        await tell_staff(acting.connection, person, words, rows, occasion=occasion, now=acting.now)


async def on_send(visiting: StaffVisit) -> None:
    """Let a notice go, and show how far it is in one message that changes."""
    notice_id, version = read_mark(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.SEND_NOTICES) as acting:
        found = await notices.locked(acting.connection, notice_id)
        if found.state in EDITABLE and found.version != version:
            raise NoticeChanged(notice_id=notice_id)
        on = visiting.desk.house.settings.channels_on
        notice = await sending.send(acting.connection, notice_id, providers=on, by=acting.by)
        said = await notice_page(acting, visiting.own_page, notice)
    visiting.desk.wake()
    message_id = await visiting.say_privately(said)
    await _watch(visiting, notice_id, message_id)


async def on_pause(visiting: StaffVisit) -> None:
    """Stop for now."""
    await _move(visiting, life.pause)


async def on_resume(visiting: StaffVisit) -> None:
    """Go on."""
    await _move(visiting, life.resume)
    visiting.desk.wake()


async def on_cancel_notice(visiting: StaffVisit) -> None:
    """End a notice for good."""
    await _move(visiting, life.cancel)


async def _move(visiting: StaffVisit, move: notices.Change) -> None:
    async with visiting.desk.acting(visiting.user_id, Act.SEND_NOTICES) as acting:
        notice = await move(acting.connection, read_mark(visiting.reference)[0], by=acting.by)
        said = await notice_page(acting, visiting.own_page, notice)
    await visiting.replace(said)


async def on_urgent(visiting: StaffVisit) -> None:
    """Make a notice urgent, or not: urgent ones go before the rest and in quiet hours too."""
    await _edit(visiting, lambda content: replace(content, urgent=not content.urgent))


async def on_held(visiting: StaffVisit) -> None:
    """Let a notice go by text while Telegram takes nothing, or let it wait."""
    await _edit(visiting, lambda content: replace(content, texts_when_held=not content.texts_when_held))


async def _edit(visiting: StaffVisit, change: Callable[[Content], Content]) -> None:
    notice_id, version = read_mark(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        found = await notices.show(acting.connection, notice_id)
        changed = change(found.content)
        notice = await notices.edit(acting.connection, notice_id, changed, version=version, by=acting.by)
        said = await notice_page(acting, visiting.page, notice)
    await visiting.replace(said)


async def on_file(visiting: StaffVisit) -> None:
    """Give the file of those not reached."""
    notice_id, _ = read_mark(visiting.reference)
    async with visiting.desk.looking(visiting.user_id, Act.SEE_DELIVERIES) as looking:
        content = await unreached_csv(looking.connection, notice_id)
    await posting.send_file(visiting.bot, f"notice-{notice_id}-not-reached.csv", content, visiting.user_id)


async def _watch(visiting: StaffVisit, notice_id: int, message_id: int) -> None:
    async with visiting.desk.house.database.writing() as connection:
        await watch(connection, notice_id, visiting.user_id, message_id)


async def watch(connection: AsyncConnection, notice_id: int, chat_id: int, message_id: int) -> None:
    """Keep this message up to date until the notice has ended."""
    values = {"message_id": message_id, "shown": "", "ended_at": None}
    statement = insert_into(connection, notice_message).values(notice_id=notice_id, chat_id=chat_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["notice_id", "chat_id"], set_=values))


def read_mark(reference: str) -> tuple[int, int]:
    """Read the notice and the version that a button names."""
    found = _MARK.match(reference)
    assert found is not None  # our own payload, and its tag fitted
    return int(found["notice"]), int(found["version"] or 0)


GESTURES: Final[Mapping[str, tuple[Act, Do]]] = {
    "notice": (Act.SEE_NOTICES, on_notice),
    "nurgent": (Act.WRITE_NOTICES, on_urgent),
    "nheld": (Act.WRITE_NOTICES, on_held),
    "ntest": (Act.WRITE_NOTICES, on_test),
    "nsubmit": (Act.WRITE_NOTICES, on_submit),
    "napprove": (Act.APPROVE_NOTICES, on_approve),
    "nsend": (Act.SEND_NOTICES, on_send),
    "npause": (Act.SEND_NOTICES, on_pause),
    "nresume": (Act.SEND_NOTICES, on_resume),
    "ncancel": (Act.SEND_NOTICES, on_cancel_notice),
    "nfile": (Act.SEE_DELIVERIES, on_file),
}
