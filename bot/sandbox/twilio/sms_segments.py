"""How many segments a text takes on the air (3GPP TS 23.038), in the sandbox's own reckoning."""

from typing import Final

_ONCE: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE: Final = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """Return how many SMS a text is: 160 / 153 septets, or 70 / 67 UTF-16 units."""
    if all(character in _ONCE or character in _TWICE for character in text):
        return _split([2 if character in _TWICE else 1 for character in text], 160, 153)
    return _split([len(character.encode("utf-16-le")) // 2 for character in text], 70, 67)


def _split(sizes: list[int], alone: int, joined: int) -> int:
    if sum(sizes) <= alone:
        return 1
    count, room = 1, joined
    for size in sizes:
        if size > room:  # a pair never straddles two segments
            count, room = count + 1, joined
        room -= size
    return count
