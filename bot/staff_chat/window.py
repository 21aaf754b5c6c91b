"""/window: new days between which packs arrive, the reason that members may read, and the notice that tells them."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from bot.chat.said import Said
from bot.staff import drafts
from bot.staff.drafts import Draft, Step
from bot.staff.roles import Act
from bot.staff_chat.visit import Do, StaffVisit
from messages.window_move import move_window
from messages.words.dates import window_text
from messages.words.kinds import Kind
from messages.words.reasons import window_reason_text
from messages.words.texts import html_text, text
from voting.poll import window
from voting.refusals import WindowBackwards, WrongDay

_ISO: Final = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_SLASHED: Final = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)")


async def on_window(visiting: StaffVisit) -> None:
    """Show the days as they are and ask for new ones; days and reason may follow the command at once."""
    if visiting.words:
        await on_days(visiting)
        return
    async with visiting.desk.acting(visiting.user_id, Act.SET_WINDOW) as acting:
        now = await window.current(acting.connection)
        await drafts.save(acting.connection, visiting.user_id, Step.WINDOW_DAYS, acting.now)
    days = window_text(now.first_day, now.last_day, visiting.language)
    why = window_reason_text(now.reason, visiting.language)
    words = html_text("staff", "window.ask_days", visiting.language, days=days, reason=why)
    await visiting.say_privately(Said(words, ((visiting.own_page.button("button.cancel", "cancel"),),)))


async def on_days(visiting: StaffVisit) -> None:
    """Take both days, and the reason where it follows them."""
    first, last, reason = read_days(visiting.words)
    async with visiting.desk.acting(visiting.user_id, Act.SET_WINDOW) as acting:
        facts = {"first": first.isoformat(), "last": last.isoformat()}
        if reason:
            facts["reason"] = reason
        await drafts.save(acting.connection, visiting.user_id, Step.WINDOW_REASON, acting.now, **facts)
    if reason:
        await _confirm(visiting, first, last, reason)
        return
    days = window_text(first, last, visiting.language)
    words = html_text("staff", "window.ask_reason", visiting.language, days=days)
    await visiting.say_privately(Said(words, ((visiting.own_page.button("button.cancel", "cancel"),),)))


async def on_reason(visiting: StaffVisit) -> None:
    """Take the reason."""
    async with visiting.desk.acting(visiting.user_id, Act.SET_WINDOW) as acting:
        begun = await drafts.load(acting.connection, visiting.user_id, acting.now)
        assert begun is not None  # the router saw it
        reason = visiting.words.strip()[: window.REASON_CHARACTERS_MAX]
        first, last = _days(begun)
        facts = {**begun.facts, "reason": reason}
        await drafts.save(acting.connection, visiting.user_id, Step.WINDOW_REASON, acting.now, **facts)
    await _confirm(visiting, first, last, reason)


async def on_set(visiting: StaffVisit) -> None:
    """Set the new days; what is queued with the older ones is stopped. Offer to tell members."""
    async with visiting.desk.acting(visiting.user_id, Act.SET_WINDOW) as acting:
        begun = await drafts.load(acting.connection, visiting.user_id, acting.now)
        if begun is None or "reason" not in begun.facts:
            await visiting.toast(text("staff", "draft.over", visiting.language), alert=True)
            return
        first, last = _days(begun)
        moved = await move_window(acting.connection, first, last, begun.facts["reason"], by=acting.by)
        await drafts.clear(acting.connection, visiting.user_id)
    version = moved.window
    days = window_text(version.first_day, version.last_day, visiting.language)
    words = html_text("staff", "window.is_set", visiting.language, days=days, version=version.version)
    tell = visiting.page.button("button.tell_members", "nkind", Kind.WINDOW_CHANGED)
    await visiting.replace(Said(words, ((tell,),)))


async def _confirm(visiting: StaffVisit, first: date, last: date, reason: str) -> None:
    async with visiting.desk.looking(visiting.user_id, Act.SET_WINDOW) as looking:
        now = await window.current(looking.connection)
    words = html_text(
        "staff",
        "window.confirm",
        visiting.language,
        old=window_text(now.first_day, now.last_day, visiting.language),
        days=window_text(first, last, visiting.language),
        reason=reason,
    )
    page = visiting.own_page
    rows = ((page.button("button.set_window", "wset"), page.button("button.cancel", "cancel")),)
    await visiting.say_privately(Said(words, rows))


def read_days(words: str) -> tuple[date, date, str]:
    """Read two days, as 2022-08-01 or 1/8/2022, and the reason after them. WrongDay, WindowBackwards."""
    found = sorted([*_ISO.finditer(words), *_SLASHED.finditer(words)], key=lambda match: match.start())
    if len(found) < 2:  # noqa: PLR2004 - a first and a last day
        raise WrongDay(day=words[:40] or "-")
    first, last = (_day(match) for match in found[:2])
    if last < first:
        raise WindowBackwards(first_day=first, last_day=last)
    return first, last, words[found[1].end() :].strip(" :,;-–\n")


def _day(match: re.Match[str]) -> date:
    parts = [int(part) for part in match.groups()]
    year, month, day = parts if match.re is _ISO else reversed(parts)
    try:
        return date(year, month, day)
    except ValueError:
        raise WrongDay(day=match.group()) from None


def _days(begun: Draft) -> tuple[date, date]:
    return date.fromisoformat(begun.facts["first"]), date.fromisoformat(begun.facts["last"])


GESTURES: Final[Mapping[str, tuple[Act, Do]]] = {"wset": (Act.SET_WINDOW, on_set)}
