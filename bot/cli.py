"""`ballotline`: the command line's front door; each noun's commands live in bot/commands/.

0 on success, 1 on a refusal or fault (one plain sentence on standard error), 2 on wrong usage. Only the room that the
first word names is entered: `poll status` does not wait for the bot and its pictures to be loaded.
"""

import sys
from importlib import import_module
from typing import Final

import typer

from bot.commands.terminal import error_line
from voting.refusals import Fault, Refusal

ROOMS: Final = {
    "demo": "demo",
    "init": "polls",
    "keys": "polls",
    "poll": "polls",
    "window": "polls",
    "doctor": "doctor",
    "roll": "roll",
    "packs": "packs",
    "notice": "notices",
    "member": "members",
    "postal": "post",
    "cases": "cases",
    "staff": "staff",
    "privacy": "privacy",
    "run": "service",
    "count": "count",
    "verify": "count",
    "audit": "count",
    "rehearse": "count",
}


def build(word: str | None = None) -> typer.Typer:
    """Build the command line: of the room that `word` names, or the whole of it."""
    app = typer.Typer(
        name="ballotline",
        help="A members' ballot by post and online: notices, one vote each, locked for good, counted in the open.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        add_completion=False,
    )
    app.callback()(lambda: None)  # stays a group even if one room has one command
    rooms = [ROOMS[word]] if word in ROOMS else dict.fromkeys(ROOMS.values())
    for room in rooms:
        import_module(f"bot.commands.{room}").register(app)
    return app


def main() -> None:
    """Run one command; never a traceback for what a person can mend."""
    try:
        build(sys.argv[1] if len(sys.argv) > 1 else None)()
    except Refusal as refusal:
        error_line(str(refusal))
        sys.exit(1)
    except Fault as fault:
        error_line(f"Something of ours broke: {fault}")
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
