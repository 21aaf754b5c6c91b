"""One question at a time in a terminal: shown or unseen, asked again a bounded number of times."""

from collections.abc import Callable
from typing import Final, TypeVar

import typer

from bot.commands.findings import found_mark
from bot.commands.spoken import said, sentence
from bot.commands.terminal import OUT
from voting.refusals import Refusal, StaffRefusal

Answer = TypeVar("Answer")

TRIES_MAX: Final = 5


class GivenUp(StaffRefusal):
    """Stopped after {tries} tries: {what}. What was answered before is kept; run `ballotline setup` again."""


def ask(question: str, standard: str = "") -> str:
    """Ask for one line; an empty one is the standard, which is shown."""
    return str(typer.prompt(question, default=standard, show_default=bool(standard))).strip()


def ask_unseen(question: str) -> str:
    """Ask for a secret: it is not shown, now or later."""
    return str(typer.prompt(question, default="", show_default=False, hide_input=True)).strip()


def until_taken(what: str, attempt: Callable[[], Answer | None]) -> Answer:
    """Try until it gives an answer; a refusal is said and asked about again. GivenUp."""
    for _ in range(TRIES_MAX):
        try:
            answer = attempt()
        except (Refusal, ValueError) as wrong:
            say_no(sentence(wrong) if isinstance(wrong, Refusal) else said(str(wrong)))
            continue
        if answer is not None:
            return answer
    raise GivenUp(tries=TRIES_MAX, what=what)


def say_ok(words: str) -> None:
    """Say what came of an answer that is taken."""
    OUT.print(f"{found_mark(ok=True)} {words}", markup=True)


def say_no(words: str) -> None:
    """Say why an answer is not taken."""
    OUT.print(found_mark(ok=False), end=" ")
    OUT.print(words, markup=False)


def say_off(words: str) -> None:
    """Say what stays off or untried."""
    OUT.print(found_mark(ok=None), end=" ")
    OUT.print(words, markup=False)
