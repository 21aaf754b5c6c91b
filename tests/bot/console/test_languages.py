"""The console in each language of the poll: every page, no English left on a Welsh one; who is spoken to in which."""

import asyncio
import re
import string
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from typing import Any, Final

import httpx
import pytest
from babel.messages.pofile import read_po
from console_house import ConsoleHouse, Visitor
from prepared import HEADER, line

from bot.console import echoes, handbook, pages, tongues
from bot.console.refusals import said
from bot.console.speech import DOMAIN, Speech
from bot.console.visit import FormWrong
from bot.staff import languages
from bot.staff.roles import NotYourRole
from messages.words import texts
from messages.words.texts import templates

NOW: Final = datetime(2022, 8, 10, 12, tzinfo=UTC)
WELSH: Final = Speech("cy", NOW)
ENGLISH: Final = Speech("en-GB", NOW)
TEMPLATES: Final = pages.FOLDER / "templates"
ASKED: Final = re.compile(r"""\b(t|h|n)\(\s*(?:"([a-z_.]+)"(?: if [^"]* else "([a-z_.]+)")?)""")
SHORT: Final = 4  # letters: shorter words are both languages' own too often
ENGLISH_TOO: Final = handbook.ENGLISH_ALONE | {"words-for-members"}  # it has words to copy in both languages
PAGES: Final = (
    "/",
    "/cases",
    "/cases?state=settled",
    "/cases/1",
    "/cases/2",
    "/cases/3",
    "/notices",
    "/notices/new",
    "/notices/4/edit",
    "/notices/1",
    "/notices/2",
    "/notices/3",
    "/notices/4",
    "/notices/1/report",
    "/notices/2/progress",
    "/notices/3/words",
    "/members",
    "/members?q=000001",
    "/members/0000007",
    "/members/0000044",
    "/members/0000048",
    "/members/nobody",
    "/deliveries",
    "/deliveries?member_no=0000010",
    "/channels",
    "/channels?channel=sms&since=2022-07-01T00:00&until=2022-08-09T00:00",
    "/packs",
    "/window",
    "/imports",
    "/staff",
    "/chain",
    "/alarms",
    "/lists/unreachable",
    "/lists/without_pack",
    "/lists/overdue",
    "/lists/second_person",
    "/lists/reminder",
    *(f"/help/{name}" for name in handbook.PAGES if name not in ENGLISH_TOO),
)


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


