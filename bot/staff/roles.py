"""Who may do what: one table, read by the chat, the console and their tests. Nothing here knows the database."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from voting.refusals import StaffRefusal


class NotStaff(StaffRefusal):
    """Only staff can do that."""


class NotYourRole(StaffRefusal):
    """That is not for {role}; it is for {roles}."""


class Role(StrEnum):
    """What somebody on the staff is trusted with."""

    OFFICER = "officer"  # all
    COMMS = "comms"  # notices and windows
    SUPPORT = "support"  # members, packs, cases


class Act(StrEnum):
    """What staff can ask for."""

    SEE_STAFF = "see_staff"
    SEE_OVERVIEW = "see_overview"
    SEE_TURNOUT = "see_turnout"
    OPEN_CONSOLE = "open_console"
    GO_ON_DUTY = "go_on_duty"
    ACKNOWLEDGE = "acknowledge"
    SEE_CASES = "see_cases"
    WORK_ON_CASES = "work_on_cases"
    SEE_MEMBERS = "see_members"
    UNLOCK_PACKS = "unlock_packs"
    SEE_PACKS = "see_packs"
    REPLACE_PACKS = "replace_packs"
    SEE_DELIVERIES = "see_deliveries"
    TURN_CHANNELS_ON = "turn_channels_on"
    SEE_NOTICES = "see_notices"
    WRITE_NOTICES = "write_notices"
    APPROVE_NOTICES = "approve_notices"
    SEND_NOTICES = "send_notices"
    RESUME_TEXTS = "resume_texts"
    SEE_WINDOWS = "see_windows"
    SET_WINDOW = "set_window"
    IMPORT_FILES = "import_files"
    INVITE_STAFF = "invite_staff"
    REMOVE_STAFF = "remove_staff"
    SET_DUTY = "set_duty"
    SET_GROUP = "set_group"
    SEE_CHAIN = "see_chain"
    RESUME_HEAD = "resume_head"


_ALL: Final = frozenset(Role)
_TELLING: Final = frozenset({Role.OFFICER, Role.COMMS})
_HELPING: Final = frozenset({Role.OFFICER, Role.SUPPORT})
_LEADING: Final = frozenset({Role.OFFICER})

ALLOWED: Final[Mapping[Act, frozenset[Role]]] = {
    Act.SEE_STAFF: _ALL,
    Act.SEE_OVERVIEW: _ALL,
    Act.SEE_TURNOUT: _ALL,
    Act.OPEN_CONSOLE: _ALL,
    Act.GO_ON_DUTY: _HELPING,
    Act.ACKNOWLEDGE: _HELPING,
    Act.SEE_CASES: _HELPING,
    Act.WORK_ON_CASES: _HELPING,
    Act.SEE_MEMBERS: _HELPING,
    Act.UNLOCK_PACKS: _HELPING,
    Act.SEE_PACKS: _HELPING,
    Act.REPLACE_PACKS: _HELPING,
    Act.SEE_DELIVERIES: _ALL,
    Act.TURN_CHANNELS_ON: _LEADING,
    Act.SEE_NOTICES: _TELLING,
    Act.WRITE_NOTICES: _TELLING,
    Act.APPROVE_NOTICES: _TELLING,
    Act.SEND_NOTICES: _TELLING,
    Act.RESUME_TEXTS: _LEADING,
    Act.SEE_WINDOWS: _ALL,
    Act.SET_WINDOW: _TELLING,
    Act.IMPORT_FILES: _LEADING,
    Act.INVITE_STAFF: _LEADING,
    Act.REMOVE_STAFF: _LEADING,
    Act.SET_DUTY: _LEADING,
    Act.SET_GROUP: _LEADING,
    Act.SEE_CHAIN: _LEADING,
    Act.RESUME_HEAD: _LEADING,
}
assert ALLOWED.keys() == set(Act)


def may(role: Role, act: Act) -> bool:
    """Tell whether a role is trusted with an act."""
    return role in ALLOWED[act]


def insist(role: Role, act: Act) -> None:
    """Go on only when the role is trusted with the act; NotYourRole says who is."""
    if not may(role, act):
        raise NotYourRole(role=role.value, roles=", ".join(known.value for known in Role if may(known, act)))
