"""What `packs issue` says: what was made, who may vote and has no pack, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path

from bot.commands.spoken import text
from voting.packs import packs


def what_was_made(issued: packs.Issued, *, encrypted: bool) -> str:
    """Say how many packs are where and what to do with them, or why none was made."""
    if issued.packs:
        kept = text("commands", "packs.encrypted" if encrypted else "packs.not_encrypted")
        file = str(issued.file)
        made = text("commands", "packs.made", packs=f"{issued.packs:,}", file=file, kept=kept)
        return f"{made}\n{text('commands', 'packs.next', file=file)}"
    if not issued.eligible:
        return text("commands", "packs.for_nobody")
    if issued.left:
        return text("commands", "packs.none_made")
    return text("commands", "packs.all_there")


def who_is_left(issued: packs.Issued, rolls: list[Path]) -> Iterator[str]:
    """Say who may vote and has no pack, and what to do."""
    if issued.left:
        yield text("commands", "packs.left", members=f"{issued.left:,}")
    if issued.nowhere:
        yield text("commands", "packs.nowhere", members=f"{issued.nowhere:,}")
    if issued.left > issued.nowhere and issued.sources:
        yield text(
            "commands",
            "packs.elsewhere",
            members=f"{issued.left - issued.nowhere:,}",
            files=", ".join(map(str, issued.sources)),
            rolls=" ".join(f"--roll {path}" for path in rolls) or text("commands", "packs.no_roll"),
        )
