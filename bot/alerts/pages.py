"""Wake the next person when nobody acknowledges: along the duty list, then by text message to the on-call numbers.

Whether an alert still waits is looked at in the transaction that plans the page, so nobody is woken for what a
colleague has just taken, and a crash wakes nobody twice: the ledger knows each page by its occasion.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.alerts import BY_TEXT, Alert, show
from bot.alerts.words import page_sms, page_words
from bot.chat.page import Page, Reader
from bot.schema import alert
from bot.staff import enrolment
from bot.staff.enrolment import Staff
from bot.staff.roles import Act, may
from messages.channels.channels import Buttons, Outgoing, Renderer
from messages.ledger.planning import plan_message
from messages.pace.pacer import Lane
from messages.reach import SMS, TELEGRAM
from messages.words.purposes import LITERAL
from messages.words.sms_text import encode_plan, plain
from voting.model import Poll
from voting.poll import polls

STAFF_MESSAGE: Final = "staff_message"  # a purpose whose facts are words and buttons
PERSONS_MAX: Final = 3  # woken one after another before the text messages go
DUE_MAX: Final = 50
SMS_LIFE: Final = timedelta(hours=1)


def responders(staff: list[Staff]) -> list[Staff]:
    """Give who hears alerts, in order: the duty list; with nobody on it, everybody who may take one."""
    listed = sorted(
        (person for person in staff if person.duty_order is not None),
        key=lambda person: (person.duty_order or 0, person.id),
    )
    return listed or [person for person in staff if may(person.role, Act.ACKNOWLEDGE)]


@dataclass(frozen=True, slots=True)
class _Pager:
    """Wakes people, in the caller's transaction."""

    connection: AsyncConnection
    poll: Poll
    button_key: bytes
    now: datetime

    async def page(self, late: Alert, listed: list[Staff]) -> None:
        """Wake the next of `listed`; after the last, text everybody."""
        step = late.escalated + 1
        patience = self.poll.staff.escalate_after_minutes
        next_page_at = None
        if step < min(len(listed), PERSONS_MAX) and late.kind not in BY_TEXT:
            await self._wake_in_chat(late, listed[step], step * patience)
            next_page_at = self.now + timedelta(minutes=patience)
        else:
            for person in listed:
                await self._wake_by_sms(late, person, step * patience)
        values = {"escalated": step, "next_page_at": next_page_at}
        await self.connection.execute(update(alert).where(alert.c.id == late.id).values(values))

    async def _wake_in_chat(self, late: Alert, person: Staff, minutes: int) -> None:
        page = Page(Reader.STAFF, self.poll, person.user_id, person.language, self.button_key, self.now)
        buttons = [page.button("button.acknowledge", "ack", late.id)]
        if late.case_id is not None:
            buttons.append(page.button("button.open_case", "case", late.case_id))
        words = page_words(page, late, minutes)
        occasion = _occasion(late, person)
        await tell_staff(self.connection, person, words, (tuple(buttons),), occasion=occasion, now=self.now)

    async def _wake_by_sms(self, late: Alert, person: Staff, minutes: int) -> None:
        if person.phone is None:
            return
        words = plain(page_sms(person.language, late, self.poll.title, minutes))
        await plan_message(
            self.connection,
            purpose=LITERAL,
            facts={"text": words},
            channel=SMS,
            address=person.phone,
            language=person.language,
            occasion=f"sms:{_occasion(late, person)}",
            lane=Lane.ALERT,
            segments=encode_plan(words).segments,
            send_before=self.now + SMS_LIFE,
            now=self.now,
        )


async def page_due(connection: AsyncConnection, button_key: bytes, now: datetime) -> int:
    """Wake the next person for each alert that has waited too long; return how many alerts that were. NoPoll."""
    waiting = (alert.c.next_page_at <= now) & alert.c.acknowledged_by.is_(None) & alert.c.ended_at.is_(None)
    due = await connection.execute(
        select(alert.c.id).where(waiting).order_by(alert.c.id).limit(DUE_MAX).with_for_update()
    )
    ids = list(due.scalars())
    if not ids:
        return 0
    pager = _Pager(connection, await polls.load(connection), button_key, now)
    listed = responders(await enrolment.everybody(connection))
    for alert_id in ids:
        await pager.page(await show(connection, alert_id), listed)
    return len(ids)


async def tell_staff(
    connection: AsyncConnection, person: Staff, html: str, buttons: Buttons, *, occasion: str, now: datetime
) -> None:
    """Plan a message to somebody on the staff, its buttons made for their chat; the same occasion is told once."""
    await plan_message(
        connection,
        purpose=STAFF_MESSAGE,
        facts={"html": html, "buttons": [[list(button) for button in row] for row in buttons]},
        channel=TELEGRAM,
        address=str(person.user_id),
        language=person.language,
        occasion=occasion,
        lane=Lane.ALERT,
        now=now,
    )


def renderers() -> dict[str, Renderer]:
    """Give the postman what writes messages to staff: their words and buttons are in the facts."""
    return {
        STAFF_MESSAGE: lambda facts, language: Outgoing(
            "",
            facts["html"],
            facts["html"],
            language,
            tuple(tuple((label, payload) for label, payload in row) for row in facts["buttons"]),
        )
    }


def _occasion(late: Alert, person: Staff) -> str:
    return f"page:{late.id}:{late.raised_at:%Y%m%d%H%M%S}:{late.escalated}:{person.id}"
