"""The desk for staff's requests: who asks is read from the database each time, and so is what their role allows.

    async with desk.acting(user_id, Act.SET_WINDOW) as acting:
        await window.set_window(acting.connection, ..., by=acting.by)

The chat and the console go through here; nobody's enrolment is remembered between two requests, so that a removal
works at once.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.house import House
from bot.staff import drafts, enrolment
from bot.staff.drafts import Draft
from bot.staff.enrolment import Staff
from bot.staff.roles import Act, NotStaff, insist
from voting.model import By, Poll
from voting.poll import polls
from voting.store.together import Together

VIA: Final = "chat"


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody on the staff, allowed to do what they ask, within one transaction."""

    connection: AsyncConnection
    staff: Staff
    poll: Poll
    now: datetime

    @property
    def by(self) -> By:
        """Give what the chain wants to know of an act."""
        return By(self.staff.name, VIA, self.now)


class StaffDesk:
    """Lets staff act. `wake` says that a message was planned."""

    def __init__(self, house: House, *, wake: Callable[[], None]) -> None:
        self.house = house
        self.wake = wake
        self._begun: Together[int, Draft | None] = Together("drafts", self._load_begun)

    @property
    def button_key(self) -> bytes:
        """What makes buttons ours."""
        return self.house.secrets.button_key

    def now(self) -> datetime:
        """Give the time."""
        return self.house.clock()

    async def who(self, user_id: int) -> Staff | None:
        """Say who a Telegram user is on the staff; None for everybody else."""
        async with self.house.database.reading() as connection:
            return await enrolment.find(connection, user_id)

    async def begun(self, user_id: int) -> Draft | None:
        """Give the dialogue somebody has begun. Every message asks this: requests that wait are read together."""
        return await self._begun.ask(user_id)

    async def _load_begun(self, user_ids: Sequence[int]) -> list[Draft | None]:
        async with self.house.database.reading() as connection:
            found = await drafts.load_many(connection, user_ids, self.now())
        return [found.get(user_id) for user_id in user_ids]

    @asynccontextmanager
    async def looking(self, user_id: int, act: Act) -> AsyncIterator[Acting]:
        """Yield a connection for reading. NotStaff, NotYourRole, NoPoll."""
        async with self.house.database.reading() as connection:
            yield await self._admitted(connection, user_id, act)

    @asynccontextmanager
    async def acting(self, user_id: int, act: Act) -> AsyncIterator[Acting]:
        """Yield a transaction. NotStaff, NotYourRole, NoPoll."""
        async with self.house.database.writing() as connection:
            yield await self._admitted(connection, user_id, act)

    async def _admitted(self, connection: AsyncConnection, user_id: int, act: Act) -> Acting:
        staff = await enrolment.find(connection, user_id)
        if staff is None:
            raise NotStaff
        insist(staff.role, act)
        return Acting(connection, staff, await polls.load(connection), self.now())
