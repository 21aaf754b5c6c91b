"""A chat's row: its language, the member it belongs to, and where its conversation stands.

Conversation state lives here and in button payloads only, so any process can take the next message and a restart
forgets nothing. A half-finished conversation lapses after STEP_LIFE.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import chat as chat_table
from voting.model import Lock
from voting.store.inserts import insert_into
from voting.store.many_values import among, listed

STEP_LIFE: Final = timedelta(hours=1)
FLOW_BYTES: Final = 9
PAGE: Final = "page:"  # begins the name of a session of the voting page, where others are chats


class Step(StrEnum):
    """What the next plain message of a chat is taken to be."""

    IDLE = "idle"
    VOTE_CODES = "vote_codes"  # /vote was begun: a pack code, a vote code or both
    VERIFY_CODES = "verify_codes"
    MEMBER_NUMBER = "member_number"  # linking
    ONE_TIME_CODE = "one_time_code"  # linking: six digits sent by SMS


@dataclass(frozen=True, slots=True)
class Chat:
    """One person's private chat with the bot. `facts` never hold a code in the clear, nor a choice."""

    user_id: int
    language: str
    language_chosen: bool = False
    member_id: int | None = None
    rule_version: int = 0
    warned_at: datetime | None = None
    warned_member_id: int | None = None
    warned_message_id: int | None = None
    step: Step = Step.IDLE
    flow: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    step_at: datetime | None = None

    @property
    def identity(self) -> str:
        """Name the chat as voting/ knows it."""
        return f"telegram:{self.user_id}"

    def at(self, step: Step, now: datetime, **facts: object) -> "Chat":
        """Move on within the same flow."""
        return replace(self, step=step, facts=facts, step_at=now, flow=self.flow or new_flow())

    def begin(self, step: Step, now: datetime, **facts: object) -> "Chat":
        """Begin a new flow."""
        return replace(self, step=step, facts=facts, step_at=now, flow=new_flow())

    def rest(self, now: datetime) -> "Chat":
        """End the flow."""
        return replace(self, step=Step.IDLE, facts={}, step_at=now, flow=None)


def was_warned(chat: Chat, message_id: int, lock: Lock) -> bool:
    """Whether a message was typed after this chat was warned of that lock; message ids only ever rise."""
    if chat.warned_at is None or chat.warned_message_id is None or chat.warned_member_id != lock.member_id:
        return False
    return chat.warned_at > lock.at and message_id > chat.warned_message_id


def new_flow() -> str:
    """Make the id of one run of a conversation."""
    return secrets.token_urlsafe(FLOW_BYTES)


async def load(connection: AsyncConnection, user_id: int, *, language: str, now: datetime) -> Chat:
    """Give the chat's row, or a new one in `language`; a step older than STEP_LIFE has lapsed."""
    return (await load_many(connection, {user_id: language}, now))[user_id]


async def load_many(connection: AsyncConnection, languages: Mapping[int, str], now: datetime) -> dict[int, Chat]:
    """Give the chats of several people, each with the language of their client."""
    wanted = select(chat_table).where(among(connection.dialect.name, chat_table.c.user_id))
    rows = await connection.execute(wanted, listed(languages))
    found = {row.user_id: _chat(row, languages[row.user_id], now) for row in rows}
    return {user_id: found.get(user_id) or Chat(user_id, languages[user_id], step_at=now) for user_id in languages}


async def save(connection: AsyncConnection, chat: Chat, now: datetime) -> None:
    """Write the row."""
    await save_many(connection, [(chat, now)])


async def save_many(connection: AsyncConnection, written: Sequence[tuple[Chat, datetime]]) -> None:
    """Write the rows of several chats each as it was at its moment; of two writes to one chat, the later stands."""
    rows = [
        {
            "user_id": chat.user_id,
            "language": chat.language,
            "language_chosen": chat.language_chosen,
            "member_id": chat.member_id,
            "rule_version": chat.rule_version,
            "warned_at": chat.warned_at,
            "warned_member_id": chat.warned_member_id,
            "warned_message_id": chat.warned_message_id,
            "step": chat.step.value,
            "flow": chat.flow,
            "facts": chat.facts,
            "step_at": chat.step_at or now,
            "seen_at": now,
        }
        for chat, now in written
    ]
    statement = insert_into(connection, chat_table)
    updated = {name: statement.excluded[name] for name in rows[0] if name != "user_id"}
    await connection.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=updated), rows)


def _chat(row: Any, language: str, now: datetime) -> Chat:  # noqa: ANN401 - a row of `chat`
    chat = Chat(
        user_id=row.user_id,
        language=row.language if row.language_chosen else language,
        language_chosen=row.language_chosen,
        member_id=row.member_id,
        rule_version=row.rule_version,
        warned_at=row.warned_at,
        warned_member_id=row.warned_member_id,
        warned_message_id=row.warned_message_id,
        step=Step(row.step),
        flow=row.flow,
        facts=row.facts,
        step_at=row.step_at,
    )
    return chat.rest(now) if now - row.step_at > STEP_LIFE else chat


def is_page(identity: str | None) -> bool:
    """Whether what voting/ knows by this name is a browser at the voting page, and no chat."""
    return identity is not None and identity.startswith(PAGE)
