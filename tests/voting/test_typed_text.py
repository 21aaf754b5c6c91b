"""Text that people type: what the filter leaves can be quoted everywhere, and what looks alike is found."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voting import typed_text
from voting.typed_text import first_alike, is_known, lines, looks_like, one_line

TYPED = st.text(st.characters(exclude_categories=()), max_size=40)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        pytest.param("  Ann  Lee\t", "Ann Lee", id="spaces"),
        pytest.param("Ann\u00a0\u2003\u3000Lee", "Ann Lee", id="wide spaces"),
        pytest.param("one\r\ntwo\u2028three", "one two three", id="line breaks"),
        pytest.param("Zoe\u0308", "Zoë", id="accent by itself"),
        pytest.param("A\u200bn\u200dn\ufeff\u2060", "Ann", id="zero width"),
        pytest.param("\u202eAnn\u202c\u2066\u200f", "Ann", id="marks of direction"),
        pytest.param("An\u00adn", "Ann", id="soft hyphen"),
        pytest.param("A\x00n\x07n\x7f\x9f", "Ann", id="control characters"),
        pytest.param("Ann\ud800\ue000\U000e0041\uffff", "Ann", id="half, private, a tag, no character"),
        pytest.param("Ann\u3164\u115f\uffa0\u2800\ufe0f\u034f", "Ann", id="letters that show nothing"),
        pytest.param("Ann\u0378\U0001f9fc", "Ann\U0001f9fc", id="unassigned, and an emoji"),
        pytest.param("\U00031350\ua9a4", "", id="letters newer than what every Python knows"),
        pytest.param(
            "Ŵyn Ẁŷ ẞ ₤ € ‘a’ – Ελλάδα Москва 東京 العربية",
            "Ŵyn Ẁŷ ẞ ₤ € ‘a’ – Ελλάδα Москва 東京 العربية",
            id="left alone",
        ),
        pytest.param("", "", id="nothing"),
        pytest.param("\u200b \u00ad", "", id="nothing seen"),
    ],
)
def test_what_nobody_sees_is_taken_out(typed: str, kept: str) -> None:
    assert one_line(typed) == kept


@given(TYPED)
@example("a\u200b\u0301")
@example("\u1100\u034f\u1161")
def test_what_is_left_can_be_quoted_and_is_left_again(typed: str) -> None:
    kept = one_line(typed)

    assert kept.isprintable()
    assert unicodedata.is_normalized("NFC", kept)
    assert all(map(is_known, kept))
    assert kept.encode().decode() == kept
    assert one_line(kept) == kept
    assert lines(kept) == kept


@given(TYPED)
def test_lines_stay_lines(typed: str) -> None:
    kept = lines(typed)

    assert kept.split("\n") == ([one_line(line) for line in kept.split("\n")])
    assert lines(kept) == kept
    assert "\n\n\n" not in kept


def test_a_text_keeps_its_paragraphs() -> None:
    assert lines("\n Dear  member,\r\n\r\n\n\nvote\u200b soon.\n") == "Dear member,\n\nvote soon."


def test_the_ranges_named_are_wholly_assigned() -> None:
    """So they are on every Python since this one's version of Unicode."""
    for first, last in typed_text._SINCE:
        assert [hex(code) for code in range(first, last + 1) if unicodedata.category(chr(code)) == "Cn"] == []


def test_each_look_alike_passes_the_filter_and_stands_once() -> None:
    twins = [twin for group in typed_text._LOOK_ALIKES.values() for twin in group]

    assert [twin for twin in twins if not is_known(twin)] == []
    assert len(twins) == len(set(twins))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Zoë", "Zoe\u0308", id="composed and not"),
        pytest.param("North Quay", "North  Quay", id="doubled space"),
        pytest.param("North Quay", "North\u00a0Quay", id="space that does not break"),
        pytest.param("North", "Ｎｏｒｔｈ", id="full width"),
        pytest.param("North", "NORTH", id="capitals"),
        pytest.param("North", "N\u043erth", id="Cyrillic o"),
        pytest.param("BOB", "\u0412\u041e\u0412", id="Cyrillic capitals"),
        pytest.param("Bob", "\u0412\u041e\u0412", id="Cyrillic capitals and other case"),
        pytest.param("North", "\u039drth".replace("\u039d", "\u039do"), id="Greek capital N"),
        pytest.param("van", "\u03bd\u03b1n", id="Greek small letters"),
        pytest.param("\u023a", "\u2c65", id="a capital whose small letter came later"),
        pytest.param("Ian", "lan", id="capital I and small l"),
        pytest.param("Plan 1", "Plan l", id="one and l"),
        pytest.param("Option 0", "Option O", id="nought and O"),
        pytest.param("Gwen", "Gw\u200ben", id="zero-width space"),
        pytest.param("Gwen", "\u202dGwen", id="mark of direction"),
        pytest.param("O'Neil", "O’Neil", id="apostrophes"),
        pytest.param("Lee-Ann", "Lee–Ann", id="dashes"),
        pytest.param("office", "oﬃce", id="ligature"),
        pytest.param("straße", "STRASSE", id="sharp s"),
        pytest.param("ΣΊΣΥΦΟΣ", "σίσυφος", id="Greek, other case"),
        pytest.param("МОСКВА", "Москва", id="Cyrillic, other case"),
    ],
)
def test_what_looks_alike_is_one(one: str, other: str) -> None:
    assert looks_like(one, other)
    assert looks_like(other, one)
    assert first_alike(["Yes", one, "No", other]) == (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ian", "Lan"),
        ("Zoe", "Zoë"),
        ("Gwen", "Gwen 2"),
        ("North Quay", "NorthQuay"),
        ("Ŵyn", "Wyn"),
        ("За", "Против"),
        ("Για", "Κατά"),
        ("Option 1", "Option 2"),
    ],
)
def test_what_can_be_told_apart_is_two(one: str, other: str) -> None:
    assert not looks_like(one, other)
    assert first_alike([one, other]) is None


@given(TYPED)
def test_everything_looks_like_itself_filtered(typed: str) -> None:
    assert looks_like(typed, one_line(typed))
