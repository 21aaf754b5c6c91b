"""A notice while it is being written: read from the form, shown as members would get it, counted and priced.

The audience is counted by the statement that will plan it, which reads the whole roll: a count is kept for a while, the
longer, the longer it took, so that typing costs nothing but the words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from time import monotonic
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.notice_counts import until
from bot.console.visit import FormWrong, Visit, read_time
from messages import audience as audiences
from messages.notices.model import Content, Notice
from messages.notices.preview import held_cost, preview
from messages.reach import SMS, TELEGRAM
from messages.refusals import NoticeTextTooLong
from messages.words.kinds import Kind
from messages.words.sms_text import SmsText, cost, encode_plan
from messages.words.texts import languages
from messages.words.wording import Ways, facts_of
from voting.model import Poll
from voting.poll import window

COUNT_LIFE_SECONDS: Final = 30.0
COUNTS_MAX: Final = 50
TEXT_CHARACTERS_MAX: Final = 1_600
SKETCH_ID: Final = 0  # no notice has it


@dataclass(frozen=True, slots=True)
class Counted:
    """An audience: members, by channel, and by language and channel."""

    members: int
    ways: Mapping[str, int]
    recipients: Mapping[tuple[str, str], int]
    held: Mapping[str, int]  # by language: for Telegram, and by text while it takes nothing

    def of(self, language: str, channel: str) -> int:
        """Give how many get it in a language on a channel."""
        return self.recipients.get((language, channel), 0)


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in one language. `missing`: nobody has written it yet; numbers are None until they are counted."""

    language: str
    chat: str
    sms: SmsText
    missing: bool
    by_chat: int | None = None
    by_sms: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """A notice as it would go; `counted` is None until its audience is counted."""

    words: tuple[Words, ...]
    counted: Counted | None
    currency: str
    more: int = 0  # texts, at most, while Telegram takes nothing
    cost_most: Decimal | None = None  # with those; None: they wait, or nobody has counted

    @property
    def cost(self) -> Decimal:
        """What its text messages would cost."""
        return sum((words.cost for words in self.words if words.cost is not None), Decimal(0))


class Counts:
    """Keeps the last counts of audiences for a while."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, bool], tuple[float, Counted]] = {}  # until when it is shown

    def known(self, notice: Notice) -> Counted | None:
        """Give a count made a moment ago, or None."""
        kept = self._kept.get(_key(notice))
        return kept[1] if kept is not None and monotonic() < kept[0] else None

    async def of(self, connection: AsyncConnection, notice: Notice, now: datetime) -> Counted:
        """Count a notice's audience; AudienceUnknown."""
        if (known := self.known(notice)) is not None:
            return known
        began = monotonic()
        blank = replace(notice, content=replace(notice.content, texts=dict.fromkeys(languages(), ".")))
        seen = await preview(connection, blank, now=now)
        recipients = {(text.language, text.channel): text.recipients for text in seen.texts}
        found = Counted(seen.members, seen.audience, recipients, seen.held)
        if len(self._kept) >= COUNTS_MAX:
            self._kept.clear()
        self._kept[_key(notice)] = (until(began, COUNT_LIFE_SECONDS), found)
        return found


def _key(notice: Notice) -> tuple[str, str, bool]:
    return notice.content.kind, notice.content.audience, notice.content.texts_when_held


async def unwritten(connection: AsyncConnection, content: Content, poll: Poll, ways: Ways, now: datetime) -> Notice:
    """Give what a draft of this content would be now; AudienceUnknown."""
    checked = replace(content, audience=str(audiences.parse(content.audience)))
    nothing = dict.fromkeys(Notice.__dataclass_fields__)
    values = {
        "id": SKETCH_ID,
        "content": checked,
        "facts": facts_of(poll, await window.history(connection), ways),
        "segments": {},
        "state": "draft",
        "version": 0,
        "author": "",
        "created_at": now,
    }
    return Notice(**{**nothing, **values})  # type: ignore[arg-type]  # every field is named


def draw(notice: Notice, poll: Poll, counted: Counted | None) -> Sketch:
    """Show a notice as members would get it."""
    shown = [
        language
        for language in languages()
        if language in poll.languages or (counted and any(counted.of(language, way) for way in (SMS, TELEGRAM)))
    ]
    drawn = Sketch(tuple(_words(notice, language, counted, poll) for language in shown), counted, poll.sms.currency)
    if counted is None or not notice.content.texts_when_held:
        return drawn
    segments = {words.language: words.sms.segments for words in drawn.words}
    more = held_cost(segments, counted.held, poll)
    return replace(drawn, more=sum(counted.held.values()), cost_most=drawn.cost + more)


def read_content(visit: Visit, poll: Poll) -> Content:
    """Read the form; FormWrong, NoticeTextTooLong."""
    group, value = visit.word("audience"), visit.word("audience_value")
    takes_value = group in {str(known) for known in audiences.WITH_VALUE}
    texts = {language: visit.word(f"text_{language}").replace("\r\n", "\n") for language in languages()}
    for language, text in texts.items():
        if len(text) > TEXT_CHARACTERS_MAX:
            raise NoticeTextTooLong(language=language, characters=len(text), characters_max=TEXT_CHARACTERS_MAX)
    kind = visit.word("kind")
    if kind not in set(Kind):
        raise FormWrong(field="kind")
    return Content(
        kind=kind,
        audience=f"{group}:{value}" if takes_value else group,
        texts={language: text for language, text in texts.items() if text} if kind == Kind.CUSTOM else {},
        urgent=visit.word("urgent") == "yes",
        send_at=read_time(visit, "send_at", poll),
        send_before=read_time(visit, "send_before", poll),
        texts_when_held=visit.word("texts_when_held") == "yes",
        on_unknown="resend" if visit.word("on_unknown") == "resend" else "leave",
    )


def _words(notice: Notice, language: str, counted: Counted | None, poll: Poll) -> Words:
    missing = notice.content.kind == Kind.CUSTOM and not notice.content.texts.get(language)
    words = replace(notice.words, texts={language: "…"}) if missing else notice.words
    sms = encode_plan(words.sms(language))
    drawn = Words(language, words.chat(language), sms, missing)
    if counted is None:
        return drawn
    by_sms = counted.of(language, SMS)
    price = cost(sms.segments, poll.sms.cost_per_segment, by_sms)
    return replace(drawn, by_chat=counted.of(language, TELEGRAM), by_sms=by_sms, cost=price)
