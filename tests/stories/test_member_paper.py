"""Stories of a paper with several questions: one answer, several, blank, back and forth, in both languages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opened import all_choices_of
from prepared import asked
from sqlalchemy import select
from town import Resident, Town, receipt_in

from bot.chat.buttons import Act, PaperPress, paper_button
from bot.member.marks import Marks
from voting import schema
from voting.model import Order, Question
from voting.poll.election import questions_of
from voting.refusals import UnknownOption
from voting.store.database import Database
from voting.votes.cast import Cast
from voting.votes.clerk import Clerk

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

COMMITTEE = Question(
    {"en-GB": "Who for the committee?", "cy": "Pwy i'r pwyllgor?"},
    tuple({"en-GB": name, "cy": f"{name} (cy)"} for name in ("Ada", "Ben", "Carys", "Dev")),
    least=1,
    most=2,
    blank=True,
    seats=2,
)
QUESTIONS = (asked("Where shall the boathouse stand?", "North Quay", "South Quay"), COMMITTEE)


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """A town that asks two questions."""
    async with Town(database, tmp_path, questions=QUESTIONS) as town:
        yield town


async def go(one: object, *steps: tuple[str, str]) -> None:
    """Press one button after the other, and hear what each answers."""
    for label, heard in steps:
        await one.asks(one.person.presses(label), heard)  # type: ignore[attr-defined]


async def test_one_answer_then_several_then_all_is_cast_at_once(town: Town) -> None:
    ada = town.member("ada")
    paper = await ada.opens_paper()

    assert "Question 1 of 2" in paper.words
    assert ada.person.buttons == ["North Quay", "South Quay", "Not now"]
    await go(ada, ("South Quay", "0 of at most 2 chosen"))
    assert ada.person.buttons == ["Ada", "Ben", "Carys", "Dev", "Blank vote", "Back", "Not now"]
    await go(ada, ("Ben", "1 of at most 2 chosen"), ("Dev", "2 of at most 2 chosen"))
    assert ada.person.buttons == ["Ada", "✅ Ben", "Carys", "✅ Dev", "Blank vote", "Next", "Back", "Not now"]
    await go(ada, ("Next", "your whole paper"))
    assert "South Quay" in ada.person.chat.log[-1].words
    assert "Ben, Dev" in ada.person.chat.log[-1].words
    assert await town.locks() == 0
    locked = await ada.asks(ada.person.presses("Cast my vote"), "Your vote is locked")

    lock = await town.lock_of("ada")
    assert lock is not None
    assert lock.receipt == receipt_in(locked.words)
    assert await all_choices_of(town.database, town.poll, town.dealt) == [((0, 1), (0, 0, 1, 0, 1))]


async def test_in_welsh_a_blank_vote_and_back_again(town: Town) -> None:
    sian = town.member("sian", language_code="cy")
    await sian.opens_paper()

    await go(sian, ("North Quay", "Dewiswyd 0 o hyd at 2"))
    assert sian.person.buttons == [
        "Ada (cy)",
        "Ben (cy)",
        "Carys (cy)",
        "Dev (cy)",
        "Pleidlais wag",
        "Yn ôl",
        "Ddim nawr",
    ]
    await go(sian, ("Yn ôl", "Cwestiwn 1 o 2"))
    assert sian.person.buttons == ["✅ North Quay", "South Quay", "Ddim nawr"]
    await go(sian, ("South Quay", "Cwestiwn 2 o 2"), ("Pleidlais wag", "Dyma eich papur cyfan"))
    assert "Pleidlais wag" in sian.person.chat.log[-1].words
    await sian.asks(sian.person.presses("Bwrw fy mhleidlais"), "Mae eich pleidlais wedi'i chloi")

    assert await all_choices_of(town.database, town.poll, town.dealt) == [((0, 1), (1, 0, 0, 0, 0))]


async def test_the_review_leads_to_a_question_and_back_to_the_review(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await go(ada, ("North Quay", "0 of at most 2"), ("Ada", "1 of at most 2"), ("Next", "your whole paper"))

    assert ada.person.buttons == ["Cast my vote", "Change question 1", "Change question 2", "Not now"]
    await go(ada, ("Change question 1", "Question 1 of 2"))
    assert ada.person.buttons == ["✅ North Quay", "South Quay", "Next", "Not now"]
    await go(ada, ("South Quay", "your whole paper"), ("Change question 2", "1 of at most 2"))
    await go(ada, ("✅ Ada", "0 of at most 2"))
    assert "Next" not in ada.person.buttons
    await go(ada, ("Carys", "1 of at most 2"), ("Next", "your whole paper"))
    await ada.asks(ada.person.presses("Cast my vote"), "Your vote is locked")

    assert await all_choices_of(town.database, town.poll, town.dealt) == [((0, 1), (0, 0, 0, 1, 0))]


async def test_no_press_marks_more_than_the_question_allows(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await go(ada, ("North Quay", "0 of at most 2"), ("Ada", "1 of at most 2"), ("Ben", "2 of at most 2"))

    await ada.person.presses("Carys")
    await go(ada, ("Next", "your whole paper"))

    assert "Ada, Ben" in ada.person.chat.log[-1].words


async def test_the_order_is_the_member_s_own_and_stays(database: Database, tmp_path: Path) -> None:
    """Eight members do not all begin alike; each sees the same order again. The ballot has the poll's order."""
    names = [f"member {number}" for number in range(8)]
    options = ("A1", "B2", "C3", "D4", "E5")
    question = asked("Who?", *options, order=Order.ROTATED)
    residents = [Resident(name, None) for name in names]
    async with Town(database, tmp_path, residents=residents, questions=(question,)) as town:
        seen = []
        for name in names:
            one = town.member(name)
            await one.opens_paper()
            first = one.person.buttons[:5]
            await go(one, ("C3", "You chose"), ("Change", "your voting paper"))
            assert one.person.buttons[:5] == first
            seen.append(first[0])
            assert sorted(first) == sorted(options)
            await go(one, ("C3", "You chose"), ("Cast my vote", "Your vote is locked"))

        assert len(set(seen)) > 1
        assert await all_choices_of(town.database, town.poll, town.dealt) == [((0, 0, 1, 0, 0),)] * 8


