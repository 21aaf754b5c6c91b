"""What a notice would be, before it is: whom it reaches how, each text as it will read, what it costs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.ledger.planning import HOUSEHOLD, NoticePlan, planned_rows
from messages.notices.model import Notice
from messages.reach import SMS, TELEGRAM, State
from messages.refusals import NoticeTextTooLong
from messages.schema import channel
from messages.words.sms_text import BODY_CHARACTERS_MAX, SmsText, cost, encode_plan
from messages.words.texts import fit_language, languages
from voting.model import Poll
from voting.poll import polls


@dataclass(frozen=True, slots=True)
class PreviewText:
    """One text, as `recipients` get it. The last four fields are of text messages only."""

    language: str
    channel: str
    text: str
    recipients: int
    encoding: str | None = None
    characters: int | None = None
    segments: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A notice before it goes. `audience` counts members: telegram, sms, household (told with another), skipped."""

    notice_id: int
    kind: str
    audience_name: str
    members: int
    audience: dict[str, int]
    texts: tuple[PreviewText, ...]
    cost: Decimal
    currency: str
    held: Mapping[str, int] = field(default_factory=dict)  # for Telegram, and texts while it takes nothing: by language
    cost_most: Decimal | None = None  # with those; None: they wait for Telegram

    @property
    def by_text_most(self) -> int:
        """How many would get a text while Telegram takes nothing."""
        return sum(self.held.values())

    @property
    def counted(self) -> dict[str, Any]:
        """What is kept of it when the notice is offered for approval, as columns of the notice."""
        return {
            "members": self.members,
            "cost": str(self.cost),
            "cost_most": None if self.cost_most is None else str(self.cost_most),
            "segments": self.segments,
        }

    @property
    def segments(self) -> dict[str, int]:
        """Segments of the text message, by language."""
        return _segments(self.texts)

    def as_json(self) -> dict[str, Any]:
        """Give it as `notice draft --json` prints it; money as text, exactly."""
        return {
            "id": self.notice_id,
            "kind": self.kind,
            "audience": {"name": self.audience_name, "members": self.members, **self.audience},
            "texts": [
                {
                    name: str(value) if isinstance(value, Decimal) else value
                    for name in PreviewText.__slots__
                    if (value := getattr(text, name)) is not None
                }
                for text in self.texts
            ],
            "cost": str(self.cost),
            "currency": self.currency,
            **({} if self.cost_most is None else self._when_held()),
        }

    def _when_held(self) -> dict[str, Any]:
        return {"texts_when_held": {"recipients_most": self.by_text_most, "cost_most": str(self.cost_most)}}


async def preview(connection: AsyncConnection, notice: Notice, *, now: datetime) -> Preview:
    """Say what sending this notice now would do; NoticeTextTooLong if a text message would be refused."""
    poll = await polls.load(connection)
    counts = await _counts(connection, notice, poll, now)
    shown = [language for language in languages() if language in poll.languages or counts["language", language]]
    texts = [text for language in shown for text in _texts(notice, language, counts, poll)]
    base = sum((text.cost for text in texts if text.cost is not None), Decimal(0))
    held = await _held_counts(connection, notice, poll, now) if notice.content.texts_when_held else None
    return Preview(
        notice_id=notice.id,
        kind=str(notice.content.kind),
        audience_name=notice.content.audience,
        members=counts["members", ""],
        audience={what: counts["what", what] for what in (TELEGRAM, SMS, HOUSEHOLD, "skipped")},
        texts=tuple(texts),
        cost=base,
        currency=poll.sms.currency,
        held=held or {},
        cost_most=None if held is None else base + held_cost(_segments(texts), held, poll),
    )


async def _held_counts(connection: AsyncConnection, notice: Notice, poll: Poll, now: datetime) -> Counter[str]:
    """Count by language those who would get it on Telegram and have a number too: at most so many texts more."""
    rows = planned_rows(plan_of(notice, poll, now)).subquery("planned")
    has_number = and_(channel.c.member_id == rows.c.member_id, channel.c.kind == SMS, channel.c.state == State.ON)
    grouped = await connection.execute(
        select(rows.c.language, func.count().label("members"))
        .select_from(rows.join(channel, has_number))
        .where(rows.c.channel == TELEGRAM, rows.c.state == "ready")
        .group_by(rows.c.language)
    )
    counts: Counter[str] = Counter()
    for row in grouped:
        counts[fit_language(row.language)] += row.members
    return counts


def held_cost(segments: Mapping[str, int], held: Mapping[str, int], poll: Poll) -> Decimal:
    """Say what so many texts more would cost; both by language."""
    each = (cost(segments[language], poll.sms.cost_per_segment, count) for language, count in held.items())
    return sum(each, Decimal(0))


def plan_of(notice: Notice, poll: Poll, now: datetime, segments: dict[str, int] | None = None) -> NoticePlan:
    """Give what the planning statement needs."""
    return NoticePlan(
        notice_id=notice.id,
        kind=str(notice.content.kind),
        audience=notice.content.audience,
        urgent=notice.content.urgent,
        segments=segments or {},
        today=now.astimezone(ZoneInfo(poll.timezone)).date(),
        now=now,
        send_before=notice.content.send_before,
    )


async def _counts(connection: AsyncConnection, notice: Notice, poll: Poll, now: datetime) -> Counter[tuple[str, str]]:
    rows = planned_rows(plan_of(notice, poll, now)).subquery("planned")
    grouped = await connection.execute(
        select(rows.c.channel, rows.c.language, rows.c.state, rows.c.reason, func.count().label("members")).group_by(
            rows.c.channel, rows.c.language, rows.c.state, rows.c.reason
        )
    )
    counts: Counter[tuple[str, str]] = Counter()
    for row in grouped:
        language = fit_language(row.language)
        what = row.channel if row.state == "ready" else (HOUSEHOLD if row.reason == HOUSEHOLD else "skipped")
        counts["members", ""] += row.members
        counts["what", what] += row.members
        counts["language", language] += row.members
        if row.state == "ready":
            counts[row.channel, language] += row.members
    return counts


def _segments(texts: Iterable[PreviewText]) -> dict[str, int]:
    return {text.language: text.segments for text in texts if text.segments is not None}


def _texts(notice: Notice, language: str, counts: Counter[tuple[str, str]], poll: Poll) -> list[PreviewText]:
    sms = encode_plan(notice.words.sms(language))
    _refuse_too_long(sms, language)
    recipients = counts[SMS, language]
    return [
        PreviewText(language, TELEGRAM, notice.words.chat(language), counts[TELEGRAM, language]),
        PreviewText(
            language,
            SMS,
            sms.text,
            recipients,
            encoding=str(sms.encoding),
            characters=sms.characters,
            segments=sms.segments,
            cost=cost(sms.segments, poll.sms.cost_per_segment, recipients),
        ),
    ]


def _refuse_too_long(sms: SmsText, language: str) -> None:
    if not sms.fits:
        raise NoticeTextTooLong(language=language, characters=sms.characters, characters_max=BODY_CHARACTERS_MAX)
