"""The desk's answers in the member's language: status, packs, texts, privacy, help."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.chat.page import Page
from bot.chat.said import Said
from bot.member.answers import (
    HelpNoted,
    MissingEarly,
    MissingNeedless,
    MissingNoted,
    NotLinked,
    NotUnderstood,
    Texts,
    TheftNoted,
)
from bot.member.privacy import Kept
from bot.member.status import MemberStatus, PackState
from bot.member_chat.paper_words import PARAGRAPH
from bot.member_chat.vote_words import lock_words
from messages.words.dates import between_text, date_text, on_day_text, window_text
from messages.words.texts import html_text, text
from voting.model import Phase

ON_ITS_WAY: Final = frozenset({PackState.NOT_ISSUED, PackState.ISSUED, PackState.DISPATCHED})


def welcome(page: Page, *, linked: bool, from_pack: bool) -> Said:
    """Greet, and say what can be done here."""
    if from_pack:
        html = html_text("member", "start.pack", page.language, title=page.poll.title)
    else:
        html = html_text("member", "start.welcome", page.language, title=page.poll.title)
    return Said(html, _menu(page, linked=linked), removes_keys=False)


def status(page: Page, answer: MemberStatus) -> Said:
    """Answer what people ask: where is my pack, have I voted and how, until when, what is the rule."""
    parts = [html_text("member", "status.title", page.language, title=page.poll.title, member_no=answer.member_no)]
    if not answer.eligible:
        parts.append(html_text("member", f"status.not_eligible.{answer.ineligible_reason}", page.language))
        return Said(PARAGRAPH.join(parts), ((page.button("button.call_staff", "call_staff"),),))
    if answer.lock is not None:
        own = answer.lock.chat == f"telegram:{page.chat_id}"
        parts.append(lock_words(page, answer.lock, own=own))
    else:
        parts += [*pack_words(page, answer), html_text("member", "status.not_voted", page.language)]
    rule = page.poll.rule_in(page.language)
    parts += [dates_words(page), html_text("member", "status.rule", page.language, rule=rule)]
    if answer.lock is not None:
        rows = ((page.button("button.theft", "theft", str(answer.member_id)),),)
        return Said(PARAGRAPH.join(parts), rows)
    parts.append(html_text("member", "status.next", page.language))
    row = page.button("button.vote", "vote"), page.button("button.verify", "verify")
    return Said(PARAGRAPH.join(parts), (*page.app_rows, row))


def pack_words(page: Page, answer: MemberStatus) -> list[str]:
    """Say where the pack is and when it comes at the latest."""
    pack = answer.pack
    window = between_text(answer.window.first_day, answer.window.last_day, page.language)
    days = {
        PackState.DISPATCHED: pack.dispatched_on,
        PackState.DELIVERED: pack.delivered_on,
        PackState.RETURNED: pack.returned_on,
    }
    day = days.get(pack.state)
    on_day = on_day_text(day, page.language) if day is not None else ""
    parts = [html_text("member", f"status.pack.{pack.state}", page.language, day=on_day)]
    if pack.state in ON_ITS_WAY:
        if answer.overdue:
            parts.append(html_text("member", "status.overdue", page.language, window=window))
        else:
            parts.append(html_text("member", "status.expected", page.language, window=window))
        if answer.moved_from is not None:
            moved = answer.moved_from
            old = window_text(moved.first_day, moved.last_day, page.language)
            parts.append(
                html_text("member", "status.moved", page.language, old_window=old, reason=answer.window.reason)
            )
    if pack.serial > 1:
        parts.append(html_text("member", "status.replaced", page.language))
    if answer.missing_reported_at is not None:
        at = page.moment(answer.missing_reported_at)
        parts.append(html_text("member", "status.reported", page.language, at=at))
    return parts


def dates_words(page: Page) -> str:
    """Say from when and until when votes are taken."""
    poll, closes = page.poll, page.moment(page.poll.closes_at)
    if poll.phase in (Phase.CLOSED, Phase.COUNTED) or page.now >= poll.closes_at:
        return html_text("member", "status.closed", page.language, closes=closes)
    if poll.takes_votes(page.now):
        return html_text("member", "status.open", page.language, closes=closes)
    return html_text("member", "status.opens", page.language, opens=page.moment(poll.opens_at), closes=closes)


def not_linked(page: Page, answer: NotLinked) -> Said:
    """Say what can be said without knowing whose chat it is, and how to link."""
    parts = []
    if answer.lock is not None:
        parts.append(lock_words(page, answer.lock, own=True))
    rule = page.poll.rule_in(page.language)
    parts += [
        html_text("member", "status.not_linked", page.language),
        dates_words(page),
        html_text("member", "status.rule", page.language, rule=rule),
    ]
    return Said(PARAGRAPH.join(parts), (*page.app_rows, (page.button("button.link", "link"),)))


def missing_early(page: Page, answer: MissingEarly) -> Said:
    """Say kindly until when to wait."""
    window = between_text(answer.first_day, answer.last_day, page.language)
    last = date_text(answer.last_day, page.language)
    if answer.dispatched_on is None:
        html = html_text("member", "missing.early", page.language, window=window, last=last)
    else:
        day = on_day_text(answer.dispatched_on, page.language)
        html = html_text("member", "missing.early_posted", page.language, window=window, last=last, day=day)
    return Said(html, ((page.button("button.damaged", "damaged"),),))


def missing_noted(page: Page, answer: MissingNoted) -> Said:
    """Say that staff know, and what happens next."""
    if answer.again:
        at = page.moment(answer.reported_at)
        return Said(html_text("member", "missing.again", page.language, at=at))
    return Said(html_text("member", "missing.noted", page.language))


def missing_needless(page: Page, answer: MissingNeedless) -> Said:
    """Say why no pack is needed."""
    call = ((page.button("button.call_staff", "call_staff"),),)
    if answer.lock is not None:
        own = answer.lock.chat == f"telegram:{page.chat_id}"
        html = lock_words(page, answer.lock, own=own)
        return Said(html + PARAGRAPH + html_text("member", "missing.voted", page.language), call)
    if not answer.eligible:
        return Said(html_text("member", "missing.not_eligible", page.language), call)
    return Said(dates_words(page) + PARAGRAPH + html_text("member", "missing.over", page.language), call)


def theft_noted(page: Page, _answer: TheftNoted) -> Said:
    """Say that staff are told."""
    return Said(html_text("member", "theft.noted", page.language) + _contact(page))


def help_noted(page: Page, answer: HelpNoted) -> Said:
    """Say that staff are told."""
    if answer.linked:
        return Said(html_text("member", "help.noted", page.language) + _contact(page))
    html = html_text("member", "help.noted_unlinked", page.language) + _contact(page)
    return Said(html, ((page.button("button.link", "link"),),))


def texts(page: Page, answer: Texts) -> Said:
    """Say where text messages stand, with the switch."""
    if answer.ending is None:
        html = html_text("member", "sms.no_number", page.language)
        return Said(html, ((page.button("button.call_staff", "call_staff"),),))
    key, button = ("sms.on", "button.sms_off") if answer.on else ("sms.off", "button.sms_on")
    html = html_text("member", key, page.language, ending=answer.ending)
    if answer.shared:
        html += PARAGRAPH + html_text("member", "sms.shared", page.language)
    return Said(html, ((page.button(button, "sms", "off" if answer.on else "on"),),))


def kept(page: Page, answer: Kept) -> Said:
    """Say what is kept and who sees it."""
    parts = [html_text("member", "privacy.about", page.language)]
    if answer.linked:
        parts.append(html_text("member", "privacy.linked", page.language))
    if answer.phone_ending is not None:
        parts.append(html_text("member", "privacy.phone", page.language, ending=answer.phone_ending))
    if answer.voted:
        parts.append(html_text("member", "privacy.voted", page.language))
    parts.append(html_text("member", "privacy.never", page.language))
    export, forget = page.button("button.export", "export"), page.button("button.forget", "forget")
    return Said(PARAGRAPH.join(parts), ((export,), (forget,)))


def ask_forget(page: Page) -> Said:
    """Ask before forgetting."""
    yes, no = page.button("button.forget_yes", "forget", "yes"), page.button("button.back", "privacy")
    return Said(html_text("member", "privacy.ask_forget", page.language), ((yes,), (no,)))


def forgotten(page: Page) -> Said:
    """Say that it is done."""
    return Said(html_text("member", "privacy.forgotten", page.language))


def file_words(page: Page) -> str:
    """Say what the file is."""
    return html_text("member", "privacy.file", page.language)


def languages(page: Page) -> Said:
    """Offer the poll's languages, each in its own words."""
    rows = tuple(((text("words", "language.name", tag), page.payload("language", tag)),) for tag in page.poll.languages)
    return Said(html_text("member", "language.ask", page.language), rows)


