"""A file with a notice's words: several languages in one, as people write it."""

from pathlib import Path

import pytest

from bot.commands.notice_texts import LanguageUnknown, read_texts
from messages.refusals import NoticeTextMissing
from voting.refusals import FileUnreadable

READ = {
    "one language": ("Vote soon.\n", {"en-GB": "Vote soon."}),
    "two languages": ("Vote soon.\n[cy]\nPleidleisiwch.\n", {"en-GB": "Vote soon.", "cy": "Pleidleisiwch."}),
    "each with its heading": ("[cy]\nPleidleisiwch.\n[en-GB]\nVote.\n", {"en-GB": "Vote.", "cy": "Pleidleisiwch."}),
    "blanks round a heading": ("Vote.\n  [ cy ]  \nPleidleisiwch.", {"en-GB": "Vote.", "cy": "Pleidleisiwch."}),
    "a language in two places": ("One.\n[cy]\nUn.\n[en-GB]\nTwo.", {"en-GB": "One.\nTwo.", "cy": "Un."}),
    "lines between are kept": ("One.\n\nTwo.\n", {"en-GB": "One.\n\nTwo."}),
    "Windows' ends of lines": ("One.\r\n[cy]\r\nUn.\r\n", {"en-GB": "One.", "cy": "Un."}),
    "a mark of byte order": ("\ufeffVote.\n", {"en-GB": "Vote."}),
    "a heading without words": ("Vote.\n[cy]\n \n", {"en-GB": "Vote."}),
    "words in brackets are words": ("[Update]\nVote.\n", {"en-GB": "[Update]\nVote."}),
    "a sentence in brackets": ("[see below]\nVote.", {"en-GB": "[see below]\nVote."}),
    "a number in brackets": ("[1]\nVote.", {"en-GB": "[1]\nVote."}),
    "a heading inside a line is none": ("See [cy] below.", {"en-GB": "See [cy] below."}),
    "nothing": ("", {}),
}


@pytest.mark.parametrize(("words", "texts"), READ.values(), ids=READ.keys())
def test_words_are_read_by_language(tmp_path: Path, words: str, texts: dict[str, str]) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes(words.encode())

    assert read_texts(file, "en-GB") == texts


@pytest.mark.parametrize("tag", ["fr", "en-US", "cym", "cy-GB"])
def test_a_language_that_is_not_ours_is_refused_rather_than_left_out(tmp_path: Path, tag: str) -> None:
    file = tmp_path / "words.txt"
    file.write_text(f"Vote.\n[{tag}]\nVotez.\n", encoding="utf-8")

    with pytest.raises(LanguageUnknown, match=tag):
        read_texts(file, "en-GB")


def test_a_file_of_another_encoding_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes("Pleidleisiwch tŵr".encode("iso8859-14"))

    with pytest.raises(FileUnreadable, match="not UTF-8"):
        read_texts(file, "cy")


def test_a_file_that_is_not_there_and_none_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        read_texts(tmp_path / "words.txt", "en-GB")
    with pytest.raises(NoticeTextMissing):
        read_texts(None, "en-GB")
