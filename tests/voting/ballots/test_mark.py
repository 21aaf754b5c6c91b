"""Marks: sixteen letters that nobody confuses, from the first ten bytes of a hash."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voting.ballots.mark import ALPHABET, key_fingerprint, mark_of, read_mark
from voting.ballots.refusals import FieldWrong


@pytest.mark.parametrize(
    ("number", "mark"),
    [
        (0, "2222-2222-2222-2222"),
        (1, "2222-2222-2222-2223"),
        (31, "2222-2222-2222-2232"),
        (31**16 - 1, "ZZZZ-ZZZZ-ZZZZ-ZZZZ"),
        (31**16, "2222-2222-2222-2222"),
    ],
)
def test_a_mark_is_written_most_significant_first(number: int, mark: str) -> None:
    assert mark_of(number.to_bytes(10, "big") + b"\xff" * 22) == mark


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_a_mark_is_read_as_people_type_it(digest: bytes) -> None:
    mark = mark_of(digest)
    for typed in (mark, mark.lower(), mark.replace("-", ""), f" {mark.replace('-', ' ')}\n"):
        assert read_mark(typed) == mark


@pytest.mark.parametrize("typed", ["", "2222", "2222-2222-2222-222", "2222-2222-2222-2222-2", "O222-2222-2222-2222"])
def test_what_is_no_mark_is_refused(typed: str) -> None:
    with pytest.raises(FieldWrong, match="mark"):
        read_mark(typed)


def test_the_letters_are_those_of_our_codes() -> None:
    assert len(ALPHABET) == 31
    assert not set("01OIL") & set(ALPHABET)


def test_the_key_s_fingerprint_hangs_on_each_of_its_parts() -> None:
    text = f"H|{hashlib.sha256(b'[]').hexdigest()}|{'07' * 32}"
    assert key_fingerprint("H", b"[]", b"\7" * 32) == mark_of(hashlib.sha256(text.encode()).digest())
    others = {key_fingerprint("h", b"[]", b"\7" * 32), key_fingerprint("H", b"", b"\7" * 32)}
    assert len(others | {key_fingerprint("H", b"[]", b"\7" * 32), key_fingerprint("H", b"[]", b"\7" * 31 + b"\6")}) == 4
