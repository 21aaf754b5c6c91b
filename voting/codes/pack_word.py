"""The pack's word: printed in the letter and shown by the bot, so that a member can tell that the two belong together.

It proves the bot to the member, not the member to the bot, and opens nothing. It follows from the pack code's hash, so
it is stored nowhere.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Final

from voting.codes.hashing import keyed_hash

_DOMAIN: Final = b"ballotline pack word 1"


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """Give the list: plain nouns of 4 to 11 letters, none within one letter of another. Its order never changes."""
    return tuple(files("voting.codes").joinpath("words.txt").read_text(encoding="ascii").split())


def word_for(key: bytes, pack_hash: bytes) -> str:
    """Give the word of the pack whose code has this hash (32 bytes)."""
    digest = keyed_hash(key, _DOMAIN, pack_hash)
    return words()[int.from_bytes(digest) % len(words())]
