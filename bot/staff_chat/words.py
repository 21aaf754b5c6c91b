"""What staff are told about themselves: who they are, what they can ask for, who is on duty."""

from collections.abc import Sequence
from typing import Final

from bot.chat.page import Page
from bot.chat.said import Said
from bot.staff.enrolment import Staff
from bot.staff.roles import Act, may
from bot.staff.turnout import Turnout
from messages.words.texts import html_plural, html_text, text

# The commands of /staff, in their order; each needs the act beside it.
COMMANDS: Final = {
    "cases": Act.SEE_CASES,
    "member": Act.SEE_MEMBERS,
    "missing_packs": Act.SEE_PACKS,
    "broadcast": Act.SEE_NOTICES,
    "window": Act.SET_WINDOW,
    "turnout": Act.SEE_TURNOUT,
    "duty": Act.GO_ON_DUTY,
    "console": Act.OPEN_CONSOLE,
    "here": Act.SET_GROUP,
}


def staff_said(page: Page, reader: Staff, duty: Sequence[Staff], waiting: int) -> Said:
    """Say who the reader is, what they can ask for, who is on duty and how many alerts wait."""
    role = text("staff", f"role.{reader.role}", page.language)
    lines = [
        f"/{name} {text('staff', f'help.{name}', page.language)}"
        for name, act in COMMANDS.items()
        if may(reader.role, act)
    ]
    lines.append(f"/language {text('staff', 'help.language', page.language)}")
    parts = [html_text("staff", "staff.you", page.language, name=reader.name, role=role), "\n".join(lines)]
    parts.append(duty_line(page, duty))
    parts.append(
        html_plural("staff", "staff.waiting", page.language, waiting)
        if waiting
        else html_text("staff", "staff.nothing_waits", page.language)
    )
    return Said("\n\n".join(parts), duty_rows(page, reader))


def duty_line(page: Page, duty: Sequence[Staff]) -> str:
    """Say who is on duty, in the order they are woken."""
    if not duty:
        return html_text("staff", "duty.nobody", page.language)
    return html_text("staff", "duty.list", page.language, names=", ".join(person.name for person in duty))


def duty_said(page: Page, reader: Staff, duty: Sequence[Staff]) -> Said:
    """Say whether the reader is on duty, and who else."""
    key = "duty.you_are" if reader.duty_order is not None else "duty.you_are_not"
    return Said(
        "\n\n".join([html_text("staff", key, page.language, name=reader.name), duty_line(page, duty)]),
        duty_rows(page, reader),
    )


def duty_rows(page: Page, reader: Staff) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Give the button that goes on or off duty."""
    if not may(reader.role, Act.GO_ON_DUTY):
        return ()
    if reader.duty_order is None:
        return ((page.button("button.duty_on", "duty", "on"),),)
    return ((page.button("button.duty_off", "duty", "off"),),)


def turnout_caption(turnout: Turnout, language: str) -> str:
    """Say the picture's numbers for who cannot see it."""
    total = turnout.online + turnout.post
    key = "turnout.exact" if turnout.exact else "turnout.steps"
    return html_text(
        "staff",
        key,
        language,
        total=f"{total:,}",
        eligible=f"{turnout.eligible:,}",
        percent=f"{turnout.percent:.1f}",
        online=f"{turnout.online:,}",
        post=f"{turnout.post:,}",
    )
