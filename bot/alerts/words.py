"""An alert in words: what happened, the evidence, what to do; neutral, and never a choice or a code."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.alerts.alerts import Alert, Kind
from bot.chat.page import Page
from bot.chat.said import Said
from bot.member.chats import is_page
from messages.words.reasons import detail_text, probe_text, reason_text
from messages.words.texts import html_plural, html_text, text
from voting.votes.cases import AttemptRow, Case

PARAGRAPH: Final = "\n\n"
ATTEMPTS_SHOWN_MAX: Final = 5
BUNDLE_SHOWN_MAX: Final = 12
TELEGRAM: Final = "telegram:"
COUNTED: Final = frozenset({Kind.MISSING_PACKS, Kind.ANSWERS_STOPPED})  # one alert a day, however many


def alert_said(page: Page, alert: Alert, case: Case | None) -> Said:
    """Say one alert as it stands now, with the buttons that make sense now."""
    parts = _other(page, alert) if case is None or alert.kind is not Kind.ATTEMPT else case_evidence(page, case)
    parts.append(_standing(page, alert, case))
    return Said(PARAGRAPH.join(part for part in parts if part), (_buttons(page, alert),))


def case_evidence(page: Page, case: Case) -> list[str]:
    """Say what is known of a case: class, when, how first locked, and that the first vote stands."""
    title = html_text("staff", case_key(case), page.language)
    head = html_text("staff", "case.head", page.language, case=case.id, member_no=case.member_no)
    lines = [attempt_line(page, row) for row in case.attempts[-ATTEMPTS_SHOWN_MAX:]]
    earlier = len(case.attempts) - len(lines)
    if earlier > 0:
        lines.insert(0, html_plural("staff", "case.earlier", page.language, earlier))
    parts = [f"⚠️ <b>{title}</b>\n{head}", *(["\n".join(lines)] if lines else [])]
    if case.locked_at is not None:
        how = named(f"case.first_{case.locked_how}", case.locked_chat)
        parts.append(html_text("staff", how, page.language, at=page.moment(case.locked_at)))
    if case.disputed_at is not None:
        parts.append(html_text("staff", "case.disputed", page.language, at=page.moment(case.disputed_at)))
    if case.settled_by is None:
        todo = f"todo.{case.attempts[-1].kind}" if case.attempts else "todo.disputed"
        parts.append(html_text("staff", todo, page.language))
    return parts


def attempt_line(page: Page, row: AttemptRow) -> str:
    """Say one attempt: when, and what it was."""
    key = named(f"attempt.line.{row.kind}", row.chat)
    return "• " + html_text("staff", key, page.language, at=page.moment(row.at))


def case_key(case: Case) -> str:
    """Name the text that says what a case is about: its newest attempt, or that the vote is disputed."""
    if not case.attempts:
        return f"kind.{Kind.THEFT_REPORTED}"
    return named(f"attempt.{case.attempts[-1].kind}", case.attempts[-1].chat)


def named(key: str, identity: str | None) -> str:
    """Name the text that speaks of the voting page, where it was there and not in a chat."""
    return f"{key}.page" if is_page(identity) else key


def bundle_said(page: Page, alerts: Sequence[Alert], cases: Mapping[int, Case]) -> Said:
    """Say many alerts in one message: how many of what, the newest in a line each."""
    waiting = [alert for alert in alerts if alert.acknowledged_by is None and alert.ended_at is None]
    counts = Counter(_kind(alert) for alert in alerts)
    head = html_plural("staff", "bundle.title", page.language, len(alerts))
    kinds = [f"{count} × {text('staff', key, page.language)}" for key, count in counts.most_common()]
    lines = [_bundle_line(page, alert, cases) for alert in alerts[-BUNDLE_SHOWN_MAX:]]
    rows: tuple[tuple[tuple[str, str], ...], ...] = ()
    if waiting:
        state = html_plural("staff", "bundle.waiting", page.language, len(waiting))
        rows = ((page.button("button.acknowledge_all", "ackall"),),)
    else:
        state = html_text("staff", "bundle.all_acknowledged", page.language)
    return Said(PARAGRAPH.join([f"⚠️ <b>{head}</b>", "\n".join(kinds), "\n".join(lines), state]), rows)


def page_words(page: Page, alert: Alert, minutes: int) -> str:
    """Say to the next person that nobody has acknowledged; HTML."""
    kind = text("staff", _kind(alert), page.language)
    return html_text("staff", "page.next", page.language, kind=kind, alert=alert.id, minutes=minutes)


def page_sms(language: str, alert: Alert, title: str, minutes: int) -> str:
    """Say it by text message: nothing about a member."""
    kind = text("staff", _kind(alert), language)
    return text("staff", "page.sms", language, kind=kind, title=title, minutes=minutes)


def _other(page: Page, alert: Alert) -> list[str]:
    params = {name: str(value) for name, value in alert.facts.items()}
    params["at"] = page.moment(alert.raised_at)
    if "probe" in params:
        params["probe"] = probe_text(params["probe"], page.language)
        params["detail"] = detail_text(params["detail"], page.language)
    kind = text("staff", _kind(alert), page.language)
    if alert.kind is Kind.NOTICE_HELD:
        params["reason"] = text("refusals", params["why"], page.language, **alert.facts)
    if alert.kind in COUNTED:
        body = html_plural("staff", f"alert.{alert.kind}", page.language, int(alert.facts["count"]))
    elif alert.kind is Kind.NOT_HEARD:
        body = html_text("staff", f"alert.not_heard.{alert.facts['why']}", page.language, **params)
    elif alert.kind is Kind.PROVIDER_TROUBLE:
        what = text("staff", f"trouble.{alert.facts['trouble']}", page.language)
        detail = reason_text(params["detail"], page.language)
        body = html_text("staff", "alert.provider_trouble", page.language, **params | {"what": what, "detail": detail})
    else:
        key = _kind(alert).replace("kind.", "alert.", 1)
        body = html_text("staff", key, page.language, **params)
    parts = [f"⚠️ <b>{kind}</b>", body]
    if "notice" in alert.facts:
        parts.append(html_text("staff", "alert.notice_paused", page.language, notice=params["notice"]))
    account = str(alert.facts.get("chat", ""))
    if account.startswith(TELEGRAM):
        user_id = account.removeprefix(TELEGRAM)
        parts.append(html_text("staff", "alert.account", page.language, user_id=user_id))
    elif is_page(account):
        parts.append(html_text("staff", "alert.on_page", page.language))
    if "member_no" in alert.facts:
        parts.append(html_text("staff", "alert.look_up", page.language, member_no=params["member_no"]))
    return parts


def _kind(alert: Alert) -> str:
    """Name the text that says what an alert is about."""
    key = f"kind.{alert.kind}"
    return named(key, str(alert.facts.get("chat", ""))) if alert.kind is Kind.CHAT_LOCKED_OUT else key


def _standing(page: Page, alert: Alert, case: Case | None) -> str:
    lines = []
    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        at = page.moment(alert.acknowledged_at)
        lines.append("✓ " + html_text("staff", "alert.acknowledged", page.language, name=alert.acknowledged_by, at=at))
    if "over_at" in alert.facts:
        at = page.moment(datetime.fromisoformat(alert.facts["over_at"]))
        lines.append("✓ " + html_text("staff", "alert.over", page.language, at=at))
    if case is not None and alert.kind is Kind.ATTEMPT:
        lines += case_standing(page, case)
    return "\n".join(lines)


def case_standing(page: Page, case: Case) -> list[str]:
    """Say who works on a case and how far it is decided."""
    lines = []
    if case.assigned_to is not None:
        lines.append(html_text("staff", "case.assigned", page.language, name=case.assigned_to))
    if case.outcome is not None and case.proposed_by is not None:
        outcome = text("staff", f"outcome.{case.outcome}", page.language)
        if case.settled_by is not None:
            lines.append(
                html_text(
                    "staff",
                    "case.settled",
                    page.language,
                    outcome=outcome,
                    name=case.proposed_by,
                    second=case.settled_by,
                )
            )
        else:
            lines.append(html_text("staff", "case.proposed", page.language, outcome=outcome, name=case.proposed_by))
    return lines


def _buttons(page: Page, alert: Alert) -> tuple[tuple[str, str], ...]:
    buttons = []
    if alert.acknowledged_by is None and alert.ended_at is None:
        buttons.append(page.button("button.acknowledge", "ack", alert.id))
        if alert.kind is Kind.MAY_HAVE_STOPPED:
            buttons.append(page.button("button.stop_texts", "stoptexts", alert.id))
    if alert.case_id is not None:
        buttons.append(page.button("button.open_case", "case", alert.case_id))
    return tuple(buttons)


def _bundle_line(page: Page, alert: Alert, cases: Mapping[int, Case]) -> str:
    case = cases.get(alert.case_id or 0)
    kind = text("staff", _kind(alert), page.language)
    who = f" · {case.member_no} · {text('staff', case_key(case), page.language)}" if case else ""
    mark = f" ✓ {alert.acknowledged_by}" if alert.acknowledged_by else ""
    return f"• {page.moment(alert.changed_at)} {kind}{who}{mark}"
