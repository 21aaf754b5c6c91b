"""`ballotline`: the command line's front door; each noun's commands live in bot/commands/.

0 on success, 1 on a refusal or fault (one plain sentence on standard error), 2 on wrong usage. A module of commands
holds their names, options and help; what a command runs is imported when it runs, so that `--help` answers at once.
"""

import sys
from collections.abc import Callable
from typing import Final

import typer

from bot.commands import (
    backup,
    ballot,
    cases,
    count,
    demo,
    doctor,
    head,
    keys,
    members,
    notices,
    packs,
    polls,
    post,
    privacy,
    roll,
    service,
    setup,
    staff,
    tally,
    template,
    trustee,
    verify,
)
from bot.commands.spoken import said, sentence, text
from bot.commands.terminal import error_line
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.refusals import Fault, Refusal

# In the order of the help.
NOUNS: Final = (
    demo,
    setup,
    polls,
    keys,
    trustee,
    doctor,
    roll,
    template,
    packs,
    notices,
    members,
    post,
    cases,
    staff,
    privacy,
    service,
    count,
    tally,
    ballot,
    verify,
    head,
    backup,
)


def build() -> typer.Typer:
    """Build the command line."""
    app = typer.Typer(
        name="ballotline",
        help="A members' ballot by post and online: notices, one vote each, locked for good, counted in the open.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        add_completion=False,
    )
    for noun in NOUNS:
        noun.register(app)
    return app


def main() -> None:
    """Run one command."""
    answer(build())


def answer(act: Callable[[], object]) -> None:
    """Do something for whoever typed it; never a traceback for what a person can mend."""
    try:
        act()
    except (Refusal, TrusteeRefusal, BallotRefusal) as refusal:
        error_line(sentence(refusal))
        sys.exit(1)
    except Fault as fault:
        error_line(text("commands", "fault", problem=said(str(fault))))
        sys.exit(1)
    except (OSError, UnicodeDecodeError) as problem:
        error_line(_plain(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _plain(problem: OSError | UnicodeDecodeError) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        named = f"{problem.filename}: " if problem.filename else ""
        return f"{named}{problem.strerror}."
    return f"{problem}."


if __name__ == "__main__":
    main()