FORGED = {
    "more than the most": (Act.CAST, 0b01110_01),
    "fewer than the least": (Act.CAST, 0b00000_01),
    "blank and an option": (Act.CAST, 0b00011_01),
    "two answers to one question": (Act.CAST, 0b00010_11),
    "no answer to the first question": (Act.CAST, 0b00010_00),
    "a mark beyond the paper": (Act.CAST, 0b1_00010_01),
    "a review outside the rules": (Act.REVIEW, 0b11110_01),
}


@pytest.mark.parametrize(("act", "marks"), FORGED.values(), ids=FORGED.keys())
async def test_a_button_outside_the_rules_leads_to_a_question_and_to_no_ballot(
    town: Town, act: Act, marks: int
) -> None:
    """Nobody without the key can make it; the paper would not be cast for somebody who has the key."""
    ada = town.member("ada")
    paper = await ada.opens_paper()
    async with town.database.reading() as connection:
        intent = await connection.scalar(select(schema.intent.c.id))
    data = paper_button(town.secrets.button_key, ada.person.chat.id, PaperPress(intent, act, 1, marks))

    await ada.asks(ada.person.press_data(data, message=paper), "Question")

    assert "Cast my vote" not in ada.person.buttons
    assert (await town.locks(), await all_choices_of(town.database, town.poll, town.dealt)) == (0, [])


@pytest.mark.parametrize(("act", "marks"), FORGED.values(), ids=FORGED.keys())
async def test_the_ballot_itself_refuses_what_the_desk_would_let_pass(town: Town, act: Act, marks: int) -> None:
    """The same marks, past the desk: no ballot of them can be sealed, so nothing is locked."""
    await town.member("ada").opens_paper()
    async with town.database.reading() as connection:
        intent = (await connection.execute(select(schema.intent.c.id, schema.intent.c.chat))).one()
    bits = Marks(questions_of(town.poll), marks & 0b1111111).choices if act is Act.CAST else ((1, 0), (0, 1, 1, 1, 1))
    if marks >> 7:
        bits = (*bits, (1,))
    clerk = Clerk(town.database, town.secrets)

    with pytest.raises(UnknownOption):
        await clerk.cast(Cast(intent.id, intent.chat, town.poll.rule_version, bits), town.clock())
    await clerk.finish()

    assert await town.locks() == 0


async def test_an_old_button_and_a_second_press_give_the_receipt_again(town: Town) -> None:
    ada = town.member("ada")
    paper = await ada.opens_paper()
    await go(ada, ("North Quay", "0 of at most 2"), ("Blank vote", "your whole paper"))
    locked = await ada.asks(ada.person.presses("Cast my vote"), "Your vote is locked")

    await ada.person.presses("South Quay", message=paper)
    await ada.person.resends_last_press()
    await town.settles()

    assert receipt_in(ada.person.last.words) == receipt_in(locked.words)
    assert await town.locks() == 1
    assert await all_choices_of(town.database, town.poll, town.dealt) == [((1, 0), (1, 0, 0, 0, 0))]
