"""A staff group that cannot be told any more: the officers hear of it in their own chats, and alerts go on there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from telegram.error import Forbidden, TelegramError

from bot.alerts.alerts import Kind, raise_alert
from bot.alerts.pages import responders, tell_staff
from bot.schema import alert, staff_group
from bot.staff import enrolment
from bot.staff.roles import Role
from messages.words.dates import time_text
from messages.words.texts import html_text, text
from voting.poll import polls

# Of Telegram's description of a 400: the group itself is not there, or is another one now.
_GONE: Final = ("chat not found", "upgraded to a supergroup", "group chat was deactivated", "peer_id_invalid")


@dataclass(frozen=True, slots=True)
class Lost:
    """A chat that Telegram refuses; `gone`: nothing can ever be said there again."""

    chat_id: int
    why: str
    gone: bool


def is_gone(problem: TelegramError) -> bool:
    """Tell whether the group itself is lost, and not just closed for now."""
    return isinstance(problem, Forbidden) or any(why in problem.message.lower() for why in _GONE)


async def tell_of_lost(connection: AsyncConnection, lost: Lost, now: datetime) -> bool:
    """Tell the officers, once a day, if it is a staff group; say whether they are told now."""
    wanted = (staff_group.c.chat_id == lost.chat_id) & staff_group.c.removed_at.is_(None)
    group = (await connection.execute(select(staff_group).where(wanted))).mappings().first()
    if group is None:
        return False
    if lost.gone:
        await connection.execute(update(staff_group).where(wanted).values(removed_at=now))
    state = "gone" if lost.gone else "closed"
    occasion = f"group_lost:{lost.chat_id}:{group['set_at'].isoformat()}:{state}:{now:%Y%m%d}"
    if await connection.scalar(select(alert.c.id).where(alert.c.occasion == occasion)) is not None:
        return False  # told, and perhaps acknowledged: an alert about the group cannot be shown in it either
    facts = {"title": group["title"], "why": lost.why}
    await raise_alert(connection, Kind.GROUP_LOST, occasion, facts, now)
    await _tell_officers(connection, group, lost, occasion, now)
    return True


async def _tell_officers(
    connection: AsyncConnection, group: RowMapping, lost: Lost, occasion: str, now: datetime
) -> None:
    """Tell the officers whom no alert reaches because others are on duty."""
    staff = await enrolment.everybody(connection)
    alerted = {person.id for person in responders(staff)}
    zone = (await polls.load(connection)).timezone
    for person in staff:
        if person.role is Role.OFFICER and person.id not in alerted:
            at = time_text(now, zone, person.language)
            kind = text("staff", f"kind.{Kind.GROUP_LOST}", person.language)
            said = html_text("staff", "alert.group_lost", person.language, title=group["title"], why=lost.why, at=at)
            await tell_staff(
                connection, person, f"<b>{kind}</b>\n\n{said}", (), occasion=f"{occasion}:{person.id}", now=now
            )
