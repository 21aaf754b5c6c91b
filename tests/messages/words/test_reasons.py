"""Reasons, probes and acts as people read them: each code that the ledger can hold has its words in every language."""

import re

import pytest

from messages.channels.verdicts import TELEGRAM_BAD_REQUEST, TELEGRAM_FORBIDDEN, TWILIO, UNCLEAR
from messages.ledger.aftermath import HELD
from messages.ledger.outbox_sql import _SKIP
from messages.ledger.planning import HOUSEHOLD, NO_CHANNEL
from messages.reach import State
from messages.words.reasons import (
    act_text,
    detail_text,
    ineligible_text,
    probe_text,
    reason_text,
    window_reason_text,
)
from messages.words.refusal_words import refusal_text
from messages.words.texts import languages
from voting.poll.poll_file import FIRST_REASON
from voting.refusals import NeedsSecondPerson
from voting.roll.rows import Ineligible

CODES = {
    *(reason for _, _, reason in (*TELEGRAM_FORBIDDEN, *TELEGRAM_BAD_REQUEST)),
    *re.findall(r"THEN '(\w+)'", _SKIP),
    *(state for state in State if state is not State.ON),
    *("token", "forbidden", "bad_request", "migrated", "no_connection", "timeout", "connection_lost", "lease_expired"),
    *("telegram_off", "sms_off", "by_staff", "canceled", "superseded", "done"),
    *(UNCLEAR, HELD, HOUSEHOLD, NO_CHANNEL),
}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_ledger_is_said(code: str, language: str) -> None:
    assert reason_text(code, language) != code or (code, language) == ("voted", "cy")
    assert "_" not in reason_text(code, language)


@pytest.mark.parametrize("code", sorted(TWILIO)[:3])
def test_a_providers_code_is_said_as_one(code: int) -> None:
    assert reason_text(str(code), "cy") == f"cod y darparwr: {code}"
    assert reason_text(f"twilio:{code}", "en-GB") == f"Twilio: the provider's code {code}"
    assert reason_text("http_503", "en-GB") == "the provider's code 503"


def test_what_nobody_foresaw_is_shown_as_it_is() -> None:
    assert reason_text("new_trouble", "cy") == "new_trouble"
    assert reason_text("telegram:token", "cy") == "Telegram: mae Telegram yn gwrthod tocyn y bot"
    assert reason_text("no_words:reminder", "en-GB") == "we have no words for it"
    assert reason_text("landline", "en-GB") == "This is a landline, which cannot take text messages"


@pytest.mark.parametrize("why", Ineligible)
def test_why_a_member_may_not_vote_is_said(why: Ineligible) -> None:
    assert ineligible_text(why, "en-GB") != ineligible_text(why, "cy") != why
    assert ineligible_text("something else", "cy") == "something else"


def test_a_probes_numbers_are_said_and_another_detail_is_the_programs_own() -> None:
    assert detail_text("3 and 4", "cy") == "3 a 4"
    assert detail_text("entry 3 is not linked", "cy") == "entry 3 is not linked"
    assert probe_text("no such probe", "cy") == "no such probe"


def test_the_days_of_the_poll_file_have_their_words_and_others_their_own() -> None:
    assert window_reason_text(FIRST_REASON, "cy") == "fel y maent yn ffeil y bleidlais"
    assert window_reason_text("Streic bost", "cy") == "Streic bost"


@pytest.mark.parametrize("act", ["Notice 3", "Replacing a pack", "Settling a case", "Resuming from another head"])
def test_an_act_for_two_people_is_said_in_the_refusal(act: str) -> None:
    refused = refusal_text(NeedsSecondPerson(act=act, name="Gwen"), "cy", "UTC")

    assert act_text(act, "en-GB") == act
    assert act not in refused
    assert act_text(act, "cy") in refused
    assert act_text("Something new", "cy") == "Something new"
