"""The voting paper in the member's language: one question at a time, then all of it, with what every button leads to.

A button carries what the paper will say once it was pressed; so nothing that was chosen lies anywhere else.
"""

from typing import Final

from bot.chat.buttons import Act, PaperPress
from bot.chat.page import Page
from bot.chat.said import Said
from bot.member.answers import Chosen, VotingPaper
from bot.member.marks import Marks
from messages.words.texts import html_text, text
from voting.poll.paper_order import in_order

PARAGRAPH: Final = "\n\n"
MARKED: Final = "\u2705 "
NAMES_CHARACTERS_MAX: Final = 2_000  # of a review; a message has 4,096
QUESTION_CHARACTERS_MAX: Final = 60  # of a question in a review

Button = tuple[str, str]


def voting_paper(page: Page, answer: VotingPaper) -> Said:
    """Show one question of the voting paper: one button per option, in the member's order."""
    number, marks = answer.question, answer.marks
    asked, rules = page.poll.questions[number], marks.questions[number]
    question = page.poll.text_in(asked.text, page.language)
    parts = [html_text("member", "paper.ask", page.language, question=question)]
    if len(marks.questions) > 1:
        of = len(marks.questions)
        parts.insert(0, html_text("member", "paper.which", page.language, number=number + 1, of=of))
    if answer.word is not None:
        parts.insert(0, html_text("member", "paper.word", page.language, word=answer.word))
    if not rules.one_each:
        parts[-1] = html_text("member", "paper.ask_several", page.language, question=question)
        parts.append(_count(page, answer))
    rows = [[_option(page, answer, option)] for option in in_order(len(asked.options), answer.shifts[number])]
    if rules.blank:
        label = text("member", "button.blank", page.language)
        marked = MARKED if marks.is_blank(number) else ""
        rows.append([(marked + label, page.paper(_after(answer, marks.blank(number))))])
    return Said(PARAGRAPH.join(parts), _rows([*rows, *_ways_on(page, answer)]), secret=True)


def chosen(page: Page, answer: Chosen) -> Said:
    """Show all that was chosen and ask to cast it."""
    marks = answer.marks
    cast = text("member", "button.cast", page.language), page.paper(_press(answer, Act.CAST, marks))
    if len(marks.questions) == 1:
        names = _names(page, marks, 0)
        html = html_text("member", "paper.chosen", page.language, option=", ".join(names))
        again = Marks(marks.questions) if marks.questions[0].one_each else marks
        change = text("member", "button.change", page.language), page.paper(_press(answer, Act.SHOW, again))
        return Said(html, _rows([[cast], [change]]), secret=True)
    parts = [html_text("member", "paper.whole", page.language), *_review(page, marks)]
    parts.append(html_text("member", "paper.ask_cast", page.language))
    changes = [
        [
            (
                text("member", "button.change_one", page.language, number=number + 1),
                page.paper(PaperPress(answer.intent_id, Act.SHOW, number, marks.bits, reviewing=True)),
            )
        ]
        for number in range(len(marks.questions))
    ]
    return Said(PARAGRAPH.join(parts), _rows([[cast], *changes, [not_now_button(page, answer.intent_id)]]), secret=True)


def not_now_button(page: Page, intent_id: str) -> Button:
    """Make the button that puts a paper aside."""
    return text("member", "button.not_now", page.language), page.paper(PaperPress(intent_id, Act.NOT_NOW))


def _option(page: Page, answer: VotingPaper, option: int) -> Button:
    """Make an option's button: the only answer of its question, or one of several to be marked or not."""
    number, marks = answer.question, answer.marks
    name = page.poll.text_in(page.poll.questions[number].options[option], page.language)
    marked = MARKED if option in marks.options(number) else ""
    if marks.questions[number].one_each:
        return marked + name, page.paper(_after(answer, marks.only(number, option)))
    return marked + name, page.paper(_at(answer, number, marks.toggled(number, option)))


def _ways_on(page: Page, answer: VotingPaper) -> list[list[Button]]:
    """Make the buttons that lead away from a question: on, where its marks are an answer; back; not now."""
    number, marks = answer.question, answer.marks
    rows: list[list[Button]] = []
    several = not marks.questions[number].one_each
    if marks.is_allowed(number) and (several or answer.reviewing):
        rows.append([(text("member", "button.next", page.language), page.paper(_after(answer, marks)))])
    if number and not answer.reviewing:
        rows.append([(text("member", "button.back", page.language), page.paper(_at(answer, number - 1, marks)))])
    return [*rows, [not_now_button(page, answer.intent_id)]]


def _count(page: Page, answer: VotingPaper) -> str:
    """Say how many options are marked, and how many may be."""
    rules = answer.marks.questions[answer.question]
    n = len(answer.marks.options(answer.question))
    if rules.least == rules.most:
        return html_text("member", "paper.count_exactly", page.language, n=n, most=rules.most)
    if rules.least > 1:
        return html_text("member", "paper.count_least", page.language, n=n, least=rules.least, most=rules.most)
    return html_text("member", "paper.count", page.language, n=n, most=rules.most)


def _review(page: Page, marks: Marks) -> list[str]:
    """Write every question with its answer; where the names would be too many, how many there are."""
    answers = [", ".join(_names(page, marks, number)) for number in range(len(marks.questions))]
    if sum(map(len, answers)) > NAMES_CHARACTERS_MAX:
        numbers = [len(marks.options(number)) for number in range(len(marks.questions))]
        answers = [
            text("member", "paper.marked", page.language, n=n) if n > 1 else answer
            for n, answer in zip(numbers, answers, strict=True)
        ]
    return [
        html_text(
            "member",
            "paper.answer",
            page.language,
            number=number + 1,
            question=page.poll.text_in(asked.text, page.language)[:QUESTION_CHARACTERS_MAX],
            answer=answer,
        )
        for number, (asked, answer) in enumerate(zip(page.poll.questions, answers, strict=True))
    ]


def _names(page: Page, marks: Marks, number: int) -> list[str]:
    """Name what is marked in a question."""
    if marks.is_blank(number):
        return [text("member", "button.blank", page.language)]
    asked = page.poll.questions[number]
    names = [page.poll.text_in(asked.options[option], page.language) for option in marks.options(number)]
    return names or [text("member", "paper.none", page.language)]


def _after(answer: VotingPaper, marks: Marks) -> PaperPress:
    """Lead on from a question that is answered: to the next one, or to the end."""
    if answer.reviewing or answer.question + 1 == len(marks.questions):
        return _press(answer, Act.REVIEW, marks)
    return _at(answer, answer.question + 1, marks)


def _at(answer: VotingPaper, number: int, marks: Marks) -> PaperPress:
    return PaperPress(answer.intent_id, Act.SHOW, number, marks.bits, answer.reviewing)


def _press(answer: VotingPaper | Chosen, act: Act, marks: Marks) -> PaperPress:
    return PaperPress(answer.intent_id, act, marks=marks.bits)


def _rows(rows: list[list[Button]]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(row) for row in rows)
