"""The language somebody on the staff is spoken to in: the poll's first, until they choose another of the poll's."""

import pytest
from enrolled import BY
from prepared import NOW, make_poll

from bot.staff import enrolment, languages
from bot.staff.roles import Role
from voting.store.database import Database

OTHER = 77


async def enrolled_with(database: Database, wanted: str | None) -> enrolment.Staff:
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.COMMS, by=BY)
        return await enrolment.enrol(connection, token, user_id=OTHER, called="Huw", language=wanted, now=NOW)


@pytest.mark.parametrize(("wanted", "given"), [("cy", "cy"), ("en-US", "en-GB"), ("fr", "cy"), (None, "cy")])
async def test_a_phone_in_no_language_of_the_poll_begins_with_the_polls_first(
    database: Database, wanted: str | None, given: str
) -> None:
    await make_poll(database, languages=("cy", "en-GB"), rule={"cy": "Rheol.", "en-GB": "Rule."})
    assert (await enrolled_with(database, wanted)).language == given


async def test_a_language_the_poll_does_not_speak_is_not_begun_with(database: Database) -> None:
    await make_poll(database, languages=("en-GB",), rule={"en-GB": "Rule."})
    assert (await enrolled_with(database, "cy")).language == "en-GB"


async def test_who_chose_is_spoken_to_so_and_nobody_else(database: Database) -> None:
    huw = await enrolled_with(database, "en")
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.SUPPORT, by=BY)
        sam = await enrolment.enrol(connection, token, user_id=OTHER + 1, called="Sam", language="en", now=NOW)
        await languages.choose(connection, huw.id, "cy")
        assert (await enrolment.by_id(connection, huw.id)).language == "cy"
        assert (await enrolment.by_id(connection, sam.id)).language == "en-GB"
