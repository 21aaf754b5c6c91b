"""The words of a notice and of a message to one person: facts in, text out, the same for everybody in a language."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared import POLL

from messages.reach import SMS, TELEGRAM
from messages.words.kinds import NOT_TO_VOTERS, OF_WINDOW, Kind
from messages.words.purposes import DOMAIN, LITERAL, NAME_PAGE, POINT_TO_BOT, POINT_TO_PAGE, PURPOSES, fitting
from messages.words.sms_text import Encoding, encode_plan, plain
from messages.words.texts import languages, text
from messages.words.wording import Ways, Words, facts_of, message_text
from voting.model import Ways as OnlineWays
from voting.model import Window

BOT = "https://t.me/ballot_bot"
FIRST = Window(1, date(2022, 8, 1), date(2022, 8, 5), "first", datetime(2022, 7, 1, tzinfo=UTC), "Gwen")
SECOND = replace(FIRST, version=2, first_day=date(2022, 8, 8), last_day=date(2022, 8, 12))
THIRD = replace(FIRST, version=3, first_day=date(2022, 8, 15), last_day=date(2022, 8, 19))
WAYS = Ways(bot_url=BOT)
FACTS = facts_of(POLL, [FIRST, SECOND], WAYS)
WRITTEN = [kind for kind in Kind if kind is not Kind.CUSTOM]


# -- the facts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("windows", "days", "days_before"),
    [
        ([FIRST], ("2022-08-01", "2022-08-05"), ("2022-08-01", "2022-08-05")),
        ([FIRST, SECOND], ("2022-08-08", "2022-08-12"), ("2022-08-01", "2022-08-05")),
        ([FIRST, SECOND, THIRD], ("2022-08-15", "2022-08-19"), ("2022-08-08", "2022-08-12")),
    ],
    ids=["the first window is its own predecessor", "the one before", "only the last two"],
)
def test_the_facts_hold_the_newest_days_and_the_ones_told_before(
    windows: list[Window], days: tuple[str, str], days_before: tuple[str, str]
) -> None:
    facts = facts_of(POLL, windows, WAYS)

    assert (facts["first_day"], facts["last_day"]) == days
    assert (facts["old_first_day"], facts["old_last_day"]) == days_before


def test_the_facts_hold_nothing_about_one_member() -> None:
    """Everybody in a language gets the same text: a notice cannot leak what it never held."""
    assert FACTS.keys() == {
        "title",
        "timezone",
        "first_day",
        "last_day",
        "old_first_day",
        "old_last_day",
        "rule",
        "closes_at",
        "bot_url",
        "opt_out_url",
        "page_url",
    }
    assert FACTS["rule"] == {"en-GB": "One vote.", "cy": "Un bleidlais."}


# -- a notice -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", WRITTEN)
def test_every_notice_is_plain_in_a_text_and_ends_with_the_way_out(kind: Kind, language: str) -> None:
    sms = Words(kind, FACTS).sms(language)

    assert sms == plain(sms)
    assert sms.endswith("\n" + plain(text(DOMAIN, "sms.opt_out", language)))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_title_with_markup_stays_words_in_the_chat_and_is_left_alone_in_a_text(kind: Kind, language: str) -> None:
    words = Words(kind, {**FACTS, "title": "Him & <her>"})

    assert "Him &amp; &lt;her&gt;" in words.chat(language)
    assert "<her>" not in words.chat(language)
    assert "Him & <her>" in words.sms(language)


NAMED = {
    Kind.PACK_DELAYED: ("8-12 August 2022",),
    Kind.WINDOW_CHANGED: ("8-12 August 2022", "1-5 August 2022"),
    Kind.RULE_CHANGED: ("One vote.",),
    Kind.CLOSING_SOON: ("5:00 pm on Friday 2 September 2022",),
}


@pytest.mark.parametrize("kind", NAMED)
def test_a_notice_names_what_it_is_about_in_the_chat(kind: Kind) -> None:
    chat = plain(Words(kind, FACTS).chat("en-GB"))

    assert all(fact in chat for fact in NAMED[kind])


def test_a_rule_without_words_in_a_language_is_told_in_the_first_it_has() -> None:
    words = Words(Kind.RULE_CHANGED, {**FACTS, "rule": {"en-GB": "One vote."}})

    assert "One vote." in words.chat("cy")


CUSTOM_TEXTS = [
    pytest.param({"en-GB": "Hello", "cy": "Helo"}, "cy", "Helo", id="the language"),
    pytest.param({"en-GB": "Hello"}, "cy", "Hello", id="else English"),
    pytest.param({"en-GB": "Hello", "cy": ""}, "cy", "Hello", id="an empty text is none"),
    pytest.param({"cy": "Helo"}, "en-GB", "Helo", id="else what there is"),
    pytest.param({"en-GB": "  Hello\n"}, "en-GB", "Hello", id="without the spaces around it"),
]


@pytest.mark.parametrize(("texts", "language", "said"), CUSTOM_TEXTS)
def test_custom_words_are_told_in_the_nearest_language_there_is(
    texts: dict[str, str], language: str, said: str
) -> None:
    words = Words(Kind.CUSTOM, FACTS, texts)

    assert words.chat(language) == said
    assert words.sms(language).startswith(said + "\n")


@given(st.text(min_size=1).filter(str.strip))
def test_whatever_staff_write_is_words_and_never_markup_nor_a_place_to_fill(written: str) -> None:
    chat = Words(Kind.CUSTOM, FACTS, {"en-GB": written}).chat("en-GB")

    assert "<" not in chat
    assert ">" not in chat
    assert chat.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == written.strip()


# -- where there is no bot, and where texts cannot be answered --------------------------------


@pytest.mark.parametrize("kind", WRITTEN)
def test_where_there_is_no_bot_a_text_names_none(kind: Kind) -> None:
    words = Words(kind, facts_of(POLL, [FIRST], Ways(bot_url="")))

    assert "t.me" not in words.sms("en-GB")
    assert "  " not in words.sms("en-GB")


@pytest.mark.parametrize("language", languages())
def test_a_sender_that_cannot_be_answered_never_says_reply(language: str) -> None:
    facts = facts_of(POLL, [FIRST], Ways(bot_url=BOT, opt_out_url=f"{BOT}?start=sms"))

    for kind in WRITTEN:
        sms = Words(kind, facts).sms(language)
        assert sms.endswith(f"{BOT}?start=sms")
        assert "STOP" not in sms


@pytest.mark.parametrize("key", sorted(POINT_TO_BOT))
def test_a_text_that_points_to_the_bot_has_a_form_without_it(key: str) -> None:
    assert fitting(key, {"bot_url": BOT}) == key
    assert fitting(key, {"bot_url": ""}) == fitting(key, {}) == f"{key}.no_bot"


def test_every_other_text_has_one_form() -> None:
    assert fitting("sms.help", {}) == "sms.help"


# -- where there is a voting page -----------------------------------------------------------

PAGE = "https://vote.society.example/vote"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("bot", [BOT, ""], ids=["beside the bot", "without a bot"])
@pytest.mark.parametrize("kind", sorted(NOT_TO_VOTERS))
def test_what_calls_to_vote_leads_to_the_page(kind: Kind, bot: str, language: str) -> None:
    words = Words(kind, facts_of(POLL, [FIRST], Ways(bot, page_url=PAGE)))

    assert PAGE in words.sms(language)
    assert PAGE in words.chat(language)
    assert "t.me" not in words.sms(language)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", sorted(NOT_TO_VOTERS))
def test_the_page_s_link_makes_no_text_longer_by_a_part(kind: Kind, language: str) -> None:
    parts = [
        len(encode_plan(Words(kind, facts_of(POLL, [FIRST], ways)).sms(language)).parts)
        for ways in (WAYS, Ways(BOT, page_url=PAGE))
    ]

    assert parts[0] == parts[1]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", WRITTEN)
def test_without_a_page_none_is_named_nor_by_a_notice_drafted_before_there_was_one(kind: Kind, language: str) -> None:
    older = Words(kind, {name: fact for name, fact in FACTS.items() if name != "page_url"})

    for words in (Words(kind, FACTS), older):
        assert "/vote" not in words.sms(language)
        assert "voting page" not in words.chat(language)


@pytest.mark.parametrize("kind", sorted(set(WRITTEN) - NOT_TO_VOTERS))
def test_other_notices_do_not_name_it(kind: Kind) -> None:
    words = Words(kind, facts_of(POLL, [FIRST, SECOND], Ways(BOT, page_url=PAGE)))

    assert PAGE not in words.sms("en-GB") + words.chat("en-GB")


@pytest.mark.parametrize("kind", sorted(NOT_TO_VOTERS))
def test_a_poll_without_the_page_leads_to_the_bot(kind: Kind) -> None:
    poll = replace(POLL, ways=OnlineWays(page=False))
    words = Words(kind, facts_of(poll, [FIRST], Ways(BOT, page_url=PAGE)))

    assert PAGE not in words.sms("en-GB") + words.chat("en-GB")
    assert BOT in words.sms("en-GB")


@pytest.mark.parametrize("key", sorted(POINT_TO_PAGE))
def test_a_text_that_calls_to_vote_needs_no_bot_where_there_is_a_page(key: str) -> None:
    assert fitting(key, {"bot_url": "", "page_url": PAGE}) == key
    assert fitting(key, {"bot_url": "", "page_url": ""}) == f"{key}.no_bot"


# -- a message to one person -----------------------------------------------------------------


# A value for every place that any of these texts names.
EVERY_FACT = {
    name: name.upper()
    for name in (
        [
            "title",
            "bot_url",
            "window",
            "old_window",
            "code",
            "minutes",
            "contact",
            "contacts",
            "closes",
            "day",
            "url",
            "rule",
        ]
    )
}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("purpose", "channel"), [(purpose, channel) for purpose, keys in PURPOSES.items() for channel in keys]
)
def test_every_purpose_has_its_words_in_every_language(purpose: str, channel: str, language: str) -> None:
    """A text of plain characters; Welsh may keep its circumflex."""
    said = message_text(purpose, channel, language, EVERY_FACT)

    assert said == plain(said) != ""
    assert encode_plan(said).encoding is Encoding.GSM_7 or language == "cy"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("purpose", sorted(PURPOSES.keys() - {"link_code"}))
def test_only_answers_that_help_to_vote_name_the_page_and_only_where_there_is_one(purpose: str, language: str) -> None:
    named = message_text(purpose, SMS, language, EVERY_FACT | {"page_url": PAGE})
    without = message_text(purpose, SMS, language, EVERY_FACT | {"page_url": ""})

    assert PAGE not in without
    assert named.endswith(PAGE) is (purpose in NAME_PAGE)
    assert named.startswith(without)


@pytest.mark.parametrize(("wanted", "given"), [("cy-GB", "cy"), ("de", "en-GB"), ("", "en-GB")])
def test_a_message_in_a_language_we_have_not_is_told_in_the_nearest(wanted: str, given: str) -> None:
    facts = {"code": "123456", "minutes": 10, "title": "T", "bot_url": BOT}

    assert message_text("link_code", SMS, wanted, facts) == message_text("link_code", SMS, given, facts)


@pytest.mark.parametrize(("purpose", "channel"), [("nonsense", SMS), (LITERAL, SMS), ("link_code", TELEGRAM)])
def test_a_purpose_without_words_is_a_fault(purpose: str, channel: str) -> None:
    with pytest.raises(KeyError):
        message_text(purpose, channel, "en-GB", FACTS)


# -- what a kind is ----------------------------------------------------------------------------


def test_only_reminders_are_not_for_voters_and_only_the_days_are_overtaken() -> None:
    """A changed rule is news to who has voted, too; no kind is both."""
    assert {Kind.REMINDER, Kind.CLOSING_SOON} == NOT_TO_VOTERS
    assert {Kind.PACK_DELAYED, Kind.WINDOW_CHANGED} == OF_WINDOW


def test_a_message_is_in_the_language_asked_for() -> None:
    facts = {"code": "123456", "minutes": 10, "title": "T"}

    assert message_text("link_code", SMS, "cy", facts) != message_text("link_code", SMS, "en-GB", facts)
