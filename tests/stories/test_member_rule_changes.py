"""The rule changes while voting papers are open: nothing is cast until the new one is accepted."""

from pathlib import Path

import pytest
from town import Member, Town

from bot.sandbox import Message
from voting.model import By
from voting.poll import polls
from voting.store.database import Database

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

ENGLISH = {
    "new": "Only the first vote counts.",
    "changed": "The rule has changed since you opened this paper",
    "understood": "I understand",
    "paper": "This is your voting paper",
    "chose": "You chose",
    "cast": "Cast my vote",
    "locked": "Your vote is locked",
    "not now": "Not now",
    "aside": "nothing has been cast",
}
WELSH = {
    "new": "Dim ond y bleidlais gyntaf sy'n cyfrif.",
    "changed": "Mae'r rheol wedi newid ers i chi agor y papur hwn",
    "understood": "Rwy'n deall",
    "paper": "Dyma eich papur pleidleisio",
    "chose": "Dewisoch",
    "cast": "Bwrw fy mhleidlais",
    "locked": "Mae eich pleidlais wedi'i chloi",
    "not now": "Ddim nawr",
    "aside": "nid oes dim wedi'i fwrw",
}
SPOKEN = {"en": ENGLISH, "cy": WELSH}


async def rule_changes(town: Town, words: str = ENGLISH["new"]) -> None:
    async with town.database.writing() as connection:
        rule = {"en-GB": words, "cy": WELSH["new"]}
        town.poll = await polls.change_rule(connection, rule, by=By("Gwen", "command line", town.clock()))


async def chooses(member: Member, said: dict[str, str], option: str = "North Quay") -> Message:
    await member.asks(member.gives_codes(member.pack.codes), said["paper"])
    return await member.asks(member.presses(option), said["chose"])


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("webhooks", [False, True], ids=["polling", "webhooks"])
async def test_a_rule_changed_under_an_open_paper_is_accepted_before_the_vote_is_cast(
    database: Database, tmp_path: Path, language: str, *, webhooks: bool
) -> None:
    said = SPOKEN[language]
    async with Town(database, tmp_path, webhooks=webhooks) as town:
        ada = town.member("ada", language_code=language)
        await chooses(ada, said)
        await rule_changes(town)

        shown = await ada.asks(ada.presses(said["cast"]), said["changed"])
        assert said["new"] in shown.words
        assert await town.locks() == 0

        paper = await ada.asks(ada.presses(said["understood"]), said["paper"])
        assert [row[0].text for row in paper.buttons] == ["North Quay", "South Quay", said["not now"]]
        await ada.asks(ada.presses("South Quay"), said["chose"])
        await ada.asks(ada.presses(said["cast"]), said["locked"])

        assert (await town.count("South Quay"), await town.count("North Quay")) == (1, 0)
        assert await town.attempts() == 0


@pytest.mark.parametrize("press", ["South Quay", "Change"])
async def test_every_press_on_a_paper_older_than_its_rule_shows_the_rule(town: Town, press: str) -> None:
    ada = town.member("ada")
    paper = await ada.asks(ada.gives_codes(ada.pack.codes), ENGLISH["paper"])
    if press.startswith("Change"):
        paper = await ada.asks(ada.presses("North Quay"), ENGLISH["chose"])
    await rule_changes(town)

    await ada.asks(ada.presses(press, message=paper), ENGLISH["changed"])

    assert await town.locks() == 0


async def test_a_paper_may_be_put_aside_instead_of_accepting_the_new_rule(town: Town) -> None:
    ada = town.member("ada")
    await chooses(ada, ENGLISH)
    await rule_changes(town)
    await ada.asks(ada.presses("Cast my vote"), ENGLISH["changed"])

    await ada.asks(ada.presses("Not now"), ENGLISH["aside"])

    assert await town.locks() == 0


async def test_a_rule_that_changes_twice_is_accepted_as_it_stands_last(town: Town) -> None:
    ada = town.member("ada")
    await chooses(ada, ENGLISH)
    await rule_changes(town)
    await ada.asks(ada.presses("Cast my vote"), ENGLISH["new"])
    await rule_changes(town, "Votes are final.")

    await ada.asks(ada.presses("I understand"), "Votes are final.")
    await ada.asks(ada.presses("I understand"), ENGLISH["paper"])

    assert await town.locks() == 0


async def test_presses_that_come_twice_around_a_new_rule_are_one_vote_and_no_attempt(town: Town) -> None:
    ada = town.member("ada")
    await chooses(ada, ENGLISH)
    await rule_changes(town)
    await ada.asks(ada.presses("Cast my vote"), ENGLISH["changed"])
    await ada.resends_last_press(same_query_id=False)
    await town.settles()
    await ada.asks(ada.presses("I understand"), ENGLISH["paper"])
    await ada.resends_last_press(same_query_id=False)
    await town.settles()
    assert await town.locks() == 0
    await ada.asks(ada.presses("North Quay"), ENGLISH["chose"])
    await ada.asks(ada.presses("Cast my vote"), ENGLISH["locked"])
    await ada.resends_last_press(same_query_id=False)
    await town.settles()

    assert (await town.locks(), await town.attempts()) == (1, 0)


async def test_after_the_lock_the_old_and_the_new_rule_s_buttons_give_the_receipt(town: Town) -> None:
    ada = town.member("ada")
    old = await chooses(ada, ENGLISH)
    await rule_changes(town)
    rule = await ada.asks(ada.presses("Cast my vote"), ENGLISH["changed"])
    receipt = await ada.votes("North Quay")
    await rule_changes(town, "Votes are final.")

    for message, label in ((rule, "I understand"), (rule, "Not now"), (old, "Cast my vote")):
        await ada.presses(label, message=message)
        await town.settles()
        assert receipt in ada.last.words

    assert (await town.locks(), await town.attempts()) == (1, 0)


async def test_two_accounts_of_one_member_accept_each_for_itself_and_one_vote_stands(town: Town) -> None:
    ada, laptop = town.member("ada"), town.stranger("laptop")
    await chooses(ada, ENGLISH)
    await laptop.asks(laptop.gives_codes(ada.pack.codes), ENGLISH["paper"])
    await rule_changes(town)
    await ada.asks(ada.presses("Cast my vote"), ENGLISH["changed"])
    await ada.asks(ada.presses("I understand"), ENGLISH["paper"])
    await laptop.asks(laptop.presses("South Quay"), ENGLISH["changed"])
    await ada.asks(ada.presses("North Quay"), ENGLISH["chose"])
    await ada.asks(ada.presses("Cast my vote"), ENGLISH["locked"])

    await laptop.asks(laptop.presses("I understand"), "is already locked")

    assert (await town.locks(), await town.count("North Quay"), await town.attempts()) == (1, 1, 0)
