"""Numbers as they stand in a real roll: the number that takes SMS, or the reason there is none."""

import time

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from messages.words import phone
from messages.words.phone import Phone, PhoneReason, read_phone
from messages.words.texts import languages, text


@pytest.mark.parametrize(
    ("raw", "country", "e164"),
    [
        pytest.param("07700900123", "GB", "+447700900123", id="as at home"),
        pytest.param("07700 900123", None, "+447700900123", id="no country"),
        pytest.param("07700 900123", " ", "+447700900123", id="an empty country"),
        pytest.param("+44 7700 900123", "Germany", "+447700900123", id="in full, from a country there is not"),
        pytest.param("07700 900123", "gb", "+447700900123", id="a country in lower case"),
        pytest.param("+44 (0)7700 900123", "GB", "+447700900123", id="national zero in brackets"),
        pytest.param("+44 (0) 7700 900123", "US", "+447700900123", id="the same from abroad"),
        pytest.param("+4407700900123", "GB", "+447700900123", id="national zero left in"),
        pytest.param("0044 7700 900295", "FR", "+447700900295", id="double zero"),
        pytest.param("0044 7700 900123", "AU", "+447700900123", id="double zero where it is dialled otherwise"),
        pytest.param("(07700) 900-848", "GB", "+447700900848", id="brackets and dash"),
        pytest.param("07700/900.123", "GB", "+447700900123", id="slash and full stop"),
        pytest.param("7700900123", "GB", "+447700900123", id="zero eaten by a spreadsheet"),
        pytest.param("447700900123", "GB", "+447700900123", id="plus eaten by a spreadsheet"),
        pytest.param("'07700900123", "GB", "+447700900123", id="a spreadsheet's apostrophe"),
        pytest.param("\u200b07700\u00a0900\u2009123\u202c", "GB", "+447700900123", id="invisible characters"),
        pytest.param("０７７００ ９００１２３", "GB", "+447700900123", id="full-width digits"),
        pytest.param("٠٧٧٠٠٩٠٠١٢٣", "GB", "+447700900123", id="Arabic digits"),
        pytest.param("07700–900123", "GB", "+447700900123", id="en dash"),
        pytest.param("O77OO 9OO123", "GB", "+447700900123", id="letter O for zero"),
        pytest.param("07700 900123 ext 4", "GB", "+447700900123", id="extension"),
        pytest.param("07700 900123x12", "GB", "+447700900123", id="extension with x"),
        pytest.param("Mob: 07700 900123 (wife's)", "GB", "+447700900123", id="remarks"),
        pytest.param("call 07700 900123 after six", "GB", "+447700900123", id="a sentence"),
        pytest.param("tel:+447700900123", "GB", "+447700900123", id="a link"),
        pytest.param("07700900123 / 07700900124", "GB", "+447700900123", id="two mobiles: the first"),
        pytest.param("020 7946 0968 or 07700 900124", "GB", "+447700900124", id="the one that takes SMS"),
        pytest.param("07797 712345", "JE", "+447797712345", id="Jersey"),
        pytest.param("07781 100123", "GG", "+447781100123", id="Guernsey"),
        pytest.param("07624 300123", "IM", "+447624300123", id="Isle of Man"),
        pytest.param("07700 900123", "JE", "+447700900123", id="a British mobile in Jersey"),
        pytest.param("612 345 678", "ES", "+34612345678", id="Spain"),
        pytest.param("0412 345 678", "AU", "+61412345678", id="Australia"),
        pytest.param("(202) 555-0143", "US", "+12025550143", id="America does not tell mobiles apart"),
        pytest.param("087 123 4567", "IE", "+353871234567", id="Ireland"),
        pytest.param("+353 87 123 4567", "GB", "+353871234567", id="Ireland, written in full"),
    ],
)
def test_a_number_that_takes_sms_is_found(raw: str, country: str | None, e164: str) -> None:
    assert read_phone(raw, country) == Phone(e164, None)


