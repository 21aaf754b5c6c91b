"""A notice before it is sent: drafted, changed, submitted, approved by a second person.

    draft -> submitted -> approved -> scheduled -> sending <-> paused -> done
      ^__________|____________|  (an edit)            any of them -> canceled, superseded
                 ^________________________|  (held at its time: scheduled.py)

An approval is for one version, bound to the hash of what would be sent (approval.py); an edit voids it.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages import audience as audiences
from messages.notices.approval import approval_hash
from messages.notices.model import EDITABLE, ENDED, Content, Notice, read_notice
from messages.notices.preview import preview
from messages.refusals import (
    NobodyToTell,
    NoticeChanged,
    NoticeEnded,
    NoticeKindUnknown,
    NoticeNotThere,
    NoticeTextMissing,
    NoticeTooLate,
    NoticeUnknown,
)
from messages.schema import notice
from messages.words.kinds import OF_WINDOW, Kind
from messages.words.texts import languages
from messages.words.wording import Ways, facts_of
from voting.audit import chain
from voting.model import By
from voting.poll import polls, window
from voting.refusals import NeedsSecondPerson
from voting.typed_text import lines, looks_like


class Change(Protocol):
    """What moves a notice on and needs to know nothing but who asks."""

    def __call__(self, connection: AsyncConnection, notice_id: int, /, *, by: By) -> Awaitable[Notice]:
        """Give the notice as it is then."""


async def draft(
    connection: AsyncConnection, content: Content, *, ways: Ways, by: By, resend_of: int | None = None
) -> Notice:
    """Write a draft, its facts (dates, rule, title) frozen as they are now.

    AudienceUnknown, NoticeKindUnknown, NoticeTextMissing, NoticeTooLate, NoPoll.
    """
    poll = await polls.load(connection)
    checked = _checked(content, poll.languages, by.at)
    windows = await window.history(connection)
    values = _columns(checked) | {
        "facts": facts_of(poll, windows, ways),
        "segments": {},
        "window_version": windows[-1].version if checked.kind in OF_WINDOW else None,
        "state": "draft",
        "version": 1,
        "author": by.actor,
        "created_at": by.at,
        "resend_of": resend_of,
    }
    made = await connection.execute(insert(notice).values(values).returning(notice.c.id))
    notice_id = made.scalar_one()
    await record(connection, "notice_drafted", notice_id, {"content": _told(checked)}, by=by)
    return await show(connection, notice_id)


async def edit(connection: AsyncConnection, notice_id: int, content: Content, *, version: int, by: By) -> Notice:
    """Change a notice that is not on its way yet; it is a draft again, whoever had approved it.

    `version` is the one the person saw: NoticeChanged if somebody else was faster. The editor becomes the author:
    nobody approves their own words.
    """
    found = await locked(connection, notice_id, version=version)
    refuse_unless(found, EDITABLE)
    poll = await polls.load(connection)
    checked = _checked(content, poll.languages, by.at)
    values = _columns(checked) | {"state": "draft", "author": by.actor, **NOT_APPROVED}
    await _write(connection, found, values)
    await record(connection, "notice_edited", notice_id, {"content": _told(checked)}, by=by)
    return await show(connection, notice_id)


async def submit(connection: AsyncConnection, notice_id: int, *, by: By) -> Notice:
    """Offer a draft for approval: its audience and cost are counted. NobodyToTell, NoticeTextTooLong."""
    found = await locked(connection, notice_id)
    refuse_unless(found, {"draft", "submitted"})
    refuse_too_late(found.content, by.at)
    seen = await preview(connection, found, now=by.at)
    if not seen.members:
        raise NobodyToTell(audience=found.content.audience)
    await _write(connection, found, {"state": "submitted", **NOT_APPROVED, **seen.counted})
    fresh = await show(connection, notice_id)
    body = {"hash": approval_hash(fresh), "members": seen.members}
    await record(connection, "notice_submitted", notice_id, body, by=by)
    return fresh


async def approve(connection: AsyncConnection, notice_id: int, *, by: By, version: int | None = None) -> Notice:
    """Approve a submitted notice as it stands. NeedsSecondPerson for its author; NoticeChanged if `version` is old.

    A draft that nobody submitted is submitted on the way: approving is looking at it.
    """
    found = await locked(connection, notice_id, version=version)
    if looks_like(found.author, by.actor):
        raise NeedsSecondPerson(act=f"Notice {notice_id}", name=by.actor)
    if found.state == "draft":
        found = await submit(connection, notice_id, by=By(found.author, by.via, by.at))
    refuse_unless(found, {"submitted"})
    digest = approval_hash(found)
    await _write(
        connection,
        found,
        {
            "state": "approved",
            "approved_by": by.actor,
            "approved_at": by.at,
            "approved_hash": digest,
            "pause_reason": None,
        },
        same_version=True,
    )
    await record(connection, "notice_approved", notice_id, {"hash": digest}, by=by)
    return await show(connection, notice_id)


async def show(connection: AsyncConnection, notice_id: int) -> Notice:
    """Give a notice; NoticeUnknown."""
    row = (await connection.execute(select(notice).where(notice.c.id == notice_id))).mappings().first()
    if row is None:
        raise NoticeUnknown(notice_id=notice_id)
    return read_notice(row)


async def list_notices(connection: AsyncConnection, limit: int = 100) -> list[Notice]:
    """Give the newest notices, newest first."""
    rows = await connection.execute(select(notice).order_by(notice.c.id.desc()).limit(limit))
    return [read_notice(row) for row in rows.mappings()]


async def locked(connection: AsyncConnection, notice_id: int, *, version: int | None = None) -> Notice:
    """Give a notice that nobody else changes until the transaction ends. NoticeUnknown, NoticeChanged."""
    found = await connection.execute(select(notice).where(notice.c.id == notice_id).with_for_update())
    row = found.mappings().first()
    if row is None:
        raise NoticeUnknown(notice_id=notice_id)
    if version is not None and row["version"] != version:
        raise NoticeChanged(notice_id=notice_id)
    return read_notice(row)


def refuse_unless(found: Notice, states: frozenset[str] | set[str]) -> None:
    """Go on only in one of these states; NoticeEnded, NoticeNotThere."""
    if found.state in states:
        return
    if found.state in ENDED:
        raise NoticeEnded(notice_id=found.id, state=found.state)
    raise NoticeNotThere(notice_id=found.id, state=found.state)


def refuse_too_late(content: Content, now: datetime) -> None:
    """Go on only with a notice that some moment is left for; NoticeTooLate."""
    if content.send_before is not None and content.send_before <= max(now, content.send_at or now):
        raise NoticeTooLate(send_before=content.send_before)


async def record(connection: AsyncConnection, kind: str, notice_id: int, body: dict[str, Any], *, by: By) -> None:
    """Write what was done to a notice on the chain."""
    await chain.append(connection, kind, {"notice": notice_id, **body}, by=by)


# What is forgotten of a notice that has to be approved (again).
NOT_APPROVED: Final = {
    "approved_by": None,
    "approved_at": None,
    "approved_hash": None,
    "members": None,
    "cost": None,
    "cost_most": None,
    "pause_reason": None,
}


def _checked(content: Content, poll_languages: tuple[str, ...], now: datetime) -> Content:
    refuse_too_late(content, now)
    try:
        kind = Kind(content.kind)
    except ValueError:
        raise NoticeKindUnknown(kind=content.kind) from None
    audience = str(audiences.parse(content.audience))
    texts = {language: kept for language, words in content.texts.items() if (kept := lines(words))}
    if kind is not Kind.CUSTOM:
        return replace(content, kind=kind, audience=audience, texts={})
    missing = [language for language in poll_languages if language not in texts and language in languages()]
    if missing:
        raise NoticeTextMissing(language=missing[0])
    return replace(content, kind=kind, audience=audience, texts=texts)


def _columns(content: Content) -> dict[str, Any]:
    return {
        "kind": str(content.kind),
        "audience": content.audience,
        "texts": dict(content.texts),
        "urgent": content.urgent,
        "send_at": content.send_at,
        "send_before": content.send_before,
        "texts_when_held": content.texts_when_held,
        "on_unknown": content.on_unknown,
    }


def _told(content: Content) -> dict[str, Any]:
    """Give what the chain keeps of a notice's content: whatever a stranger may read later."""
    return {
        "kind": str(content.kind),
        "audience": content.audience,
        "texts": dict(content.texts),
        "urgent": content.urgent,
        "send_at": content.send_at.isoformat() if content.send_at else None,
        "send_before": content.send_before.isoformat() if content.send_before else None,
        "texts_when_held": content.texts_when_held,
    }


async def _write(
    connection: AsyncConnection, found: Notice, values: Mapping[str, Any], *, same_version: bool = False
) -> None:
    version = found.version if same_version else found.version + 1
    await connection.execute(update(notice).where(notice.c.id == found.id).values(**values, version=version))
