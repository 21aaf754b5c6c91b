"""The desk's answers in the member's language: linking a chat to a member."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.chat.page import Page
from bot.chat.said import Said
from bot.member.answers import AskLink, CodeOnItsWay, CodeWrong, Linked, NotYourNumber, NumberUnknown, WhichMember
from messages.words.texts import html_text, text


def ask_link(page: Page, answer: AskLink) -> Said:
    """Ask for the number or the member number."""
    label = text("member", "button.share_number", page.language)
    if answer.sms:
        return Said(html_text("member", "link.ask", page.language), contact_key=label)
    return Said(html_text("member", "link.ask_contact_only", page.language), contact_key=label)


def linked(page: Page, answer: Linked) -> Said:
    """Say that the chat is linked; the keyboard that shared the number is removed."""
    html = html_text("member", "link.done", page.language, member_no=answer.member_no)
    return Said(html, removes_keys=True)


def not_your_number(page: Page, _answer: NotYourNumber) -> Said:
    """Say that only the sender's own number counts."""
    return Said(html_text("member", "link.not_yours", page.language))


def number_unknown(page: Page, answer: NumberUnknown) -> Said:
    """Say that the number is on no member's record."""
    if answer.sms:
        return Said(html_text("member", "link.unknown", page.language), removes_keys=True)
    return Said(html_text("member", "link.unknown_no_sms", page.language), removes_keys=True)


def which_member(page: Page, answer: WhichMember) -> Said:
    """Ask which member of the household it is."""
    if answer.wrong:
        return Said(html_text("member", "link.which_again", page.language))
    return Said(html_text("member", "link.which", page.language), removes_keys=True)


def code_on_its_way(page: Page, answer: CodeOnItsWay) -> Said:
    """Ask for the code; the same whether or not the member number exists."""
    html = html_text("member", "link.code_sent", page.language, minutes=answer.minutes)
    return Said(html, removes_keys=True)


def code_wrong(page: Page, answer: CodeWrong) -> Said:
    """Say that the code is not right."""
    if answer.left:
        return Said(html_text("member", "link.code_wrong", page.language))
    return Said(html_text("member", "link.code_over", page.language))


LINK_WORDS: Final[Mapping[type, Callable[[Page, Any], Said]]] = {
    AskLink: ask_link,
    Linked: linked,
    NotYourNumber: not_your_number,
    NumberUnknown: number_unknown,
    WhichMember: which_member,
    CodeOnItsWay: code_on_its_way,
    CodeWrong: code_wrong,
}
