"""The handbook: a page for each role, whose commands and links are those that there are, in every language alike."""

import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import pytest
import typer
from click import Group
from markdown_it import MarkdownIt

from bot.cli import build
from bot.console import handbook
from bot.member_chat import handlers as members
from bot.staff.roles import Role
from bot.staff_chat import handlers as staff
from messages.words.texts import DEFAULT_LANGUAGE, languages, templates

ROOT = Path(__file__).parent.parent
DOCS = handbook.DOCS
OURS = [language for language in languages() if language != DEFAULT_LANGUAGE]
BESIDE = ("on-the-day", "retention", "dpia", "incident", "words-for-members")
BOTH = sorted(set(handbook.PAGES) - handbook.ENGLISH_ALONE)
PAGES = sorted(path for language in languages() for path in (handbook.folder(language) / "handbook").glob("*.md"))
CHECKED = [*PAGES, *(handbook.file(name, language) for language in languages() for name in BESIDE)]
WORDS_MAX = 450  # a page is read in two minutes
OTHERS = {"members-helper", "operator", "trustee", "auditor"}


def commands() -> set[str]:
    found = set()
    for name, command in typer.main.get_command(build()).commands.items():  # type: ignore[attr-defined]
        found |= {f"{name} {part}" for part in command.commands} if isinstance(command, Group) else {name}
    return found


def chat_commands() -> set[str]:
    return {"start", *members.COMMANDS, *staff.COMMANDS}


@pytest.mark.parametrize("page", CHECKED, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_command_and_link_of_a_page_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = commands()
    named = re.findall(r"`ballotline ([a-z][a-z ]*[a-z])", text)

    assert [words for words in named if not any(f"{words} ".startswith(f"{name} ") for name in known)] == []
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).resolve().is_file()] == []
    files = re.findall(r"`(deploy/[\w./-]+)`", text)
    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("language", languages())
def test_every_role_has_its_page_and_each_is_short(language: str) -> None:
    pages = sorted((handbook.folder(language) / "handbook").glob("*.md"))
    index = (handbook.folder(language) / "handbook" / "README.md").read_text(encoding="utf-8")

    assert {str(role) for role in Role} | OTHERS == {page.stem for page in pages} - {"README"}
    assert [page.name for page in pages if page.stem != "README" and f"({page.name})" not in index] == []
    assert [page.name for page in pages if len(page.read_text(encoding="utf-8").split()) > WORDS_MAX] == []


def test_every_word_with_a_slash_is_a_command_of_the_chat() -> None:
    named = {
        word for page in PAGES for word in re.findall(r"(?<![\w./`)])/([a-z_]+)", page.read_text(encoding="utf-8"))
    }

    assert {"vote", "verify", "broadcast", "cases"} <= named
    assert named - chat_commands() == set()


@dataclass(frozen=True)
class Said:
    """What a page has that must not depend on its language."""

    shape: list[tuple[str, str]]
    links: list[str]
    pictures: list[str]
    commands: list[str]
    chat: list[str]
    figures: list[str]


def said(path: Path) -> Said:
    text = path.read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    code = [re.sub(r"(?<![\w-])[A-ZÔ][A-ZÔ-]{2,}(?![\w-])", "WORD", found) for found in re.findall(r"`([^`]+)`", text)]
    plain = re.sub(r"\]\([^)]*\)|\[[^\]]*\]|`[^`]*`", " ", text)
    return Said(
        shape=[(token.type, token.tag) for token in tokens if token.type.endswith("_open")],
        links=sorted(link.rpartition("/")[2] for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", text)),
        pictures=re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text),
        commands=sorted(code),
        chat=sorted(re.findall(r"(?<![\w./`])/[a-z_]+", plain)),
        figures=sorted(re.findall(r"(?<![\w-])\d+", plain)),
    )


@pytest.mark.parametrize("language", OURS)
@pytest.mark.parametrize("name", BOTH)
def test_a_page_says_the_same_in_every_language(name: str, language: str) -> None:
    english, other = said(handbook.file(name, DEFAULT_LANGUAGE)), said(handbook.file(name, language))

    for field in fields(Said):
        assert getattr(other, field.name) == getattr(english, field.name), field.name


def labels(name: str, language: str) -> list[str]:
    """What a page prints in bold, and its headings, in their order."""
    text = handbook.file(name, language).read_text(encoding="utf-8")
    found = re.findall(r"\*\*([^*]+)\*\*|^#+ (.+)$", text, re.MULTILINE)
    return [" ".join((bold or heading).split()) for bold, heading in found]


@cache
def on_the_screen(language: str) -> dict[str, set[str]]:
    """What the console says in English, and what it says there in a language."""
    found: dict[str, set[str]] = {}
    for domain in ("console", "page"):
        there = templates(domain, language)
        for key, english in templates(domain, DEFAULT_LANGUAGE).items():
            found.setdefault(english, set()).add(there[key])
    return found


@pytest.mark.parametrize("language", OURS)
def test_buttons_and_pages_are_called_in_the_handbook_what_they_are_called_on_the_screen(language: str) -> None:
    named = []
    for name in BOTH:
        english, other = labels(name, DEFAULT_LANGUAGE), labels(name, language)
        assert len(english) == len(other), name
        for label, there in zip(english, other, strict=True):
            if label in on_the_screen(language):
                named.append(label)
                assert there in on_the_screen(language)[label], (name, label)
    assert {"Acknowledge", "Offer for approval", "Let texts go again", "Staff and duty", "Deliveries"} <= set(named)


@pytest.mark.parametrize("language", OURS)
def test_the_words_to_copy_are_the_same_on_each_language_s_page(language: str) -> None:
    def to_copy(language: str) -> list[str]:
        text = handbook.file("words-for-members", language).read_text(encoding="utf-8")
        return [part.partition("\n")[2].partition("\n## ")[0].strip() for part in text.split("\n### ")[1:]]

    assert len(to_copy(language)) == 6
    assert to_copy(language) == to_copy(DEFAULT_LANGUAGE)
