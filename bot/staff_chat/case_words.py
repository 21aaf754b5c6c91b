"""Cases, packs and members in words for staff: evidence and what can be done next; never a choice or a code."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.alerts.words import PARAGRAPH, case_evidence, case_key, case_standing
from bot.chat.page import Page
from bot.chat.said import Said
from bot.staff.enrolment import Staff
from messages.words.dates import date_text
from messages.words.languages import language_name
from messages.words.reasons import ineligible_text
from messages.words.texts import html_plural, html_text, text
from voting.typed_text import looks_like
from voting.votes.cases import Case, Outcome

LISTED_MAX: Final = 20


def cases_said(page: Page, found: Sequence[Case], waiting: int) -> Said:
    """List open cases, each with a button."""
    if not found:
        return Said(html_text("staff", "cases.none", page.language))
    lines = [f"<b>{html_plural('staff', 'cases.title', page.language, waiting)}</b>"]
    rows = []
    for case in found[:LISTED_MAX]:
        kind = text("staff", case_key(case), page.language)
        mark = f" · {case.acknowledged_by}" if case.acknowledged_by else ""
        lines.append(f"{case.id}. {case.member_no} · {kind}{mark}")
        rows.append((page.button("button.case", "case", case.id, case=case.id, member_no=case.member_no),))
    return Said("\n".join(lines), tuple(rows))


def case_said(page: Page, case: Case, reader: Staff) -> Said:
    """Show one case with what this reader can do about it."""
    parts = case_evidence(page, case)
    standing = case_standing(page, case)
    if case.acknowledged_by is not None and case.acknowledged_at is not None:
        at = page.moment(case.acknowledged_at)
        standing.insert(0, html_text("staff", "alert.acknowledged", page.language, name=case.acknowledged_by, at=at))
    if case.note:
        standing.append(html_text("staff", "case.note", page.language, note=case.note))
    if standing:
        parts.append("\n".join(standing))
    if case.state == "settled":
        return Said(PARAGRAPH.join(parts))
    parts.append(html_text("staff", "case.two_people", page.language))
    return Said(PARAGRAPH.join(parts), _case_buttons(page, case, reader))


def _case_buttons(page: Page, case: Case, reader: Staff) -> tuple[tuple[tuple[str, str], ...], ...]:
    rows: list[tuple[tuple[str, str], ...]] = []
    mark = f"{case.id}v{case.version}"
    if case.acknowledged_by is None:
        rows.append((page.button("button.acknowledge", "caseack", case.id),))
    if case.outcome is not None and case.proposed_by is not None:
        if not looks_like(case.proposed_by, reader.name):
            outcome = text("staff", f"outcome.{case.outcome}", page.language)
            rows.append((page.button("button.agree", "settle", mark, outcome=outcome),))
        rows.append((page.button("button.other_outcome", "outcomes", mark),))
        return tuple(rows)
    if case.assigned_to != reader.name:
        rows.append((page.button("button.assign_me", "assign", mark),))
    return (*rows, *outcome_rows(page, mark))


def outcome_rows(page: Page, mark: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Give a button for each outcome."""
    return tuple((page.button(f"outcome.{outcome}", "propose", f"{mark}o{outcome}"),) for outcome in Outcome)


def missing_said(page: Page, reported: Sequence[Any], total: int, overdue: int, reader: Staff) -> Said:
    """List the packs reported missing, each with what comes next; and how many are overdue unreported."""
    head = html_plural("staff", "missing.title", page.language, total) if total else ""
    late = html_plural("staff", "missing.overdue", page.language, overdue)
    if not reported:
        return Said(PARAGRAPH.join([html_text("staff", "missing.none", page.language), late]))
    lines, rows = [f"<b>{head}</b>"], []
    for row in reported[:LISTED_MAX]:
        member_no = row.member_no
        line = f"• {member_no} · {date_text(row.reported_at.date(), page.language)}"
        if row.approved_by:
            line += " · " + html_text("staff", "missing.approved", page.language, name=row.approved_by)
        elif row.asked_by:
            line += " · " + html_text("staff", "missing.asked", page.language, name=row.asked_by)
            if not looks_like(row.asked_by, reader.name):
                rows.append((page.button("button.approve_pack", "packyes", row.member_id, member_no=member_no),))
        else:
            rows.append((page.button("button.replace_pack", "packask", row.member_id, member_no=member_no),))
        lines.append(line)
    how = html_text("staff", "missing.how", page.language)
    return Said(PARAGRAPH.join(["\n".join(lines), late, how]), tuple(rows))


def member_said(page: Page, found: Mapping[str, Any], member_id: int) -> Said:
    """Show one member's file; buttons name members by id, for a number may be too long for a button."""
    yes_no = "member.eligible" if found["eligible"] else "member.not_eligible"
    lines = [
        html_text("staff", "member.title", page.language, member_no=found["member_no"]),
        html_text(
            "staff", yes_no, page.language, reason=ineligible_text(found["ineligible_reason"] or "", page.language)
        ),
        html_text(
            "staff",
            "member.lives",
            page.language,
            area=found["area"],
            language=language_name(found["language"], page.language),
        ),
    ]
    lock = found["lock"]
    if lock is None:
        lines.append(html_text("staff", "member.not_voted", page.language))
    else:
        lines.append(html_text("staff", f"case.first_{lock['how']}", page.language, at=page.moment(lock["at"])))
    lines += [_pack_line(page, pack) for pack in found["packs"]]
    lines += [_channel_line(page, channel) for channel in found["channels"]]
    if not found["channels"]:
        reason = text("words", f"phone.reason.{found['phone_reason'] or 'missing'}", page.language)
        lines.append(html_text("staff", "member.no_channel", page.language, reason=reason))
    lines += [
        html_text("staff", _refused_key(paper), page.language, at=page.moment(paper["refused_at"]))
        for paper in found["papers_refused"]
    ]
    rows: list[tuple[tuple[str, str], ...]] = []
    if any(pack["locked_out_at"] for pack in found["packs"]):
        rows.append((page.button("button.unlock", "unlock", member_id),))
    rows += [
        (page.button("button.case", "case", case["id"], case=case["id"], member_no=found["member_no"]),)
        for case in found["cases"]
    ]
    return Said("\n".join(lines), tuple(rows))


def _refused_key(paper: Mapping[str, Any]) -> str:
    return "member.paper_refused.page" if paper["on_page"] else "member.paper_refused"


def _pack_line(page: Page, pack: Mapping[str, Any]) -> str:
    steps = [name for name in ("dispatched", "delivered", "returned") if pack[f"{name}_on"]]
    where = steps[-1] if steps else "issued"
    state = where if pack["state"] == "live" else pack["state"]
    words = text("words", f"pack.{state}", page.language)
    on = f", {date_text(pack[f'{where}_on'], page.language)}" if steps else ""
    line = html_text("staff", "member.pack", page.language, serial=pack["serial"], state=words + on)
    if pack["locked_out_at"]:
        line += " · " + html_text("staff", "member.locked_out", page.language)
    return line


def _channel_line(page: Page, channel: Mapping[str, Any]) -> str:
    name = text("words", f"channel.{channel['kind']}", page.language)
    state = text("staff", f"channel.{channel['state']}", page.language)
    return html_text("staff", "member.channel", page.language, channel=name, state=state)