class _Words(HTMLParser):
    """What a page says to its reader, text and spoken attributes; not another language, not somebody's own words."""

    SAID = ("aria-label", "title", "alt", "placeholder", "data-label", "data-live-words", "data-lost-words")
    EMPTY = frozenset({"meta", "link", "img", "input", "br", "source", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.parts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "html":
            self.language = named.get("lang") or ""
        ours = named.get("translate") != "no" and (tag == "html" or "lang" not in named)
        foreign = tag in {"code", "script"} or not ours
        self.parts += [str(named[name]) for name in self.SAID if named.get(name)]
        if tag not in self.EMPTY:
            self._open.append((tag, foreign))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.EMPTY:
            return
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(foreign for _, foreign in self._open):
            self.parts.append(data)


def read(page: str) -> _Words:
    words = _Words()
    words.feed(page)
    words.close()
    return words


def pieces(template: str) -> list[str]:
    """Give what a sentence says around its places, without tags."""
    return [re.sub(r"<[^>]+>", "", plain).strip(" .,:;()") for plain, _, _, _ in string.Formatter().parse(template)]


@cache
def forms(language: str) -> dict[str, list[str]]:
    path = texts.LOCALE_FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as file:
        found = {}
        for message in read_po(file):
            if message.id:
                key = message.id if isinstance(message.id, str) else message.id[0]
                found[key] = [message.string] if isinstance(message.string, str) else list(message.string or ())
        return found


@cache
def sought() -> dict[str, re.Pattern[str]]:
    """Give what no Welsh page may say: each English sentence between its places, unless a Welsh one has it too."""
    everywhere = " | ".join(piece for form in forms("cy").values() for template in form for piece in pieces(template))
    english = {piece for form in forms("en-GB").values() for template in form for piece in pieces(template)}
    asked = {piece for piece in english if len(piece) >= SHORT and piece not in everywhere}
    return {piece: re.compile(rf"(?<!\w){re.escape(piece)}(?!\w)") for piece in asked}


def english_left(page: str) -> list[str]:
    """Give the English of the console that stands on a page."""
    words = re.sub(r"(?<!\w)/[a-z_]+", "", " ".join(" ".join(read(page).parts).split()))  # commands of the chat
    return sorted(piece for piece, pattern in sought().items() if piece in words and pattern.search(words))


async def in_welsh(visitor: Visitor, page: str = "/console/") -> httpx.Response:
    return await visitor.does("/language", language="cy", again=page)


# -- every page --------------------------------------------------------------------------


async def test_no_english_is_left_on_any_welsh_page(town: ConsoleHouse) -> None:
    left: dict[str, Any] = {}
    async with town.visitor("Gwen") as gwen:
        await in_welsh(gwen)
        for path in PAGES:
            page = (await gwen.looks(path)).text
            if "<html" in page:
                assert read(page).language == "cy", path
            if found := english_left(page):
                left[path] = found
    assert left == {}


async def test_english_left_on_a_page_is_found(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as gwen:
        page = (await gwen.looks("/packs")).text
    assert read(page).language == "en-GB"
    assert {"Reported missing", "Replacements", "Log out"} <= set(english_left(page))


async def test_an_import_and_its_refusals_are_told_in_the_reader_s_language(town: ConsoleHouse) -> None:
    content = "\n".join((HEADER, line("9000001"), line("9000001"), line("9000002", joined="12 March"), ""))
    async with town.visitor("Gwen") as gwen, town.visitor("Huw") as huw:
        await in_welsh(gwen)
        pages_of = {}
        for name, data in (("roll.csv", content), ("bad.csv", "a,b\n1,2\n")):
            answer = await gwen.client.post(
                "/console/imports",
                data={"csrf": gwen.csrf, "kind": "roll"},
                files={"file": (name, data.encode(), "text/csv")},
            )
            assert answer.status_code == 303, answer.text
            path = answer.headers["Location"].removeprefix("/console")
            while 'hx-trigger="every 1s"' in (page := (await gwen.looks(path)).text):  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.05)
            pages_of[name] = page, (await huw.looks(path)).text
    for name, (welsh, english) in pages_of.items():
        columns = {"name", "language"} if name == "bad.csv" else set()  # it names the columns of a roll
        assert set(english_left(welsh)) <= columns, name
        assert read(english).language == "en-GB"
    assert "mae&#39;r member_no ar linell 2 yn barod" in pages_of["roll.csv"][0]
    assert "the member_no is already on line 2" in pages_of["roll.csv"][1]
    assert "Ni ellir darllen" in pages_of["bad.csv"][0]


@pytest.mark.parametrize(("language", "month"), [("en-GB", b"Aug"), ("cy", b"Awst")])
async def test_the_picture_names_its_days_in_the_reader_s_language(
    town: ConsoleHouse, language: str, month: bytes
) -> None:
    from bot.staff.turnout import turnout
    from bot.staff.turnout_drawing import console_svg

    async with town.database.reading() as connection:
        known = await turnout(connection, town.clock())
    drawn = console_svg(known, language, dark=False, small=False)
    assert b"<!-- " in drawn  # matplotlib writes each label's text before its outlines
    assert month in drawn


# -- whose language ----------------------------------------------------------------------


async def test_the_language_is_chosen_in_the_header_and_kept_with_the_person(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam:
        page = (await sam.looks("/members?q=000001")).text
        assert 'name="again" value="/console/members?q=000001"' in page
        assert '<button name="language" value="cy" lang="cy">Cymraeg</button>' in page
        answer = await in_welsh(sam, "/console/members?q=000001")
        assert answer.headers["Location"] == "/console/members?q=000001"
        assert "Aelodau" in (await sam.looks("/members?q=000001")).text
    async with town.visitor("Sam") as elsewhere:
        assert read((await elsewhere.looks("/")).text).language == "cy"
    async with town.visitor("Gwen") as gwen:
        assert read((await gwen.looks("/")).text).language == "en-GB"


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/console/", "/else", ""])
async def test_the_switch_leads_nowhere_else(town: ConsoleHouse, page: str) -> None:
    async with town.visitor("Sam") as sam:
        assert (await in_welsh(sam, page)).headers["Location"] == "/console/"


async def test_a_language_that_the_poll_does_not_speak_is_refused(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam:
        answer = await sam.does("/language", language="fr")
        assert (answer.status_code, "language is missing" in answer.text) == (409, True)
        assert languages.spoken(None) == ("en-GB", "cy")


async def test_before_login_the_browser_s_language_is_spoken_and_after_it_the_person_s(town: ConsoleHouse) -> None:
    asks = {"Accept-Language": "fr, cy;q=0.8, en;q=0.3"}
    async with town.visitor() as nobody:
        page = (await nobody.looks("/", headers=asks)).text
        assert (read(page).language, english_left(page)) == ("cy", [])
        assert read((await nobody.looks("/nowhere", headers=asks)).text).language == "cy"
        assert read((await nobody.looks(await town.link("Gwen"))).text).language == "en-GB"
        used = await nobody.does("/login/1.1.x", csrf="x")
        assert "or is too old" in used.text
    async with town.visitor("Gwen") as gwen:
        await in_welsh(gwen)
        out = await gwen.does("/logout")
        assert (read(out.text).language, "Rydych wedi allgofnodi." in out.text) == ("cy", True)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en-GB"),
        ("cy", "cy"),
        ("cy-GB,en;q=0.5", "cy"),
        ("en;q=0.5,cy;q=0.9", "cy"),
        ("de,fr;q=0.9", "en-GB"),
        ("cy;q=0,en", "en-GB"),
        ("cy;q=x,en;q=0.1", "en-GB"),
        ("*", "en-GB"),
        (",;,", "en-GB"),
    ],
)
def test_a_browser_s_wish_is_weighed(header: str, language: str) -> None:
    assert tongues.accepted(header) == language


# -- words -------------------------------------------------------------------------------


def asked_in_templates() -> set[tuple[str, str]]:
    found = set()
    for path in TEMPLATES.glob("*.html"):
        for how, *keys in ASKED.findall(path.read_text()):
            found |= {(how, key) for key in keys if key}
    return found


def test_every_text_a_template_asks_for_exists_and_tags_are_never_shown_as_text() -> None:
    english = forms("en-GB")
    for how, key in asked_in_templates():
        if key.endswith("."):
            continue  # put together
        assert key in english, key
        assert (len(english[key]) > 1) == (how == "n"), key
        assert how != "t" or "<" not in "".join(english[key]), key


def test_what_lower_floors_say_is_said_again_with_its_facts() -> None:
    sentence = "no SMS to this number: not mobile as one of FR; another country's number needs its +, a British one +44"
    assert echoes.echoed(sentence, ENGLISH) == sentence
    assert echoes.echoed(sentence, WELSH).startswith("dim neges destun i'r rhif hwn: nid ffôn symudol fel un o FR;")
    assert echoes.echoed("what nobody knows", WELSH) == "what nobody knows"


def test_every_echo_keeps_the_facts_of_its_sentence() -> None:
    for key, template in templates(DOMAIN, "en-GB").items():
        if key.startswith(echoes.PREFIX):
            names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
            sentence = template.format_map({name: f"«{name}»" for name in names})
            again = echoes.echoed(sentence, WELSH)
            assert all(f"«{name}»" in again for name in names), key


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (FormWrong(field="member_no"), "rhif aelod"),
        (NotYourRole(role="comms", roles="officer, support"), "swyddog, cefnogaeth"),
    ],
)
def test_what_a_refusal_names_is_named_in_the_reader_s_language(refusal: Any, words: str) -> None:
    assert words in said(refusal, WELSH)


@pytest.mark.parametrize(
    ("seconds", "english", "welsh"),
    [
        (10, "less than a minute", "llai na munud"),
        (600, "10 min", "10 mun"),
        (3 * 3600, "3 hours", "3 awr"),
        (7_500, "2 h 5 min", "2 awr 5 mun"),
        (6 * 86_400, "6 days", "6 diwrnod"),
    ],
)
def test_a_span_is_written_as_the_language_does(seconds: float, english: str, welsh: str) -> None:
    assert (ENGLISH.span(seconds), WELSH.span(seconds)) == (english, welsh)


def test_numbers_and_days_are_written_as_the_language_does() -> None:
    assert (WELSH.number(172_437), WELSH.number(None), WELSH.percent(1, 3)) == ("172,437", "–", "33.3 %")
    assert WELSH.day(NOW.date()) == "10 Awst 2022"
    assert WELSH.language_name("cy") == "Cymraeg"
    assert (WELSH.n("packs.issued", 2), WELSH.n("packs.issued", 3)) == (
        "<b>2 becyn wedi'u cyhoeddi</b>;",
        "<b>3 phecyn wedi'u cyhoeddi</b>;",
    )
