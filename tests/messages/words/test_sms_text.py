"""How a text is sent: alphabet, units, segments, plain characters, cost; and what a keyword is."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from messages.words.keywords import Keyword, answered_by_twilio, keyword_language, keyword_of
from messages.words.sms_text import GSM_BASIC, GSM_EXTENSION, Encoding, cost, encode_plan, plain, unfit

GSM, UCS = Encoding.GSM_7, Encoding.UCS_2


def test_the_alphabet_has_the_size_of_the_standard() -> None:
    """3GPP TS 23.038: 128 septets less the escape, and ten extension characters."""
    assert len(GSM_BASIC) == len(set(GSM_BASIC)) == 127
    assert len(GSM_EXTENSION) == len(set(GSM_EXTENSION)) == 10
    assert not set(GSM_BASIC) & set(GSM_EXTENSION)


@pytest.mark.parametrize(
    ("char", "septet"),
    [
        ("@", 0),
        ("Ç", 9),
        ("\n", 10),
        ("Δ", 16),
        ("Ξ", 26),
        ("Æ", 28),
        ("É", 31),
        (" ", 32),
        ("¤", 36),
        ("A", 65),
        ("§", 95),
        ("¿", 96),
        ("à", 127),
    ],
)
def test_a_character_stands_where_the_standard_puts_it(char: str, septet: int) -> None:
    escape = 0x1B
    assert GSM_BASIC.index(char) == septet - (septet > escape)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "lengths"),
    [
        pytest.param("", GSM, 0, [], id="nothing is no segment"),
        pytest.param("a" * 160, GSM, 160, [160], id="160 fit alone"),
        pytest.param("a" * 161, GSM, 161, [153, 8], id="161 are joined"),
        pytest.param("a" * 306, GSM, 306, [153, 153], id="two full parts"),
        pytest.param("a" * 307, GSM, 307, [153, 153, 1], id="one more is a third"),
        pytest.param("€" * 80, GSM, 160, [80], id="eighty escapes fit alone"),
        pytest.param("€" * 81, GSM, 162, [76, 5], id="a part holds 76 pairs and stays one short"),
        pytest.param("a" * 152 + "€" + "a" * 8, GSM, 162, [152, 9], id="a pair on the edge moves on whole"),
        pytest.param("a" * 151 + "€" + "a" * 8, GSM, 161, [152, 8], id="a pair that just fits stays"),
        pytest.param("a" * 158 + "€", GSM, 160, [159], id="a pair ends one message"),
        pytest.param("a" * 159 + "€", GSM, 161, [153, 7], id="a pair tips one message over"),
        pytest.param("ŵ" * 70, UCS, 70, [70], id="70 fit alone in UCS-2"),
        pytest.param("ŵ" * 71, UCS, 71, [67, 4], id="71 are joined"),
        pytest.param("ŵ" * 134, UCS, 134, [67, 67], id="two full parts of UCS-2"),
        pytest.param("a" * 69 + "😀", UCS, 71, [67, 3], id="a surrogate pair tips it over"),
        pytest.param("a" * 68 + "😀", UCS, 70, [69], id="a surrogate pair ends one message"),
        pytest.param("a" * 66 + "😀" + "a" * 4, UCS, 72, [66, 5], id="surrogates on the edge move on whole"),
        pytest.param("a" * 65 + "😀" + "a" * 4, UCS, 71, [66, 4], id="surrogates that just fit stay"),
        pytest.param("€" * 69 + "ŵ", UCS, 70, [70], id="in UCS-2 an extension character is one unit"),
    ],
)
def test_units_and_parts_at_every_edge(text: str, encoding: Encoding, units: int, lengths: list[int]) -> None:
    sms = encode_plan(text)
    assert sms.encoding is encoding
    assert sms.units == units
    assert [len(part) for part in sms.parts] == lengths
    assert sms.segments == len(lengths)
    assert sms.characters == len(text)


def size(part: str, encoding: Encoding) -> int:
    """Count a part in another way than the code does."""
    if encoding is UCS:
        return len(part.encode("utf-16-be")) // 2
    return len(part) + sum(part.count(char) for char in GSM_EXTENSION)


texts = st.text(st.one_of(st.sampled_from(GSM_BASIC), st.sampled_from(GSM_EXTENSION)), max_size=700) | st.text(
    st.one_of(st.sampled_from("aŵ€😀"), st.characters(exclude_categories=["Cs"])), max_size=400
)


@settings(deadline=None)  # the machine may be busy
@given(texts)
@example("€" * 800)
def test_parts_joined_give_the_text_back_and_none_is_too_long(text: str) -> None:
    sms = encode_plan(text)
    alone, joined = {GSM: (160, 153), UCS: (70, 67)}[sms.encoding]
    sizes = [size(part, sms.encoding) for part in sms.parts]
    assert "".join(sms.parts) == text
    assert sum(sizes) == sms.units
    assert all(0 < part <= (alone if len(sizes) == 1 else joined) for part in sizes)
    assert (len(sizes) <= 1) == (sms.units <= alone)
    # no part but the last leaves room for another character
    assert all(part >= joined - 1 for part in sizes[:-1])


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        pytest.param("1–10 August", "1-10 August", id="en dash"),
        pytest.param("a — b", "a - b", id="em dash"),
        pytest.param("−5 ‑ ‐", "-5 - -", id="minus and hyphens"),
        pytest.param("5:00\u202fpm\u00a0on\u2009Friday", "5:00 pm on Friday", id="narrow, no-break, thin"),
        pytest.param("it’s ‘so’", "it's 'so'", id="single quotes"),
        pytest.param("“so” „so‟ «so»", '"so" "so" "so"', id="double quotes"),
        pytest.param("wait…", "wait...", id="ellipsis"),
        pytest.param("• one\n· two", "- one\n- two", id="bullets"),
        pytest.param("a\u200bb\u2060c\ufeffd\u00ade\u202af", "abcdef", id="no width"),
        pytest.param("a\r\nb\u2028c", "a\nb\nc", id="line ends"),
        pytest.param("w\u0302yn", "ŵyn", id="accents are composed"),
        pytest.param("w\u200b\u0302yn", "ŵyn", id="also when a mark stood between"),
        pytest.param("Siân, tŷ, dŵr, ôl, ïon", "Siân, tŷ, dŵr, ôl, ïon", id="Welsh spelling stays"),
        pytest.param("Łukasz Nguyễn 中 😀", "Łukasz Nguyễn 中 😀", id="names stay"),
    ],
)
def test_typography_becomes_plain_and_spelling_stays(written: str, wanted: str) -> None:
    assert plain(written) == wanted


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_plain_is_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.sampled_from(GSM_BASIC.replace("\r", "") + GSM_EXTENSION.replace("\f", ""))))
def test_a_text_that_fits_still_fits_when_made_plain(text: str) -> None:
    assert encode_plan(plain(text)).encoding is GSM


def test_a_date_range_as_babel_writes_it_costs_three_segments_until_made_plain() -> None:
    body = "Leadership ballot: your pack should arrive 1\u2009–\u200910 August 2022. " + "a" * 90
    assert encode_plan(body).segments == 3
    assert encode_plan(plain(body)).segments == 1


def test_what_makes_a_text_dear_is_named_once_and_in_order() -> None:
    assert unfit("tŷ dŵr tŷ {€}") == "ŷŵ"


def test_cost_is_exact() -> None:
    assert cost(2, Decimal("0.0401"), 172_437) == Decimal("13829.4474")
    assert cost(0, Decimal("0.04")) == 0


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (1600, True), (1601, False)])
def test_twilio_takes_one_to_1600_characters(length: int, fits: bool) -> None:
    assert encode_plan("a" * length).fits is fits


@pytest.mark.parametrize(
    ("body", "keyword", "language"),
    [
        pytest.param("STOP", Keyword.STOP, "en-GB", id="stop"),
        pytest.param(" stop.\n", Keyword.STOP, "en-GB", id="as people type it"),
        pytest.param("“Stop!”", Keyword.STOP, "en-GB", id="in quotes"),
        pytest.param("Stop all", Keyword.STOP, "en-GB", id="two words"),
        pytest.param("STOPIO", Keyword.STOP, "cy", id="stop in Welsh"),
        pytest.param("start", Keyword.START, "en-GB", id="start"),
        pytest.param("Dechrau", Keyword.START, "cy", id="start in Welsh"),
        pytest.param("Status", Keyword.STATUS, "en-GB", id="status"),
        pytest.param("statws", Keyword.STATUS, "cy", id="status in Welsh"),
        pytest.param("Help?", Keyword.HELP, "en-GB", id="help"),
        pytest.param("CYMORTH", Keyword.HELP, "cy", id="help in Welsh"),
        pytest.param("\uff33\uff34\uff2f\uff30", Keyword.STOP, "en-GB", id="full-width letters"),
        pytest.param("please do not stop", None, None, id="stop inside a sentence"),
        pytest.param("", None, None, id="nothing"),
        pytest.param("👍", None, None, id="a thumb"),
    ],
)
def test_a_keyword_is_the_whole_message(body: str, keyword: Keyword | None, language: str | None) -> None:
    assert keyword_of(body) == keyword
    assert keyword_language(body) == language


@pytest.mark.parametrize(
    ("body", "answered"),
    [("stop", True), (" STOP ", True), ("Info", True), ("STOP.", False), ("STOPIO", False), ("STATUS", False)],
)
def test_we_know_which_messages_twilio_answers_itself(body: str, answered: bool) -> None:
    assert answered_by_twilio(body) is answered
