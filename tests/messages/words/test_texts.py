"""Every text exists in every language, names the same places, fits its channel, and is used."""

import ast
import html.parser
import importlib
import pkgutil
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

import bot
import messages
import voting
from messages.words import texts
from messages.words.dates import moment_text, on_day_text, window_text
from messages.words.extraction import PLURAL_LOOKUPS, TextCall, text_calls
from messages.words.keywords import Keyword, keyword_of
from messages.words.purposes import POINT_TO_BOT, fitting
from messages.words.refusal_words import refusal_text
from messages.words.sms_text import BODY_CHARACTERS_MAX, Encoding, encode_plan, plain
from voting.model import Phase
from voting.refusals import Fault, PollNotOpen, PollStillOpen, Refusal, WindowBackwards

ROOT = Path(__file__).parents[3]
LANGUAGES = texts.languages()
DOMAINS = ("commands", "console", "member", "notices", "page", "refusals", "staff", "words")

CHAT_CHARACTERS_MAX = 4096  # Telegram Bot API, sendMessage
BUTTON_CHARACTERS_MAX = 64
COMMAND_CHARACTERS_MAX = 256  # Telegram Bot API, BotCommand.description

# Keys put together while running, which no call names whole.
FAMILIES = {
    "commands": (
        *("check.", "detail.", "field.", "finding.", "key.", "level.", "problem.", "refusal.", "setting."),
        *("setup.", "stage.", "trustee_refusal.", "value.", "wrong."),
    ),
    "console": ("say.", "echo.", "lists."),
    "refusals": ("",),
    "words": (
        *("language.", "channel.", "button.", "command.", "phone.reason.", "pack.", "phase.", "date."),
        *("reason.", "ineligible.", "probe.", "act.", "missing."),
    ),
    "notices": ("chat.", "sms."),
    "member": (),
    "page": ("",),  # the page asks in JavaScript: tests/bot/page/test_page_words.py
    "staff": (),
}

# A pattern for a date takes whichever parts its language needs.
DATE_PARTS = {f"{end}{part}" for end in ("", "first_", "last_") for part in ("weekday", "day", "month", "year")} | {
    "hour",
    "hour_of_24",
    "minute",
    "joined",
    "time",
    "zone",
}


@cache
def catalogue(domain: str, language: str) -> dict[str, Message]:
    """Read a catalogue as a translator's tool would."""
    path = texts.LOCALE_FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as file:
        return {key(message): message for message in read_po(file, abort_invalid=True) if message.id}


def key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def sources() -> Iterator[Path]:
    for floor in ("bot", "messages"):
        yield from (ROOT / floor).rglob("*.py")


@cache
def calls() -> list[tuple[str, TextCall]]:
    return [(path.name, call) for path in sources() for call in text_calls(path.read_text())]


@cache
def literals() -> tuple[set[str], set[str]]:
    """Give the strings written in the code, and the beginnings of those put together there."""
    whole, beginnings = set(), set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    for path in (ROOT / "bot" / "console" / "templates").glob("*.html"):
        quoted = re.findall(r"[\"']([a-z_]+\.[a-z_]*)[\"']", path.read_text())
        whole |= set(quoted)
        beginnings |= {name for name in quoted if name.endswith(".")}
    return whole, {beginning for beginning in beginnings if "." in beginning}


every_catalogue = pytest.mark.parametrize(
    ("domain", "language"), [(domain, language) for domain in DOMAINS for language in LANGUAGES]
)
every_domain = pytest.mark.parametrize("domain", DOMAINS)


def test_we_speak_english_and_welsh_english_first() -> None:
    assert LANGUAGES == ("en-GB", "cy")


@every_domain
def test_every_language_has_every_text_of_english(domain: str) -> None:
    english = catalogue(domain, "en-GB").keys()
    for language in LANGUAGES:
        assert catalogue(domain, language).keys() == english


@every_catalogue
def test_no_text_is_empty_or_fuzzy_and_no_form_of_a_plural_is_missing(domain: str, language: str) -> None:
    for name, message in catalogue(domain, language).items():
        assert not message.fuzzy, name
        assert all(forms(message)), name
        expected = get_plural(language.replace("-", "_")).num_plurals if message.pluralizable else 1
        assert len(forms(message)) == expected, name


@every_catalogue
def test_every_text_is_a_template_that_can_be_filled(domain: str, language: str) -> None:
    for name, message in catalogue(domain, language).items():
        for form in forms(message):
            assert all(place.isidentifier() for place in places(form)), name


