"""What a backup leaves out of our tables, and what there is to do after a restore."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

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
    as_it_was = f"This is the poll as it was at {moment}. Whatever happened after that is not in it."
    messages = (
        "Before `ballotline run`: what waited to be sent at that moment is sent when it starts, also if it went out"
        " since; messages cannot be unsent. Look at `ballotline notice list` and cancel what must not go twice."
    )
    files = (
        "Take every roll, mailing house's file and scan since then once more; what is known already changes nothing."
        " Codes of packs that were issued or replaced since then are not known: issue those packs again."
    )
    members = (
        f"Tell members: who voted online after {moment} has a receipt that this poll does not know. /status says"
        " whether a vote is here; if not, they vote again with the same codes, and keep the old receipt. Who had typed"
        " something that was not answered types it again."
    )
    return [as_it_was, _head(done, secrets_file), messages, files, members]


def _head(done: Restored, secrets_file: Path) -> str:
    resume = "two officers each type `ballotline head resume --as NAME`: the chain then says which head was lost."
    if done.lost is not None:
        return f"The chain had gone on to entry {done.lost.seq:,}, here it ends with entry {done.entries:,}; {resume}"
    file = f"{secrets_file}.head"
    return (
        f"No head after entry {done.entries:,} is known here. If one was signed (the service's log, the chat of the"
        f" heads, whoever keeps them has it), write it into {file} as `head --json` printed it, and {resume}"
    )
