"""The voting page's sentences: every one is there, every one is said, and a twelve-year-old reads the English."""

import re
from pathlib import Path

import pytest

from bot.page.files import static_files
from bot.page.page import words_json
from messages.words.texts import languages, templates

GRADE_MAX = 7.0
ROOT = Path(__file__).parents[3]
OURS = [name for name in static_files() if name.endswith(".js") and name not in {"ed25519.js", "qr.js"}]
SCRIPT = "\n".join(static_files()[name].content.decode() for name in OURS)
PYTHON = (ROOT / "bot" / "page" / "page.py").read_text(encoding="utf-8")
# Keys that the page puts together from a state, a kind of code or a reason.
MADE = {
    r"phase\.(not_open|closed)\.heading",
    r"(pack|vote)\.(label|hint)",
    r"slip\.(empty|bad_character|too_short|too_long|check_failed)",
    r"slip\.other_code\.(pack|vote)",
    r"question\.(one|exactly|up_to|between)_wrong",
    r"lock\.(here|elsewhere|post)",
    r"stop\.\w+(\.heading|\.next)?",
    r"html\.\w+",
    r"refusal\.\w+(\.\w+)?",  # see test_page_refused.py
}
LITERALS = set(re.findall(r"['\"]([a-z_]+(?:\.[a-z_]+)+)['\"]", SCRIPT + PYTHON)) - templates("words", "en-GB").keys()


def test_every_text_that_the_page_asks_for_is_there() -> None:
    families = {key.split(".")[0] for key in templates("page", "en-GB")}
    asked = {key for key in LITERALS if key.split(".")[0] in families}

    assert len(asked) > 80
    assert asked - templates("page", "en-GB").keys() == set()


def test_every_text_of_the_page_is_asked_for() -> None:
    assert {
        key
        for key in templates("page", "en-GB")
        if key not in LITERALS and not any(re.fullmatch(made, key) for made in MADE)
    } == set()


@pytest.mark.parametrize("language", languages())
def test_the_page_gets_every_sentence_and_every_part_of_a_date(language: str) -> None:
    written = words_json(language)

    assert all(f'"date.month.{month}"' in written for month in range(1, 13))
    assert all(f'"date.weekday.{day}"' in written for day in range(1, 8))
    assert '"date.moment"' in written
    assert all(f'"{key}"' in written for key in templates("page", language))


def test_the_english_of_the_page_is_read_easily_at_twelve() -> None:
    """Flesch-Kincaid over all its sentences, and none that is hard alone: two grades more at most for a single one."""
    texts = [value for value in templates("page", "en-GB").values() if value.endswith((".", "?"))]

    assert len(texts) > 60
    assert grade(" ".join(texts)) <= GRADE_MAX
    assert {text: round(grade(text), 1) for text in texts if grade(text) > GRADE_MAX + 2} == {}


def grade(text: str) -> float:
    """The Flesch-Kincaid grade: 0.39 words a sentence + 11.8 syllables a word - 15.59."""
    plain = re.sub(r"\{\w+\}", "one", text)
    sentences = max(1, len(re.findall(r"[.?!:](?:\s|$)", plain)))
    words = re.findall(r"[A-Za-z']+", plain)
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """Count them as spelling tells: groups of vowels, without a silent e and the e of most -ed and -es."""
    written = re.sub(r"(?:(?<=[^aeiou])e|(?<=[^aeioutd])ed|(?<=[^aeioucsxgz])es)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", written)))


def test_the_grade_is_flesch_and_kincaids() -> None:
    """One sentence of 6 words and 6 syllables, and one whose words are long."""
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade("Constitutional amendments necessitate parliamentary ratification.") > 20
    assert [syllables(word) for word in ("vote", "locked", "published", "the", "electronic")] == [1, 1, 2, 1, 4]
