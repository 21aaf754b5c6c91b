"""What a backup leaves out of our tables, and what there is to do after a restore."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bot.commands.spoken import text
from bot.member.code_desk import HELD, HELD_PACK
from bot.schema import chat, inbox
from voting.backup.restoring import Restored
from voting.backup.withheld import Withheld, nothing


def _without_held(facts: dict[str, Any]) -> dict[str, Any]:
    """Give a chat's facts without the codes that wait in them: the chat is asked for it again."""
    return {name: fact for name, fact in facts.items() if name not in {HELD, HELD_PACK}}


WITHHELD: Final[Sequence[Withheld]] = (
    Withheld(inbox, inbox.c.state != "new", {"payload": nothing}),
    Withheld(chat, values={"facts": _without_held}),
)


def to_do_after(done: Restored, secrets_file: Path) -> list[str]:
    """Say what to do and whom to tell what, in the order in which to do it."""
    moment = f"{done.made_at:%Y-%m-%d %H:%M:%S} UTC"
    return [
        text("commands", "todo.as_it_was", moment=moment),
        _head(done, secrets_file),
        text("commands", "todo.messages"),
        text("commands", "todo.files"),
        text("commands", "todo.members", moment=moment),
    ]


def _head(done: Restored, secrets_file: Path) -> str:
    entries = f"{done.entries:,}"
    if done.lost is not None:
        return text("commands", "todo.head_lost", lost=f"{done.lost.seq:,}", entries=entries)
    return text("commands", "todo.head_unknown", entries=entries, file=f"{secrets_file}.head")
