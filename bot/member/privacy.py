"""What is kept about a member: shown, exported or forgotten when they ask; forgotten for everybody after the poll.

The lock, the sealed ballot and the chain stay: without them the count could not be checked.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member import status as member_status
from bot.member.callers import Caller
from bot.member.file import member_file
from bot.schema import chat, inbox, missing_pack
from messages.schema import channel, delivery, one_time_code, provider_event
from messages.words.phone import PhoneReason
from voting import schema
from voting.audit import chain
from voting.model import By, Phase
from voting.packs.forgetting import forget_credentials
from voting.poll import polls
from voting.refusals import PollStillOpen
from voting.store.columns import METADATA
from voting.store.database import Database
from voting.votes.locks import locks_of_chat

WAITING: Final = ("ready",)
MOVING: Final = ("sending", "unknown")  # the postman has not finished with these


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept about whoever writes from a chat."""

    linked: bool
    phone_ending: str | None
    language: str
    voted: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a purge has forgotten, counted; `credentials` only after the count.

    `compact`: nothing of it is left in free pages, dead rows or the database's log; False when somebody else had the
    database open.
    """

    chats: int
    phones: int
    channels: int
    deliveries: int
    inbox: int
    credentials: int = 0
    compact: bool = False


@dataclass(frozen=True, slots=True)
class Privacy:
    """Tells, exports and forgets."""

    database: Database

    async def kept(self, caller: Caller) -> Kept:
        """Say in short what is kept."""
        async with self.database.reading() as connection:
            locks = await locks_of_chat(connection, caller.chat.identity)
            if caller.chat.member_id is None:
                return Kept(linked=False, phone_ending=None, language=caller.language, voted=bool(locks))
            status = await member_status.gather(connection, caller.chat.member_id, now=caller.now)
        ending = None if status.phone is None else status.phone[-3:]
        voted = bool(locks) or status.lock is not None
        return Kept(linked=True, phone_ending=ending, language=caller.language, voted=voted)

    async def export(self, caller: Caller) -> dict[str, Any]:
        """Give all that is kept under this chat and its member. Attempts and cases are staff's to disclose."""
        async with self.database.reading() as connection:
            locks = await locks_of_chat(connection, caller.chat.identity)
            member = None
            if caller.chat.member_id is not None:
                query = select(schema.member.c.member_no).where(schema.member.c.id == caller.chat.member_id)
                member_no = str(await connection.scalar(query))
                member = await member_file(connection, member_no)
                del member["cases"]
        return {
            "telegram_user_id": caller.chat.user_id,
            "language": caller.language,
            "rule_accepted": caller.chat.rule_version,
            "votes_locked_from_this_chat": [{"at": lock.at, "receipt": lock.receipt} for lock in locks],
            "member": member,
        }

    async def forget_me(self, caller: Caller) -> None:
        """Forget the chat's link, the member's number and where messages went; never the lock."""
        async with self.database.writing() as connection:
            member_id = caller.chat.member_id
            if member_id is not None:
                await _forget_member(connection, member_id, caller.now)
            await connection.execute(delete(one_time_code).where(one_time_code.c.chat == caller.chat.identity))
            await connection.execute(delete(chat).where(chat.c.user_id == caller.chat.user_id))


async def _forget_member(connection: AsyncConnection, member_id: int, now: datetime) -> None:
    await connection.execute(update(chat).where(chat.c.member_id == member_id).values(member_id=None))
    await connection.execute(delete(channel).where(channel.c.member_id == member_id))
    await connection.execute(delete(one_time_code).where(one_time_code.c.member_id == member_id))
    await connection.execute(
        update(schema.member)
        .where(schema.member.c.id == member_id)
        .values(phone=None, phone_reason=str(PhoneReason.MISSING))
    )
    own = delivery.c.member_id == member_id
    await connection.execute(
        update(delivery)
        .where(own, delivery.c.state.in_(WAITING))
        .values(state="canceled", reason="forgotten", settled_at=now)
    )
    await connection.execute(
        update(delivery).where(own, delivery.c.state.not_in(MOVING)).values(address="", facts=None)
    )


async def insist_over(connection: AsyncConnection) -> None:
    """Refuse while anybody can still vote: PollStillOpen, NoPoll."""
    poll = await polls.load(connection)
    if poll.phase not in (Phase.CLOSED, Phase.COUNTED):
        raise PollStillOpen(phase=poll.phase)


async def forget(database: Database, *, by: By) -> Forgotten:
    """Forget everybody's chats, numbers and addresses once the poll is over; after the count, whose each ballot was.

    PollStillOpen, NoPoll.
    Numbers that said STOP stay on their list: they must not be written to again. Repeated, it finds nothing more.
    """
    async with database.writing() as connection:
        await insist_over(connection)
        credentials = await forget_credentials(connection)
        counted = replace(await _forget_all(connection, by.at), credentials=credentials)
        body = {name: number for name, number in asdict(counted).items() if name != "compact"}
        if any(body.values()):
            await chain.append(connection, "personal_data_forgotten", body, by=by)
    compact = await database.compact(table.name for table in METADATA.sorted_tables)
    return replace(counted, compact=compact)


async def _forget_all(connection: AsyncConnection, now: datetime) -> Forgotten:
    phones = await connection.execute(
        update(schema.member)
        .where(schema.member.c.phone.is_not(None))
        .values(phone=None, phone_reason=str(PhoneReason.MISSING))
    )
    await connection.execute(
        update(delivery)
        .where(delivery.c.state.in_(WAITING))
        .values(state="canceled", reason="forgotten", settled_at=now)
    )
    addresses = await connection.execute(
        update(delivery).where(delivery.c.address != "", delivery.c.state.not_in(MOVING)).values(address="", facts=None)
    )
    for table in (one_time_code, missing_pack, provider_event, schema.wrong_code):
        await connection.execute(delete(table))
    letters = await connection.execute(delete(inbox).where(inbox.c.state != "new"))
    return Forgotten(
        chats=await _emptied(connection, chat),
        phones=_rows(phones),
        channels=await _emptied(connection, channel),
        deliveries=_rows(addresses),
        inbox=_rows(letters),
    )


async def _emptied(connection: AsyncConnection, table: Table) -> int:
    return _rows(await connection.execute(delete(table)))


def _rows(result: CursorResult[Any]) -> int:
    return max(0, result.rowcount)
