"""A notice's own words from a file: several languages in one, each under a line with its tag."""

import re
from pathlib import Path
from typing import Final

from messages.refusals import NoticeTextMissing
from messages.words.texts import languages
from voting.refusals import FileUnreadable, StaffRefusal

_HEADING: Final = re.compile(r"\[\s*([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*\]")  # a language's tag and nothing else


class LanguageUnknown(StaffRefusal):
    """[{language}] names no language of ours; there are {languages}."""


def read_texts(file: Path | None, first: str) -> dict[str, str]:
    """Read words by language: a line such as [cy] begins another; before any, it is the poll's first.

    Other words in brackets are words. NoticeTextMissing, LanguageUnknown, FileUnreadable.
    """
    if file is None:
        raise NoticeTextMissing(language=first)
    found: dict[str, list[str]] = {}
    language = first
    for line in _lines(file):
        if (heading := _HEADING.fullmatch(line.strip())) is not None:
            language = heading[1]
            if language not in languages():
                raise LanguageUnknown(language=language, languages=", ".join(languages()))
        else:
            found.setdefault(language, []).append(line)
    return {language: "\n".join(lines).strip() for language, lines in found.items() if any(map(str.strip, lines))}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        problem_text = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise FileUnreadable(file=str(file), problem=problem_text) from None
