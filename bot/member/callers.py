"""Who asks: one private chat at one moment, with the poll as it stands then.

When many write at once, their chats are read by one statement and written by one: see voting/store/together.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member import chats
from bot.member.chats import Chat
from messages import reach
from messages.reach import TELEGRAM
from messages.words.texts import fit_language
from voting.model import Lock, Poll
from voting.poll.bound import load_bound
from voting.refusals import NoPoll
from voting.store.database import Database
from voting.store.together import Together
from voting.votes.locks import find_locks, locks_of_chat, locks_of_chats


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, from which chat, and the poll as it stands."""

    poll: Poll
    chat: Chat
    now: datetime

    @property
    def language(self) -> str:
        """Give the language to answer in."""
        return self.chat.language


@dataclass(frozen=True, slots=True)
class _Asker:
    user_id: int
    language_code: str | None
    now: datetime


class Callers:
    """Reads and writes callers' chats; those that wait at the same time share one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: Together[_Asker, Caller] = Together("callers", self._receive)
        self._write: Together[tuple[Chat, datetime], None] = Together("chats", self._save)
        self._locks: Together[Chat, Lock | None] = Together("locks of chats", self._find_locks)

    async def receive(self, user_id: int, language_code: str | None, now: datetime) -> Caller:
        """Say who asks; their client's language counts until they have chosen one. NoPoll."""
        return await self._read.ask(_Asker(user_id, language_code, now))

    async def save(self, chat: Chat, now: datetime) -> None:
        """Write a chat."""
        await self._write.ask((chat, now))

    async def lock_of(self, chat: Chat) -> Lock | None:
        """Give the lock of the chat's member; without a member, the newest lock made from the chat."""
        return await self._locks.ask(chat)

    async def _receive(self, asked: Sequence[_Asker]) -> list[Caller | Exception]:
        async with self._database.reading() as connection:
            try:
                poll = await load_bound(connection)
            except NoPoll:
                return [NoPoll() for _ in asked]
            spoken = {one.user_id: _language(poll, one.language_code) for one in asked}
            found = await chats.load_many(connection, spoken, now := max(one.now for one in asked))
            addresses = [str(user_id) for user_id in spoken]
            off = await reach.any_wrongly_off(connection, TELEGRAM, addresses)
        if off:  # a channel that went off by mistake comes back as soon as its person writes
            async with self._database.writing() as connection:
                await reach.hear_from(connection, TELEGRAM, addresses, now)
        return [Caller(poll, found[one.user_id], one.now) for one in asked]

    async def _save(self, written: Sequence[tuple[Chat, datetime]]) -> list[None]:
        async with self._database.writing() as connection:
            await chats.save_many(connection, written)
        return [None for _ in written]

    async def _find_locks(self, asked: Sequence[Chat]) -> list[Lock | None]:
        members = {chat.member_id for chat in asked if chat.member_id is not None}
        unlinked = {chat.identity for chat in asked if chat.member_id is None}
        async with self._database.reading() as connection:
            by_member = await find_locks(connection, members) if members else {}
            by_chat = {lock.chat: lock for lock in await locks_of_chats(connection, unlinked)} if unlinked else {}
        return [
            by_chat.get(chat.identity) if chat.member_id is None else by_member.get(chat.member_id) for chat in asked
        ]


async def receive(connection: AsyncConnection, user_id: int, language_code: str | None, now: datetime) -> Caller:
    """Say who asks, within the caller's transaction. NoPoll."""
    poll = await load_bound(connection)
    chat = await chats.load(connection, user_id, language=_language(poll, language_code), now=now)
    return Caller(poll, chat, now)


async def own_lock(connection: AsyncConnection, chat: Chat) -> Lock | None:
    """Give the newest lock made from this chat."""
    made = await locks_of_chat(connection, chat.identity)
    return made[-1] if made else None


def _language(poll: Poll, language_code: str | None) -> str:
    return fit_language(language_code, poll.languages, default=poll.languages[0])
