"""What `packs issue` says: what was made, who may vote and has no pack, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path

from voting.packs import packs


def what_was_made(issued: packs.Issued, *, encrypted: bool) -> str:
    """Say how many packs are where, or why none was made."""
    if issued.packs:
        kept = "encrypted" if encrypted else "NOT encrypted: give it to the mailing house safely, then delete it"
        return f"{issued.packs:,} packs are in {issued.file} ({kept})."
    if not issued.eligible:
        return "Nobody on the roll may vote, so nothing was made. `ballotline roll import` tells why."
    if issued.left:
        return "Nothing was made."
    return "Everybody who may vote has a pack already; nothing was made."


def who_is_left(issued: packs.Issued, rolls: list[Path]) -> Iterator[str]:
    """Say who may vote and has no pack, and what to do."""
    if issued.left:
        yield f"{issued.left:,} members who may vote have no pack."
    if issued.nowhere:
        yield (
            f"{issued.nowhere:,} of them have no name or no address in the roll's file: complete it and import it "
            "again, or add --to-incomplete-addresses."
        )
    if issued.left > issued.nowhere and issued.sources:
        named = " ".join(f"--roll {path}" for path in rolls)
        yield (
            f"{issued.left - issued.nowhere:,} of them are not in {', '.join(map(str, issued.sources))}. Name every "
            f"file of the roll; these were imported: {named or 'none that is still there'}"
        )
