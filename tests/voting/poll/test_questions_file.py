"""`[[questions]]` and `[ways]` of a poll file: what they may say, and one sentence for everything else."""

from pathlib import Path

import pytest
from prepared import GWEN, asked, make_poll
from trustee_town import dealt

from voting.model import Order, Question, Ways
from voting.poll import polls
from voting.poll.questions import read_questions, written_questions
from voting.refusals import PollFileWrong, PollNotReady
from voting.store.database import Database

HEAD = """
[poll]
id = "agm-2030"
title = "The meeting"
opens_at = 2030-08-01T09:00:00
closes_at = 2030-09-02T17:00:00
timezone = "Europe/London"
joined_by = 2030-06-03
languages = ["en-GB", "cy"]

[window]
first_day = 2030-08-01
last_day = 2030-08-05

[rule]
"en-GB" = "One vote."
cy = "Un bleidlais."
"""
LEADER = """
[[questions]]
question = "Who shall lead?"
options = ["North", "South"]
"""
COMMITTEE = """
[[questions]]
question = {en-GB = "Who for the committee?", cy = "Pwy i'r pwyllgor?"}
options = [{en-GB = "Ada", cy = "Ada P."}, "Ben", "Carys", "Dev"]
choose = [1, 2]
blank = true
order = "rotated"
seats = 2
"""


def written(folder: Path, content: str) -> Path:
    path = folder / "poll.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_questions_are_read_with_all_their_rules(tmp_path: Path) -> None:
    poll = polls.read_poll_file(written(tmp_path, HEAD + LEADER + COMMITTEE))

    both = {"en-GB": "Ben", "cy": "Ben"}
    assert poll.questions[0] == asked("Who shall lead?", "North", "South")
    assert poll.questions[1] == Question(
        {"en-GB": "Who for the committee?", "cy": "Pwy i'r pwyllgor?"},
        ({"en-GB": "Ada", "cy": "Ada P."}, both, *(dict.fromkeys(both, name) for name in ("Carys", "Dev"))),
        least=1,
        most=2,
        blank=True,
        order=Order.ROTATED,
        seats=2,
    )
    assert read_questions(written_questions(poll.questions)) == poll.questions


def test_a_number_to_choose_is_exactly_that_many(tmp_path: Path) -> None:
    poll = polls.read_poll_file(written(tmp_path, HEAD + LEADER.replace("options", "choose = 2\noptions")))

    assert (poll.questions[0].least, poll.questions[0].most) == (2, 2)


@pytest.mark.parametrize("questions", [1, 16])
def test_as_many_questions_as_a_button_can_hold(tmp_path: Path, questions: int) -> None:
    options = ", ".join(f'"{letter}"' for letter in "ABCD")
    asked = "".join(f'[[questions]]\nquestion = "Q{n}?"\noptions = [{options}]\n' for n in range(questions))

    assert len(polls.read_poll_file(written(tmp_path, HEAD + asked)).questions) == questions


def many(options: int, questions: int = 1) -> str:
    """Questions with so many options each."""
    names = ", ".join(f'"Option {n}"' for n in range(options))
    return "".join(f'[[questions]]\nquestion = "Q{n}?"\noptions = [{names}]\n' for n in range(questions))


def instead(old: str, new: str, section: str = COMMITTEE) -> str:
    """One section, changed."""
    assert old in section
    return section.replace(old, new)


