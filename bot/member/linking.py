"""Link a private chat to a member: by their own shared number, or by member number and a code sent to their phone.

Whether a member number is on the roll is not given away: every answer is the same until the right code
comes. https://core.telegram.org/bots/api#contact
"""

import hashlib
import hmac
import secrets as randomness
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member import chats
from bot.member.answers import AskLink, CodeOnItsWay, CodeWrong, Linked, NotYourNumber, NumberUnknown, WhichMember
from bot.member.callers import Caller
from bot.member.chats import Step
from bot.schema import chat as chat_table
from messages import reach
from messages.ledger.planning import plan_message
from messages.pace.pacer import Lane
from messages.schema import one_time_code
from messages.words.phone import read_phone
from messages.words.texts import fit_language
from voting import schema
from voting.secrets_file import Secrets
from voting.store.database import Database

CODE_LIFE: Final = timedelta(minutes=10)
CODE_DIGITS: Final = 6
SENDS_MAX: Final = 3  # per member and per chat in SENDS_SPAN
SENDS_SPAN: Final = timedelta(days=1)
WRONG_MAX: Final = 5
MEMBER_NO_CHARACTERS_MAX: Final = 40


Answer = Linked | AskLink | NotYourNumber | NumberUnknown | WhichMember | CodeOnItsWay | CodeWrong