@pytest.mark.parametrize(
    ("raw", "country", "reason"),
    [
        pytest.param("", "GB", PhoneReason.MISSING, id="empty"),
        pytest.param(" \u00a0\u200b", "GB", PhoneReason.MISSING, id="only invisible characters"),
        pytest.param("-", "GB", PhoneReason.MISSING, id="a dash for none"),
        pytest.param("call after six", "GB", PhoneReason.MALFORMED, id="words"),
        pytest.param("07';DROP TABLE roll;--", "GB", PhoneReason.MALFORMED, id="SQL"),
        pytest.param("07700 9001234567", "GB", PhoneReason.MALFORMED, id="too long"),
        pytest.param("+44 7700", "JE", PhoneReason.MALFORMED, id="too short"),
        pytest.param("+999 123456789", "GB", PhoneReason.MALFORMED, id="a country code there is not"),
        pytest.param("0800 FLOWERS", "GB", PhoneReason.MALFORMED, id="letters for digits"),
        pytest.param("7" * 10_000, "GB", PhoneReason.MALFORMED, id="a flood"),
        pytest.param("020 7946 0968", "GB", PhoneReason.LANDLINE, id="London"),
        pytest.param("020 7946 0968", "JE", PhoneReason.LANDLINE, id="London, from Jersey"),
        pytest.param("01534 700000", "JE", PhoneReason.LANDLINE, id="Jersey landline"),
        pytest.param("0909 879 0000", "GB", PhoneReason.NOT_MOBILE, id="premium rate"),
        pytest.param("07000 123456", "GB", PhoneReason.NOT_MOBILE, id="personal number"),
        pytest.param("0800 123 4567", "GB", PhoneReason.NOT_MOBILE, id="freephone"),
        pytest.param("06123 456789", "GB", PhoneReason.UNASSIGNED, id="a range nobody has"),
        pytest.param("0711 1234567", "DE", PhoneReason.LANDLINE, id="Stuttgart is no British mobile"),
        pytest.param("0711 1234568", "Germany", PhoneReason.MALFORMED, id="a country there is not"),
        pytest.param("0771 1234567", "IT", PhoneReason.LANDLINE, id="Formia is no British mobile"),
        pytest.param("07700 900504", "DE", PhoneReason.LANDLINE, id="a British mobile written as at home, in Germany"),
        pytest.param("07700 900123", "klingon", PhoneReason.MALFORMED, id="a British mobile, from nowhere"),
        *(
            pytest.param(raw, country, PhoneReason.MALFORMED, id=f"{named} in {country}")
            for country in ("GB", "DE", "IT", "US", "ES")
            for raw, named in (
                ("7700900301.0", "a fraction"),
                ("447700900301.00", "a fraction with its country"),
                ("7700900301,5", "a fraction with a comma"),
                ("4.47700900301E+11", "a power of ten"),
            )
        ),
    ],
)
def test_a_number_that_takes_no_sms_has_its_reason(raw: str, country: str, reason: PhoneReason) -> None:
    assert read_phone(raw, country) == Phone(None, reason)


@pytest.mark.parametrize("last", ["000", "999"])
def test_ofcoms_drama_numbers_are_mobiles_to_both_ends_of_the_range(last: str) -> None:
    assert read_phone(f"07700 900{last}", "GB").e164 == f"+447700900{last}"


def test_every_reason_has_words() -> None:
    for reason in PhoneReason:
        for language in languages():
            assert text("words", f"phone.reason.{reason}", language).endswith(".")


def the_long_way(raw: str, country: str | None) -> Phone:
    """Read a number with the short cut for plain British mobiles switched off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phone, "_plain_british_mobile", lambda _raw, _region: None)
        return read_phone(raw, country)


british = st.from_regex(r"(\+44|0044|0|\+44 \(0\)|)[ ]?7[0-9]{3}[ .-]?[0-9]{6}", fullmatch=True)


@settings(deadline=None)  # the machine may be busy
@given(british, st.sampled_from(["GB", "JE", "GG", "IM", "ES", "US", "AU", "DE", "FR", "IE", "IN", None]))
@example("007700900123", "GB")
@example("07911 100000", "GG")
def test_the_short_cut_agrees_with_phonenumbers(raw: str, country: str | None) -> None:
    assert read_phone(raw, country) == the_long_way(raw, country)


@settings(deadline=None)  # the machine may be busy
@given(st.text(), st.none() | st.text(max_size=3))
def test_any_cell_is_either_a_number_or_a_reason(raw: str, country: str | None) -> None:
    read = read_phone(raw, country)
    assert (read.e164 is None) != (read.reason is None)
    if read.e164 is not None:
        assert phonenumbers.is_possible_number(phonenumbers.parse(read.e164, None))
        assert read_phone(read.e164, country) == read


def test_a_whole_roll_is_read_in_seconds() -> None:
    """172,437 rows take a few seconds; a tenth of them are measured, a tenth of those the long way."""
    rows = [(f"07700 900{n % 1000:03d}", "ES" if n % 10 == 0 else "GB") for n in range(17_244)]
    started = time.process_time()
    for raw, country in rows:
        read_phone(raw, country)
    assert time.process_time() - started < 2
