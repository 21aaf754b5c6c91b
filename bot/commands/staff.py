"""`staff`: invitations, who is on the staff, who is on duty."""

from typing import Annotated

import typer

from bot.commands.spoken import name_of, role_name, text, value_name
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, print_json, print_table
from bot.staff.roles import Role
from voting.model import By
from voting.refusals import StaffRefusal


class NumberUnusable(StaffRefusal):
    """{number} is not a number that can take text messages."""


StaffId = Annotated[int, typer.Argument(metavar="ID", help="The number in `staff list`.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Who may act as staff, and who is woken.", no_args_is_help=True)
    nouns.command("invite")(invite)
    nouns.command("list")(list_staff)
    nouns.command("remove")(remove)
    nouns.command("duty")(duty)
    nouns.command("phone")(phone)
    app.add_typer(nouns, name="staff")


def invite(
    role: Annotated[Role, typer.Option(help="officer: all; comms: notices, windows; support: members, packs, cases.")],
    name: Annotated[str | None, typer.Option(help="What the chain calls them; else their account's name.")] = None,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make a link that enrols one person, once, within 24 hours.

    Example: ballotline staff invite --role officer --name Gwen
    """
    from bot.edge.links import bot_name, link
    from bot.house import House, in_house
    from bot.staff import enrolment

    async def act(house: House) -> str:
        bot = await bot_name(house.settings)
        async with house.database.writing() as connection:
            token = await enrolment.invite_staff(connection, role, by=By(actor, VIA, house.clock()), name=name)
        return link(bot, f"{enrolment.PREFIX}{token}")

    url = in_house(act)
    if as_json:
        print_json({"link": url, "role": role.value, "hours": 24})
    else:
        OUT.print(url)
        OUT.print(text("commands", "staff.send_link", role=role_name(role.value)))
        OUT.print(text("commands", "staff.invite_next"))


def list_staff(as_json: AsJson = False) -> None:
    """Show the staff, and the duty list.

    Example: ballotline staff list
    """
    from bot.house import House, in_house
    from bot.staff import enrolment

    async def act(house: House) -> list[enrolment.Staff]:
        async with house.database.reading() as connection:
            return await enrolment.everybody(connection)

    rows = [
        {
            "id": person.id,
            "name": person.name,
            "role": person.role.value,
            "duty": person.duty_order,
            "phone": person.phone,
            "language": person.language,
            "enrolled_at": person.enrolled_at,
        }
        for person in in_house(act)
    ]
    if as_json:
        print_json({"staff": rows})
        return
    columns = ["id", "name", "role", "duty", "phone", "enrolled_at"]
    shown = [row | {"role": role_name(str(row["role"])), "enrolled_at": value_name(row["enrolled_at"])} for row in rows]
    heads = [name_of(column) for column in columns]
    print_table(text("commands", "staff.title"), heads, [[row[column] for column in columns] for row in shown])


def remove(staff_id: StaffId, actor: Actor = DEFAULT_ACTOR) -> None:
    """Take somebody off the staff, at once: chat, console sessions and links stop working.

    Example: ballotline staff remove 3
    """
    from bot.house import House, in_house
    from bot.staff import enrolment

    async def act(house: House) -> str:
        async with house.database.writing() as connection:
            return await enrolment.remove(connection, staff_id, by=By(actor, VIA, house.clock()))

    OUT.print(text("commands", "staff.removed", name=in_house(act)))


def duty(
    staff_ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="The list, first woken first.")
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Nobody is on duty: all who may take alerts get them.")
    ] = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Set the duty list in the order people are woken; without numbers, show it.

    Example: ballotline staff duty 2 1 4
    """
    from bot.house import House, in_house
    from bot.staff import enrolment

    async def act(house: House) -> list[enrolment.Staff]:
        async with house.database.writing() as connection:
            if staff_ids or clear:
                ids = [] if clear else list(staff_ids or [])
                return await enrolment.set_duty_list(connection, ids, by=By(actor, VIA, house.clock()))
            return await enrolment.on_duty(connection)

    listed = in_house(act)
    heads = [name_of(column) for column in ("place", "id", "name")]
    title = text("commands", "staff.on_duty")
    print_table(title, heads, [[n, one.id, one.name] for n, one in enumerate(listed, 1)])


def phone(
    staff_id: StaffId,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Mobile number; '-' forgets it.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Note the number that is texted when nobody acknowledges an alert.

    Example: ballotline staff phone 3 "07700 900123"
    """
    from bot.house import House, in_house
    from bot.staff import enrolment
    from messages.words.phone import read_phone

    e164 = None if number == "-" else read_phone(number, None).e164
    if e164 is None and number != "-":
        raise NumberUnusable(number=number)

    async def act(house: House) -> enrolment.Staff:
        async with house.database.writing() as connection:
            return await enrolment.set_phone(connection, staff_id, e164, by=By(actor, VIA, house.clock()))

    person = in_house(act)
    if person.phone:
        OUT.print(text("commands", "staff.texts_go", name=person.name, phone=person.phone))
    else:
        OUT.print(text("commands", "staff.no_number", name=person.name))
