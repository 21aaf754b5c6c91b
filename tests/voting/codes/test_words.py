"""The pack's word: a list nobody confuses, and a word that follows from the pack."""

import itertools

from voting.codes.pack_word import word_for, words

KEY = bytes(range(32))


def near(a: str, b: str) -> bool:
    if abs(len(a) - len(b)) > 1:
        return False
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) <= 1
    short, long = sorted((a, b), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def test_the_list_is_long_enough_and_plain() -> None:
    assert len(words()) >= 512
    assert all(word.isascii() and word.isalpha() and word.islower() and 4 <= len(word) <= 11 for word in words())
    assert list(words()) == sorted(set(words()))


def test_no_two_words_are_a_slip_apart() -> None:
    """Read over the telephone or at a glance, no word is taken for another."""
    assert [pair for pair in itertools.combinations(words(), 2) if near(*pair)] == []


def test_the_word_follows_from_the_pack_and_the_key() -> None:
    digest = bytes(32)

    assert word_for(KEY, digest) == word_for(KEY, digest)
    assert len({word_for(KEY, number.to_bytes(32)) for number in range(200)}) > 100
    assert len({word_for(bytes([number]) * 32, digest) for number in range(50)}) > 25
