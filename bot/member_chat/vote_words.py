"""The desk's answers in the member's language, with their buttons: voting and codes. One place, no decisions."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from bot.chat.page import Page
from bot.chat.said import Said
from bot.member.answers import (
    Chosen,
    CodesChecked,
    CodesUnasked,
    CodesUsed,
    GiveCodes,
    GivePackCode,
    GiveVoteCode,
    Locked,
    NotOpenYet,
    Over,
    PutAside,
    ReadRule,
    Unreadable,
    VotedHere,
    VotingPaper,
)
from bot.member.desk import SORRY, VOTE_LOCKED
from bot.member_chat.paper_words import PARAGRAPH, chosen, not_now_button, voting_paper
from messages.channels.channels import Outgoing, Renderer
from messages.words.dates import moment_text
from messages.words.texts import fit_language, html_text, text
from voting.codes.codes import LOOK_ALIKES, Kind, Problem
from voting.model import How, Lock
from voting.votes.right_codes import Purpose


def not_open_yet(page: Page, answer: NotOpenYet) -> Said:
    """Say when voting opens."""
    closes = page.moment(answer.closes_at)
    if answer.opens_at is None:
        return Said(html_text("member", "vote.not_open_soon", page.language, closes=closes))
    return Said(html_text("member", "vote.not_open", page.language, opens=page.moment(answer.opens_at), closes=closes))


def over(page: Page, answer: Over) -> Said:
    """Say that voting is over."""
    return Said(html_text("member", "vote.over", page.language, closes=page.moment(answer.closes_at)))


def voted_here(page: Page, answer: VotedHere) -> Said:
    """Say that a vote stands and, while votes are taken, that codes typed again are reported."""
    parts = [lock_words(page, answer.lock, own=answer.own)]
    rows = [[page.button("button.theft", "theft", str(answer.lock.member_id))]]
    if answer.warns:
        parts.append(html_text("member", "vote.warning_again", page.language))
        rows.insert(0, [page.button("button.another", "another")])
    return Said(PARAGRAPH.join(parts), _rows(rows))


def lock_words(page: Page, lock: Lock, *, own: bool) -> str:
    """Say that a vote is locked, since when and how; the receipt only in the chat it was made from."""
    if lock.how is How.POST:
        return html_text("member", "lock.post", page.language, at=page.moment(lock.at))
    if own and lock.receipt is not None:
        return html_text("member", "lock.online", page.language, at=page.moment(lock.at), receipt=lock.receipt)
    return html_text("member", "lock.elsewhere", page.language, at=page.moment(lock.at))


def read_rule(page: Page, answer: ReadRule) -> Said:
    """Show the rule and the warning; over an open paper, say that the rule changed and that the codes stand."""
    rule = page.poll.rule_in(page.language)
    html = html_text("member", "vote.rule", page.language, title=page.poll.title, rule=rule)
    if answer.intent_id is not None:
        changed = html_text("member", "paper.rule_changed", page.language)
        understood = page.button("button.understood", "paper_rule", f"{answer.version}-{answer.intent_id}")
        not_now = not_now_button(page, answer.intent_id)
        return Said(changed + PARAGRAPH + html, _rows([[understood], [not_now]]))
    gesture = "rule2" if answer.another else "rule"
    understood = page.button("button.understood", gesture, str(answer.version))
    return Said(html, (*page.app_rows, *_rows([[understood], [page.button("button.not_now", "rest")]])))


def give_codes(page: Page, answer: GiveCodes) -> Said:
    """Ask for the codes."""
    if answer.purpose is Purpose.VERIFY:
        return Said(html_text("member", "codes.ask_verify", page.language))
    return Said(html_text("member", "codes.ask_vote", page.language), page.app_rows)


def give_vote_code(page: Page, answer: GiveVoteCode) -> Said:
    """Show the pack's word and ask for the vote code."""
    parts = [html_text("member", "codes.pack_found", page.language, word=answer.word)]
    if answer.problem is not None:
        parts.append(problem_words(page, answer.problem))
    parts.append(html_text("member", "codes.want_vote", page.language))
    return Said(PARAGRAPH.join(parts))


def give_pack_code(page: Page, answer: GivePackCode) -> Said:
    """Say that the vote code is kept, and ask for the pack code."""
    parts = [html_text("member", "codes.vote_kept", page.language)]
    if answer.problem is not None:
        parts.append(problem_words(page, answer.problem))
    parts.append(html_text("member", "codes.want_pack", page.language))
    return Said(PARAGRAPH.join(parts))


