"""The language staff are spoken to in: the one a person chose, or one for a group, among the poll's; else its first.

A person's is kept in the staff's table. `Staff.language` is read there; `enrolment.set_language` and `choose` write it.
A group's, which people of several languages may read, is kept with the group.
"""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import staff, staff_group
from messages.words.texts import fit_language, languages
from voting.model import Poll
from voting.poll import polls
from voting.refusals import NoPoll


def spoken(poll: Poll | None) -> tuple[str, ...]:
    """Give the languages staff can choose from: the poll's, its first one first; all we have while there is no poll."""
    return languages() if poll is None else tuple(dict.fromkeys(fit_language(tag) for tag in poll.languages))


def fitting(wanted: str | None, poll: Poll | None) -> str:
    """Give the language of the poll nearest to a wanted tag, its first one if none is near."""
    choices = spoken(poll)
    return fit_language(wanted, choices, choices[0])


async def group_language(connection: AsyncConnection, chat_id: int, poll: Poll) -> str:
    """Give the language of a staff group; the poll's first for any other group."""
    mine = (staff_group.c.chat_id == chat_id) & staff_group.c.removed_at.is_(None)
    return fitting(await connection.scalar(select(staff_group.c.language).where(mine)), poll)


async def choose_for_group(connection: AsyncConnection, chat_id: int, language: str) -> None:
    """Speak `language` in this staff group from now on."""
    await connection.execute(update(staff_group).where(staff_group.c.chat_id == chat_id).values(language=language))


async def first_language(connection: AsyncConnection, wanted: str | None) -> str:
    """Give the language to begin with for somebody whose phone speaks `wanted`."""
    try:
        poll = await polls.load(connection)
    except NoPoll:
        poll = None
    return fitting(wanted, poll)


async def choose(connection: AsyncConnection, staff_id: int, language: str) -> None:
    """Speak `language` with this person from now on, in the chat and in the console."""
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(language=language))
