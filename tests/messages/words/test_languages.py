"""A language is named in the reader's own."""

import pytest

from messages.words.languages import language_name


@pytest.mark.parametrize(
    ("tag", "reader", "name"),
    [
        ("cy", "en-GB", "Welsh"),
        ("en-GB", "en-GB", "English"),
        ("cy", "cy", "Cymraeg"),
        ("en-GB", "cy", "Saesneg"),
        ("klingon", "en-GB", "klingon"),
        ("?", "cy", "?"),
        ("", "cy", ""),
    ],
)
def test_a_language_is_named_in_the_reader_s_own(tag: str, reader: str, name: str) -> None:
    assert language_name(tag, reader) == name
