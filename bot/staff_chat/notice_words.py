"""A notice as staff see it in chat: what it would say, to whom, at what cost; how far it is; what became of it."""

import html
from collections.abc import Mapping, Sequence
from typing import Final

from bot.chat.page import Page
from bot.chat.said import Said
from bot.staff.enrolment import Staff
from messages import audience as audiences
from messages.notices.model import EDITABLE, ENDED, Notice
from messages.notices.preview import Preview, PreviewText
from messages.notices.reports import Report
from messages.notices.scheduled import HELD
from messages.reach import SMS, TELEGRAM
from messages.words.audience_words import audience_text
from messages.words.kinds import Kind
from messages.words.languages import language_name
from messages.words.reasons import reason_text
from messages.words.texts import html_plural, html_text, text
from voting.typed_text import looks_like

PARAGRAPH: Final = "\n\n"
TEXT_CHARACTERS_MAX: Final = 700  # of each text in a preview: all of them go into one message
BAR_WIDTH: Final = 16
REASONS_MAX: Final = 8
LISTED_MAX: Final = 6

Rows = tuple[tuple[tuple[str, str], ...], ...]


def menu_said(page: Page, under_way: Sequence[Notice]) -> Said:
    """Offer the kinds of notice, and those not ended yet."""
    rows: list[tuple[tuple[str, str], ...]] = [(page.button(f"notice.kind.{kind}", "nkind", kind),) for kind in Kind]
    parts = [html_text("staff", "notice.which_kind", page.language)]
    if under_way:
        parts.append(html_text("staff", "notice.under_way", page.language))
        for notice in under_way[:LISTED_MAX]:
            kind = text("staff", f"notice.kind.{notice.content.kind}", page.language)
            state = text("staff", f"notice.state.{notice.state}", page.language)
            label = text("staff", "button.notice", page.language, notice=notice.id, kind=kind, state=state)
            rows.append(((label[:64], page.payload("notice", notice.id)),))
    return Said(PARAGRAPH.join(parts), tuple(rows))


def audience_said(page: Page, kind: Kind, sizes: Mapping[str, int]) -> Said:
    """Offer the audiences with their sizes."""
    rows: list[tuple[tuple[str, str], ...]] = []
    for name, size in sizes.items():
        label = text("staff", f"audience.{name}", page.language)
        rows.append(((f"{label}: {size:,}", page.payload("naud", f"{kind}|{name}")),))
    rows.append((page.button("button.other_audience", "nother", kind),))
    rows.append((page.button("button.cancel", "cancel"),))
    question = html_text("staff", "notice.which_audience", page.language, kind=_kind(page, kind))
    return Said(question, tuple(rows))


def preview_said(page: Page, notice: Notice, seen: Preview, reader: Staff, *, approve_over: int) -> Said:
    """Show a notice before it goes, with what this reader can do about it."""
    audience = html_text(
        "staff",
        "notice.audience",
        page.language,
        audience=audience_name(page, notice.content.audience),
        members=f"{seen.members:,}",
        telegram=f"{seen.audience[TELEGRAM]:,}",
        sms=f"{seen.audience[SMS]:,}",
        household=f"{seen.audience['household']:,}",
        skipped=f"{seen.audience['skipped']:,}",
    )
    parts = [_title(page, notice), audience]
    parts += [_text(page, notice, one, seen.currency) for one in seen.texts]
    parts.append(html_text("staff", "notice.cost", page.language, cost=str(seen.cost), currency=seen.currency))
    if seen.cost_most is not None:
        most = {"more": f"{seen.by_text_most:,}", "cost": str(seen.cost_most), "currency": seen.currency}
        parts.append(html_text("staff", "notice.when_held", page.language, **most))
    parts.append(_standing(page, notice))
    needs_second = seen.members > approve_over
    if needs_second and notice.state != "approved":
        parts.append(html_text("staff", "notice.needs_second", page.language))
    return Said(PARAGRAPH.join(parts), _rows(page, notice, reader, needs_second=needs_second))


def progress_said(page: Page, notice: Notice, counts: Mapping[str, int]) -> Said:
    """Show how far a notice is."""
    total = sum(counts.values())
    waiting = counts.get("ready", 0) + counts.get("sending", 0)
    done = total - waiting
    share = done / total if total else 0.0
    full = round(share * BAR_WIDTH)
    numbers = html_text(
        "staff",
        "notice.progress",
        page.language,
        told=f"{counts.get('sent', 0) + counts.get('delivered', 0):,}",
        waiting=f"{waiting:,}",
        failed=f"{counts.get('failed', 0):,}",
        unknown=f"{counts.get('unknown', 0):,}",
        skipped=f"{counts.get('skipped', 0) + counts.get('canceled', 0):,}",
    )
    bar = f"<code>{'█' * full}{'░' * (BAR_WIDTH - full)}</code> {share:.0%}"
    parts = [_title(page, notice), f"{bar}\n{numbers}", _standing(page, notice)]
    return Said(PARAGRAPH.join(parts), _moving_rows(page, notice))


