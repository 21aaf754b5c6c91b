"""One byte string for one value: the JSON that hashes and signatures are made over."""

import hashlib
import json


def canonical_json(value: object) -> bytes:
    """Write a value as UTF-8 JSON with sorted keys and no spaces, the same bytes on every machine.

    Made of dict (with str keys), list or tuple, str, int, bool and None only. Anything else, floats above all (they
    print differently elsewhere), raises TypeError; a lone surrogate in a str raises UnicodeEncodeError.
    """
    _insist(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256_hex(value: bytes) -> str:
    """Hash bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(value).hexdigest()


def _insist(value: object) -> None:
    match value:
        case None | bool() | int() | str():
            pass
        case list() | tuple():
            for item in value:
                _insist(item)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"a key of canonical JSON must be a str, not {type(key).__name__}")
                _insist(item)
        case _:
            raise TypeError(f"canonical JSON has no {type(value).__name__}")
