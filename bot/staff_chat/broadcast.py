"""/broadcast: a notice drafted in chat, by kind, audience and words; what follows is in notices.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bot.chat.said import Said
from bot.edge.links import ways_of
from bot.staff import drafts
from bot.staff.desk import Acting
from bot.staff.drafts import Step
from bot.staff.roles import Act
from bot.staff_chat.notice_words import audience_said, menu_said
from bot.staff_chat.notices import notice_page, on_notice, read_mark
from bot.staff_chat.visit import Do, StaffVisit
from messages import audience as audiences
from messages.notices import notices
from messages.notices.model import ENDED, Content
from messages.words.kinds import Kind
from messages.words.languages import language_name
from messages.words.texts import html_text
from voting.schema import member

OFFERED: Final = ("all", "not_dispatched", "overdue", "not_voted")


async def on_broadcast(visiting: StaffVisit) -> None:
    """Offer the kinds, or show the notice that is named."""
    if visiting.words.isdecimal():
        visiting.reference = visiting.words
        await on_notice(visiting)
        return
    async with visiting.desk.looking(visiting.user_id, Act.SEE_NOTICES) as looking:
        listed = [notice for notice in await notices.list_notices(looking.connection) if notice.state not in ENDED]
    await visiting.say_privately(menu_said(visiting.own_page, listed))


async def on_kind(visiting: StaffVisit) -> None:
    """Take the kind, offer the audiences."""
    kind = Kind(visiting.reference)
    async with visiting.desk.looking(visiting.user_id, Act.WRITE_NOTICES) as looking:
        sizes = {name: await _size(looking, name) for name in OFFERED}
    await visiting.replace(audience_said(visiting.own_page, kind, sizes))


async def on_audience(visiting: StaffVisit) -> None:
    """Take the audience that was pressed."""
    kind, _, name = visiting.reference.partition("|")
    await _take_audience(visiting, kind, name)


async def on_other_audience(visiting: StaffVisit) -> None:
    """Ask for an area or a language."""
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        facts = {"kind": visiting.reference}
        await drafts.save(acting.connection, visiting.user_id, Step.NOTICE_AUDIENCE, acting.now, **facts)
    await visiting.replace(_asking(visiting, html_text("staff", "notice.type_audience", visiting.language)))


async def on_audience_words(visiting: StaffVisit) -> None:
    """Take the audience that was typed."""
    async with visiting.desk.looking(visiting.user_id, Act.WRITE_NOTICES) as looking:
        begun = await drafts.load(looking.connection, visiting.user_id, looking.now)
    assert begun is not None  # the router saw it
    await _take_audience(visiting, begun.facts["kind"], visiting.words)


async def _take_audience(visiting: StaffVisit, kind: str, name: str) -> None:
    audience = str(audiences.parse(name))
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        if kind == Kind.CUSTOM:
            first, *left = acting.poll.languages
            facts = {"audience": audience, "texts": {}, "language": first, "left": left}
            await drafts.save(acting.connection, visiting.user_id, Step.NOTICE_WORDS, acting.now, **facts)
            said = _ask_words(visiting, first)
        else:
            await drafts.clear(acting.connection, visiting.user_id)
            said = await _draft(acting, visiting, Content(kind, audience))
    await visiting.replace(said)


async def on_words(visiting: StaffVisit) -> None:
    """Take the words in one language, ask for the next, or draft the notice."""
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        begun = await drafts.load(acting.connection, visiting.user_id, acting.now)
        assert begun is not None  # the router saw it
        facts = dict(begun.facts)
        texts = {**facts["texts"], facts["language"]: visiting.words}
        if facts["left"]:
            language, *left = facts["left"]
            facts |= {"texts": texts, "language": language, "left": left}
            await drafts.save(acting.connection, visiting.user_id, Step.NOTICE_WORDS, acting.now, **facts)
            said = _ask_words(visiting, language)
        else:
            await drafts.clear(acting.connection, visiting.user_id)
            said = await _draft_words(acting, visiting, facts, texts)
    await visiting.say_privately(said)


async def _draft_words(acting: Acting, visiting: StaffVisit, facts: Mapping[str, Any], texts: dict[str, str]) -> Said:
    if "notice" not in facts:
        return await _draft(acting, visiting, Content(Kind.CUSTOM, facts["audience"], texts))
    found = await notices.show(acting.connection, facts["notice"])
    changed = replace(found.content, texts=texts)
    notice = await notices.edit(acting.connection, found.id, changed, version=facts["version"], by=acting.by)
    return await notice_page(acting, visiting.own_page, notice)


async def _draft(acting: Acting, visiting: StaffVisit, content: Content) -> Said:
    ways = ways_of(visiting.bot.username, visiting.desk.house.settings)
    notice = await notices.draft(acting.connection, content, ways=ways, by=acting.by)
    return await notice_page(acting, visiting.own_page, notice)


async def on_edit_words(visiting: StaffVisit) -> None:
    """Ask for the words of a custom notice again."""
    notice_id, version = read_mark(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.WRITE_NOTICES) as acting:
        first, *left = acting.poll.languages
        facts = {"notice": notice_id, "version": version, "texts": {}, "language": first, "left": left}
        await drafts.save(acting.connection, visiting.user_id, Step.NOTICE_WORDS, acting.now, **facts)
    await visiting.say_privately(_ask_words(visiting, first))


async def _size(looking: Acting, name: str) -> int:
    today = looking.now.astimezone(ZoneInfo(looking.poll.timezone)).date()
    where = audiences.where(audiences.parse(name), today=today)
    return int(await looking.connection.scalar(select(func.count()).select_from(member).where(where)) or 0)


def _ask_words(visiting: StaffVisit, language: str) -> Said:
    name = language_name(language, visiting.language)
    return _asking(visiting, html_text("staff", "notice.type_words", visiting.language, language=name))


def _asking(visiting: StaffVisit, question: str) -> Said:
    return Said(question, ((visiting.own_page.button("button.cancel", "cancel"),),))


GESTURES: Final[Mapping[str, tuple[Act, Do]]] = {
    "nkind": (Act.WRITE_NOTICES, on_kind),
    "naud": (Act.WRITE_NOTICES, on_audience),
    "nother": (Act.WRITE_NOTICES, on_other_audience),
    "nwords": (Act.WRITE_NOTICES, on_edit_words),
}
