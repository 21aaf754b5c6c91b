"""Somebody on the staff who reads Welsh: no English is left on what they are told, shown and sent."""

from english_left import english_left
from staff_stories import raise_alerts, until
from town import Town, Townsperson

OWN = (
    "Leader North Quay South Quay Telegram North South East West area ada sian bob carl dai Gwen Huw Mair Mallory Thief"
)


async def welsh_officer(town: Town, name: str = "gwen", role: str = "officer", called: str = "swyddog") -> Townsperson:
    """Enrol somebody whose phone speaks Welsh."""
    person = town.stranger(name, language_code="cy")
    await person.opens(await town.invite(role))
    await person.hears(called, timeout_seconds=20)
    return person


def insist_welsh(town: Town, person: Townsperson) -> None:
    """Look at every message and button this person has."""
    own = f"{OWN} {town.poll.title} {' '.join(town.member_nos)}"
    for message in person.messages:
        assert english_left(f"{message.words} {' '.join(message.labels)}", but=own) == set(), message.words


async def test_a_case_from_the_alert_to_the_settlement(town: Town) -> None:
    gwen, huw = await welsh_officer(town), await welsh_officer(town, "huw")
    ada, thief = town.member("ada"), town.stranger("thief")
    await ada.votes("North Quay")
    await thief.insists(ada.pack.codes)

    await gwen.hears("Codau wedi'u defnyddio o gyfrif arall")
    await gwen.presses("Cydnabod")
    await gwen.hears("Cydnabuwyd gan Gwen")
    await gwen.presses("Agor yr achos")
    await gwen.hears("Mae un person yn cynnig canlyniad")
    await gwen.presses("Canfuwyd rheswm diniwed")
    await gwen.hears("Ysgrifennwch nodyn")
    await gwen.types("Ail ffôn yn y teulu.")
    await gwen.hears("Mae Gwen yn cynnig")
    await huw.types("/cases")
    await huw.hears("Un achos agored")
    await gwen.types(f"/member {town.member_nos['ada']}")
    await gwen.hears("Yn cael pleidleisio")

    insist_welsh(town, gwen)
    insist_welsh(town, huw)


async def test_a_notice_from_the_draft_to_the_report(town: Town) -> None:
    gwen, mair = await welsh_officer(town), await welsh_officer(town, "mair", "comms", "cyfathrebu")
    await town.member("sian").links()

    await gwen.types("/broadcast")
    await gwen.hears("Beth ddylid ei ddweud wrth aelodau?")
    await gwen.presses("Nodyn atgoffa")
    await gwen.hears("at bwy?")
    await gwen.presses("Ardal neu iaith")
    await gwen.hears("language:cy")
    await gwen.types("language:cy")
    await gwen.hears("Ysgrifennwyd gan")
    assert "segment" in gwen.last.words
    await gwen.types("/broadcast")
    await gwen.presses("Nodyn atgoffa")
    await gwen.hears("at bwy?")
    await gwen.presses("Pawb sy'n cael pleidleisio")
    await gwen.hears("Ysgrifennwyd gan")
    await gwen.presses("Anfon i'w gymeradwyo")
    await mair.hears("Mae Gwen yn gofyn i chi edrych ar hwn")
    await mair.presses("Cymeradwyo")
    await gwen.hears("Mae Mair wedi cymeradwyo hysbysiad")
    await gwen.presses("Ei anfon nawr")

    async def reported() -> bool:
        return any("Pam ddim" in message.words for message in gwen.messages)

    await until(reported, 30)
    report = next(message.words for message in reversed(gwen.messages) if "Pam ddim" in message.words)
    assert english_left(report, but=f"{OWN} {town.poll.title}") == set()


