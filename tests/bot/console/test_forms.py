"""What a form and an address of the console say: read, or refused by the field's name."""

from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from prepared import POLL
from starlette.datastructures import FormData
from starlette.requests import Request

from bot.console.compose import read_content
from bot.console.pages import member_address
from bot.console.visit import FormWrong, Visit
from messages.refusals import NoticeTextTooLong


def visit(form: dict[str, str] | None = None, **asked: str) -> Visit:
    """Make a visit that needs nobody and no house: only its form and its address are read."""
    request = Request({"type": "http", "headers": [], "query_string": urlencode(asked).encode()})
    nobody = cast("Any", None)
    return Visit(nobody, request, nobody, FormData(list((form or {}).items())))


NUMBERS = {
    "one": ("1", 1),
    "blanks round it": (" 17 ", 17),
    "noughts before it": ("007", 7),
    "the last that a key can be": (str(2**63 - 1), 2**63 - 1),
    "one more": (str(2**63), None),
    "nothing": ("", None),
    "below nought": ("-1", None),
    "a plus": ("+1", None),
    "a point": ("1.0", None),
    "a comma": ("1,000", None),
    "an exponent": ("1e3", None),
    "hexadecimal": ("0x10", None),
    "an underline, which Python would read": ("1_000", None),
    "a raised two": ("²", None),
    "other digits, which Python would read": ("١٧", None),
    "a word": ("three", None),
}


@pytest.mark.parametrize(("raw", "number"), NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number_is_decimal_and_fits_a_key_or_is_refused(raw: str, number: int | None) -> None:
    assert visit(place=raw).asked_number("place") == number
    if number is not None:
        assert visit({"place": raw}).number("place") == number
    else:
        with pytest.raises(FormWrong, match="place"):
            visit({"place": raw}).number("place")


def test_a_field_that_is_not_there_is_empty_and_one_with_a_nul_is_refused() -> None:
    assert visit().word("reason") == ""
    assert visit({"reason": "  lost \n"}).word("reason") == "lost"
    with pytest.raises(FormWrong, match="reason"):
        visit({"reason": "lo\0st"}).word("reason")


MOMENTS = {
    "as a browser sends it": ("2022-08-02T18:00", datetime(2022, 8, 2, 17, tzinfo=UTC)),
    "with seconds": ("2022-08-02T18:00:30", datetime(2022, 8, 2, 17, 0, 30, tzinfo=UTC)),
    "in winter": ("2022-12-02T18:00", datetime(2022, 12, 2, 18, tzinfo=UTC)),
    "with its own offset": ("2022-08-02T18:00+00:00", datetime(2022, 8, 2, 18, tzinfo=UTC)),
    "with a Z": ("2022-08-02T18:00Z", datetime(2022, 8, 2, 18, tzinfo=UTC)),
    "nothing": ("", None),
}


@pytest.mark.parametrize("field", ["send_at", "send_before"])
@pytest.mark.parametrize(("raw", "moment"), MOMENTS.values(), ids=MOMENTS.keys())
def test_a_moment_is_read_in_the_poll_s_zone(field: str, raw: str, moment: datetime | None) -> None:
    content = read_content(visit({"kind": "reminder", "audience": "all", field: raw}), POLL)
    assert getattr(content, field) == moment


@pytest.mark.parametrize(
    "raw",
    ["tomorrow", "18:00", "02/08/2022 18:00", "2022-02-30T18:00", "2022-08-02T25:00", "9999-12-31T23:59-05:00"],
    ids=["a word", "a time alone", "the day first", "no such day", "no such hour", "beyond all calendars"],
)
def test_a_moment_that_cannot_be_read_is_refused_by_its_name(raw: str) -> None:
    with pytest.raises(FormWrong, match="send_at"):
        read_content(visit({"kind": "reminder", "audience": "all", "send_at": raw}), POLL)


AUDIENCES = {
    "everybody": ({"audience": "all"}, "all"),
    "an area": ({"audience": "area", "audience_value": "Isle of Man"}, "area:Isle of Man"),
    "an area with a colon": ({"audience": "area", "audience_value": "Kent: East"}, "area:Kent: East"),
    "a value left over from another choice": ({"audience": "all", "audience_value": "Kent"}, "all"),
    "a value of blanks": ({"audience": "area", "audience_value": "  "}, "area:"),
    "nothing chosen": ({}, ""),
}


@pytest.mark.parametrize(("fields", "audience"), AUDIENCES.values(), ids=AUDIENCES.keys())
def test_an_audience_is_its_group_and_the_value_that_it_takes(fields: dict[str, str], audience: str) -> None:
    assert read_content(visit({"kind": "reminder", **fields}), POLL).audience == audience


def test_own_words_are_kept_for_a_notice_of_own_words_alone() -> None:
    fields = {"audience": "all", "text_en-GB": "One.\r\nTwo.", "text_cy": "  ", "text_fr": "Un."}

    assert read_content(visit({"kind": "custom", **fields}), POLL).texts == {"en-GB": "One.\nTwo."}
    assert read_content(visit({"kind": "reminder", **fields}), POLL).texts == {}


def test_too_many_words_and_no_kind_are_refused() -> None:
    with pytest.raises(NoticeTextTooLong):
        read_content(visit({"kind": "custom", "audience": "all", "text_cy": "x" * 100_000}), POLL)
    for kind in ("", "party", "CUSTOM"):
        with pytest.raises(FormWrong, match="kind"):
            read_content(visit({"kind": kind, "audience": "all"}), POLL)


@pytest.mark.parametrize(
    ("choice", "kept"), [("resend", "resend"), ("leave", "leave"), ("", "leave"), ("Resend", "leave")]
)
def test_a_message_of_unknown_fate_is_sent_again_only_where_that_was_chosen(choice: str, kept: str) -> None:
    content = read_content(visit({"kind": "reminder", "audience": "all", "on_unknown": choice}), POLL)
    assert content.on_unknown == kept


def test_a_member_s_address_holds_any_number() -> None:
    assert member_address("0100007") == "/console/members/0100007"
    assert member_address("A/1?x#y%z é") == "/console/members/A%2F1%3Fx%23y%25z%20%C3%A9"