WRONG = {
    "both forms": (
        HEAD.replace('title = "', 'question = "Who?"\ntitle = "') + LEADER,
        "poll.question and [[questions]]",
    ),
    "options twice": (
        HEAD.replace('title = "', 'options = ["A"]\ntitle = "') + LEADER,
        "poll.options and [[questions]]",
    ),
    "neither form": (HEAD, "poll.question is missing"),
    "a section": (HEAD + "[questions]\nquestion = 1\n", "[[questions]] must be a list of sections"),
    "numbers": ("questions = [1]\n" + HEAD, "[[questions]] must be a list of sections"),
    "none": ("questions = []\n" + HEAD, "[[questions]] must be 1 to 16 questions, not 0"),
    "too many": (HEAD + many(2, 17), "[[questions]] must be 1 to 16 questions, not 17"),
    "too many options": (HEAD + many(65), "questions[1].options must name 2 to 64 options, not 65"),
    "too many in all": (HEAD + many(33, 2), "[[questions]] must name at most 64 options in all, not 66"),
    "one option": (HEAD + many(1), "questions[1].options must name 2 to 64 options, not 1"),
    "the same option": (HEAD + instead('"Ben"', '"CARYS"'), "questions[1].options names 'CARYS' twice"),
    "the same in Welsh": (
        HEAD + instead('cy = "Ada P."', 'cy = "Ben"'),
        "questions[1].options names 'Ben' twice",
    ),
    "the same question": (HEAD + LEADER + LEADER, "poll.questions names 'Who shall lead?' twice"),
    "a language missing": (HEAD + instead(', cy = "Ada P."', ""), "questions[1].options has no text in 'cy'"),
    "another language": (
        HEAD + instead('cy = "Ada P."', 'cy = "Ada P.", fr = "Ada"'),
        "questions[1].options has a text in 'fr', which is not in poll.languages",
    ),
    "a question in one language": (
        HEAD + instead(''', cy = "Pwy i'r pwyllgor?"''', ""),
        "questions[1].question has no text in 'cy'",
    ),
    "an empty option": (HEAD + instead('"Ben"', '""'), "questions[1].options is empty"),
    "an option of two lines": (HEAD + instead('"Ben"', '"B\\nen"'), "questions[1].options must be one line each"),
    "languages as text": (HEAD.replace('["en-GB", "cy"]', '"cy"') + LEADER, "languages must be a list of texts"),
    "options as text": (HEAD + instead('["North", "South"]', '"North"', LEADER), "must be a list of texts"),
    "more than there are": (HEAD + instead("[1, 2]", "5"), "questions[1].choose must be from 0 to the number of"),
    "least above most": (HEAD + instead("[1, 2]", "[2, 1]"), "questions[1].choose must be from 0"),
    "nothing at most": (HEAD + instead("[1, 2]", "[0, 0]"), "questions[1].choose must be from 0"),
    "below none": (HEAD + instead("[1, 2]", "[-1, 2]"), "questions[1].choose must be from 0"),
    "three numbers": (HEAD + instead("[1, 2]", "[1, 2, 3]"), "questions[1].choose must be a whole number, or two"),
    "a word to choose": (HEAD + instead("[1, 2]", '"some"'), "questions[1].choose must be a whole number, or two"),
    "true to choose": (HEAD + instead("[1, 2]", "true"), "questions[1].choose must be a whole number, or two"),
    "blank as a word": (HEAD + instead("blank = true", 'blank = "yes"'), "questions[1].blank must be true or false"),
    "an option called blank": (
        HEAD + instead('"Ben"', '"(BLANK)"'),
        "questions[1].options names '(blank)', which stands for a blank vote",
    ),
    "another order": (HEAD + instead('"rotated"', '"random"'), 'must be "fixed" or "rotated", not \'random\''),
    "more seats": (HEAD + instead("seats = 2", "seats = 5"), "questions[1].seats must be at most 4"),
    "no seat": (HEAD + instead("seats = 2", "seats = 0"), "questions[1].seats must be a whole number, 1 or more"),
    "an unknown key": (HEAD + COMMITTEE + "colour = 1\n", "questions[1].colour is not a key of this file"),
    "no way": (HEAD + LEADER + "[ways]\npage = false\nchat = false\n", "ways.page and ways.chat are both false"),
    "a way as a number": (HEAD + LEADER + "[ways]\npage = 1\n", "ways.page must be true or false"),
    "an unknown way": (HEAD + LEADER + "[ways]\nfax = true\n", "ways.fax is not a key of this file"),
}


@pytest.mark.parametrize(("content", "problem"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_question_is_named(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(PollFileWrong) as refused:
        polls.read_poll_file(written(tmp_path, content))

    assert problem in str(refused.value)


def test_a_blank_named_option_is_an_option_where_no_blank_vote_is_allowed(tmp_path: Path) -> None:
    content = HEAD + LEADER.replace('"South"', '"(blank)"')

    assert polls.read_poll_file(written(tmp_path, content)).questions[0].options[1]["cy"] == "(blank)"


@pytest.mark.parametrize(
    ("section", "ways"),
    [
        ("", Ways(None, chat=True)),
        ("[ways]\npage = false\n", Ways(page=False, chat=True)),
        ("[ways]\npage = true\nchat = false\n", Ways(page=True, chat=False)),
    ],
)
def test_ways_are_read(tmp_path: Path, section: str, ways: Ways) -> None:
    assert polls.read_poll_file(written(tmp_path, HEAD + LEADER + section)).ways == ways


@pytest.mark.parametrize(
    ("ways", "url", "refused"),
    [
        (Ways(page=True), "", True),
        (Ways(page=True), "https://vote.example", False),
        (Ways(), "", False),
        (Ways(page=False), "", False),
    ],
)
async def test_a_page_needs_a_public_address_at_the_opening(
    database: Database, ways: Ways, url: str, *, refused: bool
) -> None:
    await make_poll(database, ways=ways)
    async with database.writing() as connection:
        await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=GWEN)
        with pytest.raises(PollNotReady) as why:
            await polls.open_poll(connection, by=GWEN, public_url=url)

    assert ("a public address for the voting page" in str(why.value)) is refused