def language_set(page: Page) -> Said:
    """Say so in the new language."""
    return Said(html_text("member", "language.set", page.language))


def help_page(page: Page, *, linked: bool) -> Said:
    """Say how voting works, what can be asked for here, and who to ask."""
    parts = [html_text("member", "help.about", page.language)]
    if page.app_url:
        parts.append(html_text("member", "help.page", page.language))
    html = PARAGRAPH.join(parts) + _contact(page)
    menu = _menu(page, linked=linked)[:-1]
    return Said(html, (*menu, (page.button("button.call_staff", "call_staff"),)))


def not_understood(page: Page, _answer: NotUnderstood) -> Said:
    """Say what can be asked for here."""
    return Said(html_text("member", "start.not_understood", page.language), _menu(page, linked=True))


def only_words(page: Page) -> Said:
    """Say that pictures, voices and files cannot be read here."""
    return Said(html_text("member", "start.only_words", page.language))


def _menu(page: Page, *, linked: bool) -> tuple[tuple[tuple[str, str], ...], ...]:
    first = (page.button("button.vote", "vote"), page.button("button.verify", "verify"))
    link = () if linked else ((page.button("button.link", "link"),),)
    last = (page.button("button.status", "status"), page.button("button.help", "help"))
    return (*page.app_rows, first, *link, last)


def _contact(page: Page) -> str:
    contact = page.poll.staff.contact
    return PARAGRAPH + html_text("member", "help.contact", page.language, contact=contact) if contact else ""


REQUEST_WORDS: Final[Mapping[type, Callable[[Page, Any], Said]]] = {
    MemberStatus: status,
    NotLinked: not_linked,
    MissingEarly: missing_early,
    MissingNoted: missing_noted,
    MissingNeedless: missing_needless,
    TheftNoted: theft_noted,
    HelpNoted: help_noted,
    Texts: texts,
    Kept: kept,
    NotUnderstood: not_understood,
}