def report_said(page: Page, report: Report) -> Said:
    """Say what became of a notice."""
    notice = report.notice
    outcomes = {name: f"{count:,}" for name, count in report.outcomes.items()}
    numbers = html_text("staff", "notice.report", page.language, members=f"{report.members:,}", **outcomes)
    parts = [_title(page, notice), numbers, _standing(page, notice)]
    if report.why_not:
        most = sorted(report.why_not.items(), key=lambda item: -item[1])[:REASONS_MAX]
        reasons = "\n".join(f"• {html.escape(reason_text(reason, page.language))}: {count:,}" for reason, count in most)
        parts.append(html_text("staff", "notice.why_not", page.language) + "\n" + reasons)
    rows: Rows = ()
    if report.outcomes["told"] < report.members:
        rows = ((page.button("button.report_file", "nfile", notice.id),),)
    return Said(PARAGRAPH.join(parts), rows)


def audience_name(page: Page, name: str) -> str:
    """Say an audience's name."""
    found = audiences.parse(name)
    return audience_text(found.group, found.value, page.language)


def _title(page: Page, notice: Notice) -> str:
    state = text("staff", f"notice.state.{notice.state}", page.language)
    kind = _kind(page, Kind(notice.content.kind))
    urgent = " · " + text("staff", "notice.urgent", page.language) if notice.content.urgent else ""
    return html_text("staff", "notice.title", page.language, notice=notice.id, kind=kind, state=state) + urgent


def _kind(page: Page, kind: Kind) -> str:
    return text("staff", f"notice.kind.{kind}", page.language)


def _text(page: Page, notice: Notice, one: PreviewText, currency: str) -> str:
    language = language_name(one.language, page.language)
    if one.channel == SMS:
        head = html_plural(
            "staff",
            "notice.sms",
            page.language,
            one.segments or 1,
            language=language,
            encoding=str(one.encoding),
            recipients=f"{one.recipients:,}",
            cost=f"{one.cost} {currency}",
        )
        return f"{head}\n<blockquote>{_clipped(one.text)}</blockquote>"
    head = html_text("staff", "notice.chat", page.language, language=language, recipients=f"{one.recipients:,}")
    custom = notice.content.texts.get(one.language)
    body = _clipped(custom) if custom is not None else one.text
    return f"{head}\n<blockquote>{body}</blockquote>"


def _clipped(words: str) -> str:
    short = words if len(words) <= TEXT_CHARACTERS_MAX else words[:TEXT_CHARACTERS_MAX] + "…"
    return html.escape(short, quote=False)


def _standing(page: Page, notice: Notice) -> str:
    lines = [html_text("staff", "notice.author", page.language, name=notice.author)]
    if notice.approved_by is not None and notice.approved_at is not None:
        at = page.moment(notice.approved_at)
        lines.append("✓ " + html_text("staff", "notice.approved", page.language, name=notice.approved_by, at=at))
    if notice.pause_reason is not None and notice.pause_reason.startswith(HELD):
        lines.append(html_text("staff", "notice.held", page.language))
    elif notice.state == "paused" and notice.pause_reason not in (None, "by_staff"):
        lines.append(html_text("staff", "notice.paused_by", page.language, reason=_why(page, notice)))
    return "\n".join(lines)


def _why(page: Page, notice: Notice) -> str:
    return reason_text(str(notice.pause_reason), page.language)


def _rows(page: Page, notice: Notice, reader: Staff, *, needs_second: bool) -> Rows:
    mark = f"{notice.id}v{notice.version}"
    rows: list[tuple[tuple[str, str], ...]] = []
    mine = looks_like(notice.author, reader.name)
    if notice.state in ("draft", "submitted") and needs_second and not mine:
        rows.append((page.button("button.approve", "napprove", mark),))
    if notice.state == "draft" and needs_second and mine:
        rows.append((page.button("button.submit", "nsubmit", mark),))
    if notice.state == "approved" or (notice.state in EDITABLE and not needs_second):
        rows.append((page.button("button.send", "nsend", mark),))
    rows.append((page.button("button.test", "ntest", mark),))
    if notice.state in EDITABLE:
        if notice.content.kind == Kind.CUSTOM:
            rows.append((page.button("button.edit_words", "nwords", mark),))
        label = "button.not_urgent" if notice.content.urgent else "button.urgent"
        rows.append((page.button(label, "nurgent", mark), page.button("button.cancel_notice", "ncancel", mark)))
        held = "button.held_waits" if notice.content.texts_when_held else "button.held_texts"
        rows.append((page.button(held, "nheld", mark),))
    return tuple(rows)


def _moving_rows(page: Page, notice: Notice) -> Rows:
    if notice.state in ENDED:
        return ()
    mark = f"{notice.id}v{notice.version}"
    buttons = []
    if notice.state == "sending":
        buttons.append(page.button("button.pause", "npause", mark))
    if notice.state == "paused":
        buttons.append(page.button("button.resume", "nresume", mark))
    buttons.append(page.button("button.cancel_notice", "ncancel", mark))
    return (tuple(buttons),)
