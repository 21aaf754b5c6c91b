"""The handbook: a page for each role, whose commands and links are those that there are."""

import re
from pathlib import Path

import pytest
import typer
from click import Group

from bot.cli import build
from bot.member_chat import handlers as members
from bot.staff.roles import Role
from bot.staff_chat import handlers as staff

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted((DOCS / "handbook").glob("*.md"))
CHECKED = [
    *PAGES,
    *(DOCS / f"{name}.md" for name in ("on-the-day", "retention", "dpia", "incident", "words-for-members")),
]
WORDS_MAX = 450  # a page is read in two minutes
OTHERS = {"members-helper", "operator", "trustee", "auditor"}


def commands() -> set[str]:
    found = set()
    for name, command in typer.main.get_command(build()).commands.items():  # type: ignore[attr-defined]
        found |= {f"{name} {part}" for part in command.commands} if isinstance(command, Group) else {name}
    return found


def chat_commands() -> set[str]:
    return {"start", *members.COMMANDS, *staff.COMMANDS}


@pytest.mark.parametrize("page", CHECKED, ids=lambda page: page.name)
def test_every_command_and_link_of_a_page_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = commands()
    named = re.findall(r"`ballotline ([a-z][a-z ]*[a-z])", text)

    assert [words for words in named if not any(f"{words} ".startswith(f"{name} ") for name in known)] == []
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).resolve().is_file()] == []
    files = re.findall(r"`(deploy/[\w./-]+)`", text)
    assert [file for file in files if not (DOCS.parent / file).is_file()] == []


def test_every_role_has_its_page_and_each_is_short() -> None:
    names = {page.stem for page in PAGES}
    index = (DOCS / "handbook" / "README.md").read_text(encoding="utf-8")

    assert {str(role) for role in Role} | OTHERS == names - {"README"}
    assert [page.name for page in PAGES if page.stem != "README" and f"({page.name})" not in index] == []
    assert [page.name for page in PAGES if len(page.read_text(encoding="utf-8").split()) > WORDS_MAX] == []


def test_every_word_with_a_slash_is_a_command_of_the_chat() -> None:
    named = {
        word for page in PAGES for word in re.findall(r"(?<![\w./`)])/([a-z_]+)", page.read_text(encoding="utf-8"))
    }

    assert {"vote", "verify", "broadcast", "cases"} <= named
    assert named - chat_commands() == set()
