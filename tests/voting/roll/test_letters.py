"""Whether a letter reaches somebody: nowhere, doubtful, or fine though it has no postcode."""

import pytest

from voting.roll.countries import CODES, read_country
from voting.roll.letters import Address, doubts, is_broken, nowhere, on_one_line

BROKEN = "broken letters in name or address: the file was saved in another encoding once"


def address(**cells: str) -> Address:
    usual = {
        "name": "Siân Lloyd",
        "address_1": "1 Harbour Street",
        "address_2": "",
        "town": "Aberwenog",
        "postcode": "ZZ1 1BA",
        "country": "GB",
    }
    return Address(**(usual | cells))


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        pytest.param({}, None, id="whole"),
        pytest.param({"name": ""}, "no name", id="no name"),
        pytest.param({"address_1": "", "town": ""}, "no address", id="only a postcode"),
        pytest.param({"address_1": "", "postcode": ""}, "no address", id="only a town"),
        pytest.param({"address_1": ""}, None, id="a town and its postcode"),
        pytest.param({"address_1": "", "address_2": "Flat 2", "town": "", "postcode": ""}, None, id="the second line"),
        pytest.param({"name": "", "address_1": "", "town": ""}, "no name and no address", id="neither"),
    ],
)
def test_a_letter_needs_a_name_and_a_place(cells: dict[str, str], why: str | None) -> None:
    assert nowhere(address(**cells)) == why


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        pytest.param({}, [], id="whole"),
        pytest.param({"name": ""}, ["no name: no pack is made unless told"], id="nowhere"),
        pytest.param({"postcode": "SW1A1AA"}, [], id="no space in the postcode"),
        pytest.param({"postcode": "zz1 1ba"}, [], id="a postcode in lower case"),
        pytest.param({"postcode": ""}, ["no postcode"], id="no postcode"),
        pytest.param({"postcode": "", "country": ""}, ["no postcode"], id="no postcode, no country"),
        pytest.param({"postcode": "ZZ9 O1AA"}, ["'ZZ9 O1AA' is no postcode of GB"], id="letter O"),
        pytest.param({"postcode": "12345", "country": "JE"}, ["'12345' is no postcode of JE"], id="an island"),
        pytest.param({"postcode": "", "address_1": "15 Mill Lane, Aberwenog, ZZ9 7AA"}, [], id="all in one cell"),
        pytest.param({"postcode": "", "address_2": "BFPO 9999"}, [], id="BFPO"),
        pytest.param({"postcode": "BFPO 12"}, [], id="BFPO as postcode"),
        pytest.param({"postcode": "", "address_1": "No fixed abode"}, [], id="no fixed abode"),
        pytest.param({"postcode": "", "country": "IE"}, [], id="abroad without postcode"),
        pytest.param({"postcode": "X", "country": "Germany"}, [], id="a country nobody knows"),
        pytest.param({"name": "Si\ufffdn"}, [BROKEN], id="a replacement character"),
        pytest.param({"town": "CaernarfÃ´n"}, [BROKEN], id="read as Windows-1252 once"),
        pytest.param({"name": "Oâ\x80\x99Neill"}, [BROKEN], id="read as Latin-1 once"),
        pytest.param({"name": "Zoë Nguyễn-Łukasiewicz’s"}, [], id="letters that are right"),
        pytest.param(
            {"address_1": "Flat 2\n1 Harbour Street"},
            ["line breaks or tabs in name or address: printed as spaces"],
            id="a line break",
        ),
    ],
)
def test_what_looks_wrong_in_an_address_is_doubted(cells: dict[str, str], said: list[str]) -> None:
    assert list(doubts(address(**cells))) == said


def test_plain_letters_are_never_broken() -> None:
    assert not is_broken("1 Harbour Street")


@pytest.mark.parametrize("cell", ["Flat 2\r\n1 Harbour", "Flat 2 \t 1 Harbour", "Flat 2\u20281 Harbour"])
def test_line_breaks_and_tabs_are_printed_as_one_space(cell: str) -> None:
    assert on_one_line(cell) == "Flat 2 1 Harbour"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "GB"),
        ("gb", "GB"),
        ("UK", "GB"),
        (" united  kingdom ", "GB"),
        ("Cymru", "GB"),
        ("de", "DE"),
        ("Bavaria", None),
    ],
)
def test_a_country_is_its_code_or_a_name_of_home(written: str, code: str | None) -> None:
    assert read_country(written) == code


def test_there_are_as_many_countries_as_the_standard_has_and_one() -> None:
    assert len(CODES) == 250