@every_catalogue
def test_every_language_and_form_names_the_same_places(domain: str, language: str) -> None:
    english = catalogue(domain, "en-GB")
    for name, message in catalogue(domain, language).items():
        named = [places(form) for form in forms(message)]
        if name.startswith("date."):
            assert set().union(*named) <= DATE_PARTS, name
            continue
        # a form for one may say "one" instead of {n}
        wanted = {frozenset(places(form) - {"n"}) for form in forms(english[name])}
        assert {frozenset(form - {"n"}) for form in named} == wanted, name


def test_every_text_the_code_asks_for_exists_with_every_place_filled() -> None:
    for module, call in calls():
        for language in LANGUAGES:
            message = catalogue(call.domain, language).get(call.key)
            assert message is not None, f"{module}:{call.line} {call.domain} {call.key} ({language})"
            assert message.pluralizable == (call.function in PLURAL_LOOKUPS), f"{module}:{call.line}"
            if call.params is not None and not call.key.startswith("date."):
                missing = set().union(*map(places, forms(message))) - call.params - {"n"}
                assert not missing, f"{module}:{call.line} {call.key} {missing}"


@every_domain
def test_no_text_is_left_over(domain: str) -> None:
    whole, beginnings = literals()
    known = (*FAMILIES[domain], *beginnings)
    unused = {name for name in catalogue(domain, "en-GB") if name not in whole and not name.startswith(known)}
    assert not unused


def test_every_refusal_has_its_text_and_names_only_facts_it_is_raised_with() -> None:
    def tree(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    for floor in (voting, messages, bot):
        for found in pkgutil.walk_packages(floor.__path__, f"{floor.__name__}."):
            if not found.name.startswith("voting.migrations"):
                importlib.import_module(found.name)
    refusals = {kind.key: kind for kind in tree(Refusal)}
    for language in LANGUAGES:
        written = catalogue("refusals", language)
        assert written.keys() == refusals.keys()
        for name, kind in refusals.items():
            assert places(str(written[name].string)) <= places(kind.__doc__ or ""), name


# ---- channels


class _Tags(html.parser.HTMLParser):
    """Telegram's tags, each closed in order (Bot API, "HTML style")."""

    ALLOWED = frozenset({"b", "i", "u", "s", "code", "pre", "blockquote", "a", "tg-spoiler"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen = 0

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        assert tag in self.ALLOWED
        self.open.append(tag)
        self.seen += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags_in(template: str) -> int:
    parser = _Tags()
    parser.feed(template)
    parser.close()
    assert not parser.open
    return parser.seen


@every_catalogue
def test_markup_is_telegrams_and_every_ampersand_in_it_is_written_out(domain: str, language: str) -> None:
    for name, message in catalogue(domain, language).items():
        for form in forms(message):
            if tags_in(form):
                assert not re.search(r"&(?!lt;|gt;|amp;|quot;)", form), name


def test_text_with_markup_is_only_asked_for_as_html() -> None:
    for module, call in calls():
        marked = any(tags_in(form) for form in forms(catalogue(call.domain, "en-GB")[call.key]))
        assert not marked or call.function.startswith("html_"), f"{module}:{call.line}"


@every_catalogue
def test_a_text_fits_its_channel(domain: str, language: str) -> None:
    for name, message in catalogue(domain, language).items():
        longest = max(map(len, forms(message)))
        assert longest <= CHAT_CHARACTERS_MAX - 1000, f"{name}: leave room for its facts"
        if ".button" in name or name.startswith("button"):
            assert longest <= BUTTON_CHARACTERS_MAX, name
        if name.startswith("command."):
            assert longest <= COMMAND_CHARACTERS_MAX, name


def realistic(language: str) -> dict[str, str | int]:
    """Give the facts of a real ballot, in the words of a language."""
    rules = {
        "en-GB": "It is an offence to vote more than once. Only the first vote received is counted.",
        "cy": "Mae'n drosedd pleidleisio fwy nag unwaith. Dim ond y bleidlais gyntaf a gaiff ei chyfrif.",
    }
    return {
        "title": "Leadership ballot 2022",
        "window": window_text(date(2022, 8, 1), date(2022, 8, 10), language),
        "old_window": window_text(date(2022, 8, 1), date(2022, 8, 5), language),
        "closes": moment_text(datetime(2022, 9, 2, 16, tzinfo=UTC), "Europe/London", language),
        "day": on_day_text(date(2022, 8, 3), language),
        "rule": rules[language],
        "bot_url": "https://t.me/ballotline_bot",
        "online_url": "https://vote.society.example/vote",
        "page_url": "https://vote.society.example/vote",
        "url": "https://t.me/ballotline_bot?start=sms",
        "contact": "020 7946 0000",
        "contacts": "https://t.me/ballotline_bot, 020 7946 0000",
        "code": "482913",
        "minutes": 10,
    }


SMS_KEYS = [name for name in catalogue("notices", "en-GB") if name.startswith("sms.")]
NOTICE_KINDS = ("pack_delayed", "window_changed", "rule_changed", "reminder", "closing_soon")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SMS_KEYS)
def test_a_text_message_is_short_and_made_plain_needs_no_dear_alphabet(name: str, language: str) -> None:
    """Welsh as well: where a circumflex can be avoided by another word, it is."""
    sms = encode_plan(plain(texts.text("notices", name, language, **realistic(language))))
    assert sms.characters <= BODY_CHARACTERS_MAX
    assert sms.encoding is Encoding.GSM_7
    assert sms.segments <= 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NOTICE_KINDS)
def test_a_notice_has_words_for_both_channels(kind: str, language: str) -> None:
    chat = texts.html_text("notices", f"chat.{kind}", language, **realistic(language))
    sms = texts.text("notices", f"sms.{kind}", language, **realistic(language))
    assert "Leadership ballot 2022" in chat
    assert "Leadership ballot 2022" in sms


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(POINT_TO_BOT))
def test_without_a_bot_no_text_points_to_one(name: str, language: str) -> None:
    """Telegram may be switched off: then nothing dangles at the end."""
    facts = realistic(language) | {"bot_url": "", "online_url": "", "page_url": ""}
    with_bot, without = (texts.text("notices", key, language, **facts) for key in (name, fitting(name, facts)))

    assert with_bot.endswith(" ")
    assert without
    assert without[-1] in '."'
    assert with_bot.startswith(without)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_changed_window_is_one_segment_with_the_way_out(language: str) -> None:
    facts = realistic(language)
    body = texts.text("notices", "sms.window_changed", language, **facts)
    way_out = texts.text("notices", "sms.opt_out", language)
    assert encode_plan(plain(f"{body} {way_out}")).segments == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_keywords_our_texts_name_are_keywords(language: str) -> None:
    for name, keyword in [
        ("sms.opt_out", Keyword.STOP),
        ("sms.stop_confirmed", Keyword.START),
        ("sms.start_confirmed", Keyword.STOP),
    ]:
        body = texts.text("notices", name, language, title="x")
        assert keyword in {keyword_of(word) for word in re.findall(r"[A-Z]{4,}", body)}