def unreadable(page: Page, answer: Unreadable) -> Said:
    """Say what is wrong with what was typed, and what is wanted."""
    wanted = {
        None: html_text("member", "codes.want_both", page.language),
        Kind.PACK: html_text("member", "codes.want_pack", page.language),
        Kind.VOTE: html_text("member", "codes.want_vote", page.language),
    }
    return Said(problem_words(page, answer.problem) + PARAGRAPH + wanted[answer.wanted])


def problem_words(page: Page, problem: Problem) -> str:
    """Say kindly why something could not be read as a code; it never counts."""
    hints = sorted({better for char in problem.characters for better in LOOK_ALIKES.get(char, "")})
    if problem.characters and hints:
        characters, better = ", ".join(problem.characters), ", ".join(hints)
        return html_text("member", "codes.problem.look_alike", page.language, characters=characters, better=better)
    return html_text("member", f"codes.problem.{problem.reason}", page.language)


def put_aside(page: Page, _answer: PutAside) -> Said:
    """Say that nothing was cast."""
    return Said(html_text("member", "paper.put_aside", page.language))


def locked(page: Page, answer: Locked) -> Said:
    """Say that the vote is locked, with the receipt and nothing of the choice."""
    at = page.moment(answer.at)
    return Said(html_text("member", "paper.locked", page.language, receipt=answer.receipt, at=at), secret=True)


def codes_checked(page: Page, answer: CodesChecked) -> Said:
    """Say that both codes are good, and whether a vote with them is locked."""
    parts = [html_text("member", "verify.good", page.language)]
    if answer.word is not None:
        parts.append(html_text("member", "verify.word", page.language, word=answer.word))
    if answer.lock is None:
        parts.append(html_text("member", "verify.not_voted", page.language))
        return Said(PARAGRAPH.join(parts), _rows([[page.button("button.vote", "vote")]]))
    at = page.moment(answer.lock.at)
    parts.append(html_text("member", "verify.voted", page.language, at=at))
    return Said(PARAGRAPH.join(parts), _rows([[page.button("button.theft", "theft", str(answer.lock.member_id))]]))


def codes_used(page: Page, answer: CodesUsed) -> Said:
    """Say neutrally that the codes were used, that the first vote stands, and how to say it was stolen."""
    at = page.moment(answer.at)
    if answer.how is How.POST:
        parts = [html_text("member", "used.post", page.language, at=at)]
    else:
        parts = [html_text("member", "used.online", page.language, at=at)]
    if answer.own and answer.receipt is not None:
        parts.append(html_text("member", "used.receipt", page.language, receipt=answer.receipt))
    if answer.reported:
        parts.append(html_text("member", "used.reported", page.language))
    elif answer.own:
        parts.append(html_text("member", "used.warned", page.language))
    else:
        parts.append(html_text("member", "used.warned_elsewhere", page.language))
    return Said(PARAGRAPH.join(parts), _rows([[page.button("button.theft", "theft", str(answer.member_id))]]))


def codes_unasked(page: Page, _answer: CodesUnasked) -> Said:
    """Say that the codes were not looked at, and offer what they are for."""
    vote, verify = page.button("button.vote", "vote"), page.button("button.verify", "verify")
    return Said(html_text("member", "codes.unasked", page.language), _rows([[vote], [verify]]))


VOTE_WORDS: Final[Mapping[type, Callable[[Page, Any], Said]]] = {
    NotOpenYet: not_open_yet,
    Over: over,
    VotedHere: voted_here,
    ReadRule: read_rule,
    GiveCodes: give_codes,
    GiveVoteCode: give_vote_code,
    GivePackCode: give_pack_code,
    Unreadable: unreadable,
    VotingPaper: voting_paper,
    Chosen: chosen,
    PutAside: put_aside,
    Locked: locked,
    CodesChecked: codes_checked,
    CodesUsed: codes_used,
    CodesUnasked: codes_unasked,
}


def renderers() -> dict[str, Renderer]:
    """Give the words for messages that the postman sends for this desk."""
    return {VOTE_LOCKED: _receipt_later, SORRY: _sorry}


def _receipt_later(facts: Mapping[str, Any], language: str) -> Outgoing:
    spoken = fit_language(language)
    at = moment_text(datetime.fromisoformat(facts["at"]), facts["timezone"], spoken)
    html = html_text("member", "paper.locked", spoken, receipt=facts["receipt"], at=at)
    return Outgoing(address="", text=html, html=html, language=spoken)


def _sorry(_facts: Mapping[str, Any], language: str) -> Outgoing:
    spoken = fit_language(language)
    words = text("member", "start.busy", spoken)
    return Outgoing(address="", text=words, language=spoken)


def _rows(rows: list[list[tuple[str, str]]]) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(tuple(row) for row in rows)
