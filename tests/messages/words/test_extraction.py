"""What translators are given: every look-up that is written in the code, every key of the English catalogue."""

from io import BytesIO
from pathlib import Path

import pytest

from messages.words.extraction import TextCall, from_code, from_english, text_calls

CALLS = [
    pytest.param('text("member", "hello", language)', ("text", frozenset()), id="by its name"),
    pytest.param('texts.text("member", "hello", language)', ("text", frozenset()), id="from its module"),
    pytest.param('html_text("member", "hello", "cy", name=n)', ("html_text", frozenset({"name"})), id="with a place"),
    pytest.param('plural("member", "hello", "cy", 3, of=n)', ("plural", frozenset({"of"})), id="a plural"),
    pytest.param('a.b.html_plural("member", "hello", "cy", 3)', ("html_plural", frozenset()), id="deep in a name"),
    pytest.param('text("member", "hello", "cy", **facts)', ("text", None), id="places that are hidden"),
    pytest.param('text("member", "hello", "cy", a=1, **facts)', ("text", None), id="places that are half hidden"),
    pytest.param('say(text("member", "hello", "cy"))', ("text", frozenset()), id="inside another call"),
    pytest.param('x = [text("member", "hello", t) for t in ts]', ("text", frozenset()), id="in a loop"),
]


@pytest.mark.parametrize(("source", "found"), CALLS)
def test_a_look_up_is_found_however_it_is_written(source: str, found: tuple[str, frozenset[str] | None]) -> None:
    function, params = found
    assert list(text_calls(f"\n{source}")) == [TextCall(2, function, "member", "hello", params)]


NO_CALLS = {
    "a key put together while running": 'text("member", f"status.{state}", language)',
    "a key in a variable": 'text("member", key, language)',
    "a domain in a variable": 'text(DOMAIN, "hello", language)',
    "another function": 'sms_text("member", "hello")',
    "a call of what a call gave": 'make()("member", "hello")',
    "too few words": 'text("member")',
    "a name and no call": "text = 'member', 'hello'",
}


@pytest.mark.parametrize("source", NO_CALLS.values(), ids=NO_CALLS.keys())
def test_what_is_not_written_out_is_no_key(source: str) -> None:
    """Those keys come from the English catalogue."""
    assert list(text_calls(source)) == []


def test_the_code_gives_the_keys_of_the_domains_asked_for() -> None:
    source = BytesIO(b'text("member", "one", "cy")\ntext("staff", "two", "cy")\nplural("member", "three", "cy", 3)\n')

    assert list(from_code(source, ["member"], [], {})) == [
        (1, "gettext", "one", []),
        (3, "ngettext", ("three", "three"), []),
    ]


def test_code_in_another_alphabet_is_read() -> None:
    assert [found[2] for found in from_code(BytesIO('text("a", "tŷ", "cy")'.encode()), ["a"], [], {})] == ["tŷ"]


@pytest.fixture
def english(tmp_path: Path) -> Path:
    path = tmp_path / "member.po"
    path.write_text(
        'msgid ""\nmsgstr ""\n"Language: en_GB\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        '#. Said once.\nmsgid "hello"\nmsgstr "Good day"\n\n'
        'msgid "days"\nmsgid_plural "days"\nmsgstr[0] "{n} day"\nmsgstr[1] "{n} days"\n',
        encoding="utf-8",
    )
    return path


def test_the_english_catalogue_gives_its_keys_with_their_sentences(english: Path) -> None:
    with english.open("rb") as file:
        found = list(from_english(file, ["member"], [], {}))

    assert [entry[1:] for entry in found] == [
        ("gettext", "hello", ["Said once.", "English: Good day"]),
        ("ngettext", ("days", "days"), ["English: {n} day", "English: {n} days"]),
    ]
    assert [line for line, *_ in found] == sorted(line for line, *_ in found)


@pytest.mark.parametrize("domains", [["staff"], []], ids=["another", "none"])
def test_a_catalogue_of_a_domain_nobody_asked_for_gives_nothing(english: Path, domains: list[str]) -> None:
    with english.open("rb") as file:
        assert list(from_english(file, domains, [], {})) == []


def test_a_catalogue_without_a_name_gives_nothing(english: Path) -> None:
    """Its domain is the name of its file."""
    assert list(from_english(BytesIO(english.read_bytes()), ["member"], [], {})) == []