# ---- looking up


@pytest.mark.parametrize(
    ("requested", "found"),
    [
        pytest.param("en-GB", "en-GB", id="exact"),
        pytest.param("cy", "cy", id="exact Welsh"),
        pytest.param("en", "en-GB", id="Telegram's language code"),
        pytest.param("cy-GB", "cy", id="a region we do not tell apart"),
        pytest.param("cy_GB", "cy", id="an underscore"),
        pytest.param("EN-us", "en-GB", id="another region, another case"),
        pytest.param(" cy ", "cy", id="spaces"),
        pytest.param("cym", "en-GB", id="only looks alike"),
        pytest.param("klingon", "en-GB", id="a language we do not have"),
        pytest.param("", "en-GB", id="empty"),
        pytest.param(None, "en-GB", id="unknown"),
    ],
)
def test_a_requested_language_is_fitted_to_one_we_have(requested: str | None, found: str) -> None:
    assert texts.fit_language(requested) == found


def test_a_language_the_poll_does_not_offer_gives_the_default() -> None:
    assert texts.fit_language("cy", allowed=("en-GB",)) == "en-GB"
    assert texts.fit_language("en", allowed=("cy",), default="cy") == "cy"


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        pytest.param(lambda: texts.text("words", "no.such", "cy"), "no.such", id="key"),
        pytest.param(lambda: texts.plural("words", "no.such", "cy", 2), "no.such", id="plural"),
        pytest.param(lambda: texts.text("nothing", "x", "cy"), "nothing", id="domain"),
        pytest.param(lambda: texts.text("words", "button.yes", "kl"), "kl", id="language"),
        pytest.param(lambda: texts.text("notices", "sms.opt_out_one_way", "cy"), "url", id="place"),
    ],
)
def test_what_is_missing_is_a_fault_that_names_it_never_a_bare_key(ask: Callable[[], str], named: str) -> None:
    with pytest.raises(texts.MissingText, match=named) as caught:
        ask()
    assert isinstance(caught.value, Fault)
    assert isinstance(caught.value, KeyError)


