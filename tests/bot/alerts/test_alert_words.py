"""What staff read of an alert or a case: the page is named where it was the page, in every language of theirs."""

from datetime import datetime
from typing import Any

import pytest
from prepared import NOW, POLL, SECRETS

from bot.alerts.alerts import Alert, Kind
from bot.alerts.words import alert_said, bundle_said, case_evidence, page_sms
from bot.chat.page import Page, Reader
from bot.staff_chat.case_words import cases_said
from messages.words.texts import languages
from voting.votes.cases import AttemptRow, Case


def page_of(language: str = "en-GB") -> Page:
    return Page(Reader.STAFF, POLL, 7, language, SECRETS.button_key, NOW)


def alert_of(kind: Kind, case_id: int | None = None, **facts: Any) -> Alert:
    return Alert(1, kind, "a", case_id, facts, NOW, NOW, 1, None, None, 0, None, None)


def case_of(first: str | None, *attempts: AttemptRow, disputed: datetime | None = None) -> Case:
    nothing = (None,) * 9
    how = "online" if first else "post"
    return Case(1, 1, "0000001", "open", 1, NOW, how, NOW, first, *nothing, disputed, attempts)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ["repeat", "foreign", "online_after_post"])
def test_an_attempt_on_the_page_is_told_as_one(kind: str, language: str) -> None:
    page = page_of(language)
    there = "\n".join(case_evidence(page, case_of("page:a", AttemptRow(1, kind, NOW, "page:b"))))
    in_chat = "\n".join(case_evidence(page, case_of("telegram:1", AttemptRow(1, kind, NOW, "telegram:2"))))
    named = {"en-GB": "the voting page", "cy": "dudalen bleidleisio"}[language]

    assert there.count(named) >= 2  # the attempt, and where the vote was cast
    assert named not in in_chat


def test_a_browser_that_is_locked_out_is_not_called_an_account() -> None:
    there = alert_of(Kind.CHAT_LOCKED_OUT, chat="page:a")
    account = alert_of(Kind.CHAT_LOCKED_OUT, chat="telegram:5")

    said = [alert_said(page_of(), alert, None).html for alert in (there, account)]
    assert "One browser tried too many wrong pack codes on the voting page" in said[0]
    assert "account" not in said[0]
    assert "One account tried too many wrong pack codes" in said[1]
    assert "tg://user?id=5" in said[1]
    assert page_sms("en-GB", there, "A", 5).startswith("A: Many wrong pack codes from one browser")
    assert "2 × " not in bundle_said(page_of(), [there, account], {}).html


def test_what_is_said_on_the_page_is_told_as_from_there() -> None:
    alert = alert_of(Kind.THEFT_REPORTED, chat="page:a", member_no="0000001")

    assert "It was on the voting page, in a browser." in alert_said(page_of(), alert, None).html


def test_a_case_that_nobody_s_attempt_but_a_member_s_word_opened_can_be_read() -> None:
    """There is no attempt in it: the list, the evidence and a bundle of alerts say what it is about."""
    case = case_of("page:a", disputed=NOW)
    words = "Somebody says that a vote was not theirs"
    alert = alert_of(Kind.THEFT_REPORTED, case_id=1, chat="page:b", member_no="0000001")

    assert words in "\n".join(case_evidence(page_of(), case))
    assert "the first vote was not theirs" in "\n".join(case_evidence(page_of(), case))
    assert words in cases_said(page_of(), [case], 1).html
    assert words in bundle_said(page_of(), [alert, alert], {1: case}).html