async def test_what_staff_ask_for_themselves(town: Town) -> None:
    gwen = await welsh_officer(town)
    for asked, heard in (
        ("/staff", "Gallwch anfon"),
        ("/duty on", "rydych ar ddyletswydd"),
        ("/window", "Mae pecynnau'n cyrraedd"),
        ("/missing_packs", "Nid oes pecyn coll"),
        ("/turnout", "wedi pleidleisio"),
        ("/here", "Anfonwch /here"),
    ):
        await gwen.types(asked)
        await gwen.hears(heard, timeout_seconds=60)  # the first picture loads what draws it

    insist_welsh(town, gwen)


async def test_alerts_come_in_the_language_chosen_last(town: Town) -> None:
    gwen = await town.staff("gwen")
    await raise_alerts(town, 1)
    await gwen.hears("What to do")
    await gwen.asks(gwen.types("/language"))
    await gwen.asks(gwen.presses("Cymraeg"), "Byddaf yn defnyddio'r Gymraeg")
    await gwen.types("/staff")
    await gwen.hears("Gallwch anfon")

    await gwen.types("/duty on")

    await gwen.hears("rydych ar ddyletswydd")


async def test_a_group_reads_the_polls_first_language_and_its_people_their_own(town: Town) -> None:
    gwen, huw = await welsh_officer(town), await town.staff("huw")
    group = town.sandbox.telegram.group("Ballot staff", members=[gwen.person, huw.person])
    await gwen.types("/here", chat=group)
    await gwen.hears("This is a staff group now", chat=group)

    await raise_alerts(town, 1)

    await gwen.hears("What to do", chat=group)
    await gwen.hears("Beth i'w wneud")
    await huw.hears("What to do")
    await gwen.types("/staff", chat=group)
    await gwen.hears("You can send", chat=group)
    await gwen.types("/member 1", chat=group)
    await gwen.hears("1 is not on the roll", chat=group)


async def test_a_group_reads_the_language_chosen_for_it(town: Town) -> None:
    """Alerts, cases and answers; an alert shown before is edited in the new language, and its old button works."""
    gwen, huw = await welsh_officer(town), await town.staff("huw", "support")
    group = town.sandbox.telegram.group("Ballot staff", members=[gwen.person, huw.person])
    await gwen.types("/here", chat=group)
    await gwen.hears("/language chooses the language of the group", chat=group)
    await raise_alerts(town, 1)
    shown = await huw.hears("What to do", chat=group)

    await huw.types("/language", chat=group)
    await huw.hears("Which language shall I use in this group?", chat=group)
    await huw.presses("Cymraeg", chat=group)
    await huw.hears("Byddaf yn defnyddio'r Gymraeg yn y grŵp hwn o hyn ymlaen; Huw a'i dewisodd", chat=group)

    await huw.presses("Acknowledge", message=shown, chat=group)

    async def edited_in_welsh() -> bool:
        return "Cydnabuwyd gan Huw" in (await huw.hears("Beth i'w wneud", chat=group)).words

    await until(edited_in_welsh)
    await huw.types("/staff", chat=group)
    await huw.hears("Gallwch anfon", chat=group)
    await huw.types("/staff")
    await huw.hears("You can send")
    await gwen.types("/here", chat=group)
    await gwen.hears("Grŵp staff yw hwn nawr", chat=group)


async def test_only_staff_choose_a_groups_language_and_only_of_a_staff_group(town: Town) -> None:
    gwen, ada = await town.staff("gwen"), town.member("ada")
    group = town.sandbox.telegram.group("Ballot staff", members=[gwen.person, ada.person])
    await gwen.types("/language", chat=group)
    await gwen.hears("not a staff group", chat=group)
    await gwen.types("/here", chat=group)
    await gwen.hears("This is a staff group now", chat=group)

    await ada.types("/language", chat=group)
    await town.settles()
    assert not any("Which language" in one.words for one in group.messages)

    await gwen.types("/language", chat=group)
    await gwen.hears("Which language shall I use in this group?", chat=group)
    await ada.presses("Cymraeg", chat=group)

    async def refused() -> bool:
        return ada.alerts == ["Only staff can do that."]

    await until(refused)
    await gwen.types("/staff", chat=group)
    await gwen.hears("You can send", chat=group)