def test_a_parameter_cannot_bring_markup_into_the_chat_nor_a_place_into_the_text() -> None:
    said = texts.html_text("notices", "chat.rule_changed", "en-GB", title="A & B", rule="<b>{title}</b>")
    assert "A &amp; B" in said
    assert "&lt;b&gt;{title}&lt;/b&gt;" in said


@pytest.fixture
def third_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Scottish Gaelic, added as a folder; nothing else changes."""
    folder = tmp_path / "locale"
    shutil.copytree(texts.LOCALE_FOLDER, folder)
    catalogues = folder / "gd" / "LC_MESSAGES"
    catalogues.mkdir(parents=True)
    (catalogues / "words.po").write_text(
        'msgid ""\nmsgstr ""\n"Language: gd\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "button.yes"\nmsgstr "Tha"\n\n'
        'msgid "button.no"\nmsgstr ""\n\n'
        '#, fuzzy\nmsgid "button.back"\nmsgstr "Air ais"\n\n'
        'msgid "days"\nmsgid_plural "days"\nmsgstr[0] "{n} <b>latha</b> {of}"\nmsgstr[1] "{n} làithean {of}"\n'
    )
    monkeypatch.setattr(texts, "LOCALE_FOLDER", folder)
    texts.languages.cache_clear()
    texts._catalogue.cache_clear()
    yield "gd"
    texts.languages.cache_clear()
    texts._catalogue.cache_clear()


def test_a_language_is_added_by_adding_a_folder(third_language: str) -> None:
    assert texts.languages() == ("en-GB", "cy", "gd")
    assert texts.fit_language("gd-GB") == "gd"
    assert texts.text("words", "button.yes", third_language) == "Tha"


def test_the_number_chooses_the_form_and_only_parameters_are_escaped(third_language: str) -> None:
    assert texts.plural("words", "days", third_language, 3, of="<x>") == "3 làithean <x>"
    assert texts.html_plural("words", "days", third_language, 1, of="<x>") == "1 <b>latha</b> &lt;x&gt;"


@pytest.mark.parametrize("name", ["button.no", "button.back"], ids=["empty", "fuzzy"])
def test_an_empty_or_fuzzy_text_counts_as_missing(third_language: str, name: str) -> None:
    with pytest.raises(texts.MissingText, match=name):
        texts.text("words", name, third_language)


# ---- refusals in words


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-GB", "It opens at noon on Wednesday 3 August 2022 (BST) and closes at 5:00 pm on Friday"),
        ("cy", "Mae'n agor am hanner dydd ddydd Mercher 3 Awst 2022 (BST) ac yn cau am 5:00pm ddydd Gwener"),
    ],
)
def test_a_refusal_says_its_instants_as_a_person_does(language: str, said: str) -> None:
    refusal = PollNotOpen(opens_at=datetime(2022, 8, 3, 11, tzinfo=UTC), closes_at=datetime(2022, 9, 2, 16, tzinfo=UTC))
    assert said in refusal_text(refusal, language, "Europe/London")


def test_a_refusal_says_its_days_as_a_person_does() -> None:
    refusal = WindowBackwards(first_day=date(2022, 8, 10), last_day=date(2022, 8, 1))
    assert "(it was 10 August 2022 to 1 August 2022)" in refusal_text(refusal, "en-GB", "Europe/London")


def test_a_refusal_says_the_phase_of_the_poll_in_the_readers_language() -> None:
    refusal = PollStillOpen(phase=Phase.OPEN)
    assert refusal_text(refusal, "cy", "Europe/London") == "Mae'r bleidlais ar agor o hyd. Rhaid ei chau yn gyntaf."


def test_every_phase_has_its_word() -> None:
    assert all(texts.text("words", f"phase.{phase}", language) for phase in Phase for language in LANGUAGES)


# ---- translators' tools


def test_pybabel_extracts_a_domain_from_the_code_and_from_english(tmp_path: Path) -> None:
    """What a translator of a third language starts from holds every key and the English sentence."""
    template = tmp_path / "words.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "babel.cfg"]
    subprocess.run([*command, "-k", "words", "-o", str(template), "."], cwd=ROOT, check=True, timeout=60)
    with template.open("rb") as file:
        extracted = {key(message): message for message in read_po(file) if message.id}
    assert extracted.keys() == catalogue("words", "en-GB").keys()
    assert "English: Not now" in extracted["button.not_now"].auto_comments
