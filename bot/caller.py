"""Who asks: one private chat at one moment, with the poll as it stands then."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import chats
from bot.chats import Chat
from messages.texts import fit_language
from voting import polls
from voting.locks import locks_of_chat
from voting.model import Lock, Poll


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


async def receive(connection: AsyncConnection, user_id: int, language_code: str | None, now: datetime) -> Caller:
    """Say who asks; their client's language counts until they have chosen one. NoPoll."""
    poll = await polls.load(connection)
    language = fit_language(language_code, poll.languages, default=poll.languages[0])
    chat = await chats.load(connection, user_id, language=language, now=now)
    return Caller(poll, chat, now)


async def own_lock(connection: AsyncConnection, chat: Chat) -> Lock | None:
    """Give the newest lock made from this chat."""
    made = await locks_of_chat(connection, chat.identity)
    return made[-1] if made else None