@dataclass(frozen=True, slots=True)
class Linking:
    """Links chats. `sms`: whether text messages can be sent."""

    database: Database
    secrets: Secrets
    sms: bool

    async def begin(self, caller: Caller) -> AskLink:
        """Ask for a contact or a member number."""
        await self._go(caller, Step.MEMBER_NUMBER)
        return AskLink(self.sms)

    async def take_contact(self, caller: Caller, phone: str, owner_id: int | None) -> Answer:
        """Link by a shared number, which counts only when it is the sender's own."""
        if owner_id != caller.chat.user_id:
            return NotYourNumber()
        number = read_phone(phone if phone.startswith("+") else f"+{phone}", None).e164
        async with self.database.reading() as connection:
            found = await _members_with(connection, number) if number else []
        if len(found) == 1:
            return await self._link(caller, found[0])
        if found:
            await self._go(caller, Step.MEMBER_NUMBER, phone=number)
            return WhichMember()
        await self._go(caller, Step.MEMBER_NUMBER)
        return NumberUnknown(self.sms)

    async def take_member_number(self, caller: Caller, text: str, *, occasion: str) -> Answer:
        """Take a member number: to choose among those with the shared phone number, or to send a code to its phone."""
        member_no = text.strip()[:MEMBER_NO_CHARACTERS_MAX]
        shared = caller.chat.facts.get("phone")
        if shared is not None:
            async with self.database.reading() as connection:
                found = await _members_with(connection, shared, member_no)
            return await self._link(caller, found[0]) if found else WhichMember(wrong=True)
        if not self.sms:
            return AskLink(sms=False)
        async with self.database.writing() as connection:
            await self._send_code(connection, caller, member_no, occasion)
            chat = caller.chat.at(Step.ONE_TIME_CODE, caller.now, wrong=0)
            await chats.save(connection, chat, caller.now)
        return CodeOnItsWay(int(CODE_LIFE.total_seconds() // 60))

    async def take_code(self, caller: Caller, text: str) -> Answer:
        """Take the code that was sent; after WRONG_MAX wrong ones a new one is needed."""
        digits = "".join(char for char in text if char.isdigit())
        async with self.database.writing() as connection:
            member_id = await self._right(connection, caller, digits)
            if member_id is not None:
                return await self._link_in(connection, caller, member_id)
            wrong = int(caller.chat.facts.get("wrong", 0)) + 1
            over = wrong >= WRONG_MAX
            chat = caller.chat.at(Step.MEMBER_NUMBER if over else Step.ONE_TIME_CODE, caller.now, wrong=wrong)
            await chats.save(connection, chat, caller.now)
        return CodeWrong(max(0, WRONG_MAX - wrong))

    async def _go(self, caller: Caller, step: Step, **facts: object) -> None:
        async with self.database.writing() as connection:
            await chats.save(connection, caller.chat.begin(step, caller.now, **facts), caller.now)

    async def _link(self, caller: Caller, member_id: int) -> Linked:
        async with self.database.writing() as connection:
            return await self._link_in(connection, caller, member_id)

    async def _link_in(self, connection: AsyncConnection, caller: Caller, member_id: int) -> Linked:
        """Link; an earlier chat of this member is unlinked, and the member's own language is spoken."""
        row = (await connection.execute(select(schema.member).where(schema.member.c.id == member_id))).one()
        user_id = caller.chat.user_id
        await connection.execute(
            update(chat_table)
            .where(chat_table.c.member_id == member_id, chat_table.c.user_id != user_id)
            .values(member_id=None)
        )
        spoken = caller.chat.language if caller.chat.language_chosen else None
        await reach.link_telegram(connection, member_id, user_id, caller.now, language=spoken)
        chat = replace(caller.chat.rest(caller.now), member_id=member_id)
        if not chat.language_chosen:
            language = fit_language(row.language, caller.poll.languages, default=caller.poll.languages[0])
            chat = replace(chat, language=language, language_chosen=True)
        await chats.save(connection, chat, caller.now)
        return Linked(row.member_no, chat.language)

    async def _send_code(self, connection: AsyncConnection, caller: Caller, member_no: str, occasion: str) -> None:
        """Send a code to the member's phone within the limits; once for an `occasion`."""
        member = schema.member.c
        row = (
            await connection.execute(
                select(member.id, member.phone, member.language).where(
                    member.member_no == member_no, member.phone.is_not(None)
                )
            )
        ).one_or_none()
        if row is None or await _sent(connection, caller, row.id) >= SENDS_MAX:
            return
        code = f"{randomness.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        planned = await plan_message(
            connection,
            purpose="link_code",
            facts={"code": code, "minutes": int(CODE_LIFE.total_seconds() // 60)},
            channel=reach.SMS,
            address=row.phone,
            language=row.language,
            occasion=f"link:{caller.chat.user_id}:{occasion}",
            lane=Lane.CHAT,
            now=caller.now,
            member_id=row.id,
            send_before=caller.now + CODE_LIFE,
        )
        if planned is None:
            return
        await connection.execute(
            insert(one_time_code).values(
                chat=caller.chat.identity,
                member_id=row.id,
                code_hash=self._hash(caller.chat.identity, row.id, code),
                sent_at=caller.now,
                expires_at=caller.now + CODE_LIFE,
                wrong=0,
            )
        )

    async def _right(self, connection: AsyncConnection, caller: Caller, digits: str) -> int | None:
        """Compare with the newest code sent for this chat, and count wrong ones."""
        code = one_time_code.c
        newest = select(one_time_code).where(code.chat == caller.chat.identity).order_by(code.id.desc()).limit(1)
        row = (await connection.execute(newest)).one_or_none()
        if row is None or row.used_at is not None or row.expires_at <= caller.now or row.wrong >= WRONG_MAX:
            return None
        right = hmac.compare_digest(row.code_hash, self._hash(caller.chat.identity, row.member_id, digits))
        values = {"used_at": caller.now} if right else {"wrong": row.wrong + 1}
        await connection.execute(update(one_time_code).where(code.id == row.id).values(**values))
        return int(row.member_id) if right else None

    def _hash(self, chat: str, member_id: int, code: str) -> bytes:
        message = f"link code\0{chat}\0{member_id}\0{code}".encode()
        return hmac.digest(self.secrets.session_key, message, hashlib.sha256)


async def _members_with(connection: AsyncConnection, phone: str, member_no: str | None = None) -> list[int]:
    query = select(schema.member.c.id).where(schema.member.c.phone == phone).order_by(schema.member.c.id)
    if member_no is not None:
        query = query.where(schema.member.c.member_no == member_no)
    return list((await connection.execute(query)).scalars())


async def _sent(connection: AsyncConnection, caller: Caller, member_id: int) -> int:
    """Count codes sent lately to the member or for the chat, whichever is more."""
    code = one_time_code.c
    recent = code.sent_at > caller.now - SENDS_SPAN
    counts = [
        await connection.scalar(select(func.count()).select_from(one_time_code).where(recent, where))
        for where in (code.member_id == member_id, code.chat == caller.chat.identity)
    ]
    return max(int(count or 0) for count in counts)
