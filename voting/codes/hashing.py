"""The keyed hash under codes and words: BLAKE2b with a key (RFC 7693), 32 bytes.

A message authentication code by itself, without a second pass as HMAC needs.
"""

from hashlib import blake2b
from typing import Final

HASH_BYTES: Final = 32


def keyed_hash(key: bytes, domain: bytes, *parts: bytes) -> bytes:
    """Hash parts under a key (at most 64 bytes), 32 bytes; `domain` names the use, so hashes of two uses differ.

    Parts are texts without a zero byte, or hashes of 32 bytes. A zero byte joins them, so that no two lists of parts
    are hashed from the same bytes.
    """
    return blake2b(b"\0".join((domain, *parts)), digest_size=HASH_BYTES, key=key).digest()
