"""The questions of a poll file: `[[questions]]`, or one by `question` and `options` in `[poll]`."""

from typing import Any, Final

from voting.ballots.election import BLANK
from voting.model import Order, Question
from voting.poll.table import TEXT_CHARACTERS_MAX, Table, WrongError, insist_unlike
from voting.typed_text import looks_like

QUESTIONS: Final = "questions"
QUESTIONS_MAX: Final = 16
OPTIONS_MIN: Final = 2  # one option is no choice
OPTIONS_MAX: Final = 64  # of all questions: so many marks fit a button in a chat
OPTION_CHARACTERS_MAX: Final = 60  # a button in a chat shows no more


def take_questions(poll: Table, listed: object, languages: tuple[str, ...]) -> tuple[Question, ...]:
    """Give the questions: those that are `listed` under `[[questions]]`, or the one of `[poll]`."""
    if listed is None:
        return (_question(poll, languages),)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise WrongError("[[questions]] must be a list of sections")
    for key in ("question", "options"):
        if key in poll.values:
            raise poll.wrong(key, "and [[questions]] are both there: one of them is enough")
    if not 1 <= len(listed) <= QUESTIONS_MAX:
        raise WrongError(f"[[questions]] must be 1 to {QUESTIONS_MAX} questions, not {len(listed)}")
    questions = tuple(_whole(Table(f"questions[{number}]", one), languages) for number, one in enumerate(listed, 1))
    if (options := sum(len(question.options) for question in questions)) > OPTIONS_MAX:
        raise WrongError(f"[[questions]] must name at most {OPTIONS_MAX} options in all, not {options}")
    for language in languages:
        insist_unlike(poll, "questions", [question.text[language] for question in questions])
    return questions


def _whole(section: Table, languages: tuple[str, ...]) -> Question:
    """Take a question with all its rules, and nothing that is no rule."""
    plain = _question(section, languages)
    options = len(plain.options)
    least, most = _choose(section, options)
    seats = section.whole("seats", 0, 1) if "seats" in section.values else None
    if seats is not None and seats > options:
        raise section.wrong("seats", f"must be at most {options}, the number of options")
    order = section.text("order", Order.FIXED)
    if order not in set(Order):
        raise section.wrong("order", f'must be "fixed" or "rotated", not {order!r}')
    blank = section.truth("blank", default=False)
    if blank and any(looks_like(BLANK, name) for option in plain.options for name in option.values()):
        raise section.wrong("options", f"names {BLANK!r}, which stands for a blank vote")
    section.end()
    return Question(plain.text, plain.options, least, most, blank, Order(order), seats)


def _question(section: Table, languages: tuple[str, ...]) -> Question:
    text = _texts(section, "question", section.take("question"), languages, TEXT_CHARACTERS_MAX)
    listed = section.take("options")
    if not isinstance(listed, list):
        raise section.wrong("options", "must be a list of texts")
    options = tuple(_texts(section, "options", option, languages, OPTION_CHARACTERS_MAX) for option in listed)
    for language in languages:
        insist_unlike(section, "options", [option[language] for option in options])
    if not OPTIONS_MIN <= len(options) <= OPTIONS_MAX:
        raise section.wrong("options", f"must name {OPTIONS_MIN} to {OPTIONS_MAX} options, not {len(options)}")
    for name in (name for option in options for name in option.values()):
        if "\n" in name:
            raise section.wrong("options", f"must be one line each: {name!r}")
    return Question(text, options)


def _texts(section: Table, key: str, value: object, languages: tuple[str, ...], characters_max: int) -> dict[str, str]:
    """Take a text for all languages, or one for each of them."""
    if not isinstance(value, dict):
        return dict.fromkeys(languages, section.checked_text(key, value, characters_max))
    for language in value:
        if language not in languages:
            raise section.wrong(key, f"has a text in {language!r}, which is not in poll.languages")
    for language in languages:
        if language not in value:
            raise section.wrong(key, f"has no text in {language!r}")
    return {language: section.checked_text(key, value[language], characters_max) for language in languages}


def _choose(section: Table, options: int) -> tuple[int, int]:
    value: Any = section.take("choose", 1)
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != len(("least", "most")) or not all(type(number) is int for number in pair):
        raise section.wrong("choose", "must be a whole number, or two of them as [least, most]")
    least, most = pair
    if not (0 <= least <= most <= options and most):
        raise section.wrong("choose", f"must be from 0 to the number of options, {options}, the least first")
    return least, most
