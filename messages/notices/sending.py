"""Send a notice: to its audience, to oneself as a trial, or once more to those it did not reach.

It is checked once more, then planned in one statement or scheduled. scheduled.py sends it when its time has come.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.ledger.planning import plan_message, plan_notice
from messages.notices.approval import approval_hash, refuse_unapproved
from messages.notices.model import ENDED, Notice
from messages.notices.notices import draft, locked, record, refuse_too_late, refuse_unless, show
from messages.notices.preview import Preview, plan_of, preview
from messages.pace.pacer import Lane
from messages.reach import SMS, TELEGRAM
from messages.refusals import ChannelsOff, NobodyToTell, NoticeNotThere
from messages.schema import notice
from messages.words.purposes import LITERAL
from messages.words.texts import fit_language
from messages.words.wording import Ways
from voting.model import By
from voting.poll import polls

BOTH: Final = frozenset({TELEGRAM, SMS})


async def send(connection: AsyncConnection, notice_id: int, *, by: By, providers: Collection[str] = BOTH) -> Notice:
    """Let a notice go, now or at its `send_at`. Sending what is on its way already changes nothing.

    NotApproved when the audience needs a second person; NoticeChanged when what was approved is not what would go;
    NoticeOutgrown, NoticeTooLate, NobodyToTell, NoticeEnded; ChannelsOff when `providers` is empty.
    """
    if not providers:
        raise ChannelsOff
    found = await locked(connection, notice_id)
    if found.state in ("scheduled", "sending"):
        return found
    refuse_unless(found, {"draft", "submitted", "approved"})
    refuse_too_late(found.content, by.at)
    seen = await preview(connection, found, now=by.at)
    poll = await polls.load(connection)
    if not seen.members:
        raise NobodyToTell(audience=found.content.audience)
    refuse_unapproved(found, seen, approve_over=poll.staff.approve_over)
    if found.content.send_at is not None and found.content.send_at > by.at:
        await connection.execute(update(notice).where(notice.c.id == notice_id).values(state="scheduled"))
        body = {"send_at": found.content.send_at.isoformat()}
        await record(connection, "notice_scheduled", notice_id, body, by=by)
        return await show(connection, notice_id)
    return await plan_sending(connection, found, seen, by=by, providers=providers)


async def try_on(
    connection: AsyncConnection,
    notice_id: int,
    *,
    channel: str,
    address: str,
    language: str,
    occasion: str,
    now: datetime,
) -> int | None:
    """Send a notice to one's own chat or phone, as members would get it; return the delivery's id."""
    found = await show(connection, notice_id)
    fitting = fit_language(language)
    words = found.words.sms(fitting) if channel == SMS else found.words.chat(fitting)
    facts = {"text": words} if channel == SMS else {"text": words, "html": words}
    return await plan_message(
        connection,
        purpose=LITERAL,
        facts=facts,
        channel=channel,
        address=address,
        language=fitting,
        occasion=f"try:{notice_id}:{occasion}",
        lane=Lane.CHAT,
        now=now,
    )


async def resend_to_unreached(connection: AsyncConnection, notice_id: int, *, ways: Ways, by: By) -> Notice:
    """Draft the same notice for whom it did not reach; it has its own approval. NobodyToTell, NoticeNotThere."""
    found = await show(connection, notice_id)
    if found.state not in ENDED:
        raise NoticeNotThere(notice_id=notice_id, state=found.state)
    content = replace(found.content, audience=f"unreached:{notice_id}", send_at=None)
    again = await draft(connection, content, ways=ways, by=by, resend_of=notice_id)
    seen = await preview(connection, again, now=by.at)
    if not seen.audience[TELEGRAM] + seen.audience[SMS]:
        raise NobodyToTell(audience=content.audience)
    return again


async def plan_sending(
    connection: AsyncConnection, found: Notice, seen: Preview, *, by: By, providers: Collection[str]
) -> Notice:
    """Plan a notice that may go: one row per member and channel, in one statement."""
    poll = await polls.load(connection)
    plan = replace(plan_of(found, poll, by.at, seen.segments), providers=frozenset(providers))
    planned = await plan_notice(connection, plan)
    values = {"state": "sending", "planned_at": by.at, "segments": seen.segments}
    await connection.execute(update(notice).where(notice.c.id == found.id).values(values))
    body = {"planned": planned, "hash": approval_hash(found)}
    await record(connection, "notice_sent", found.id, body, by=by)
    return await show(connection, found.id)
