"""Members' numbers as rolls have them: every page that names one can be made, and its buttons come back."""

from types import SimpleNamespace

import pytest
from prepared import NOW, POLL

from bot.chat.buttons import Gesture, read
from bot.chat.page import Page, Reader
from bot.staff.enrolment import Staff
from bot.staff.roles import Role
from bot.staff_chat.case_words import member_said, missing_said

KEY = bytes(32)
PAGE = Page(Reader.STAFF, POLL, 70, "en-GB", KEY, NOW)
GWEN = Staff(1, "Gwen", Role.OFFICER, 70, "en-GB", None, None, NOW)

NUMBERS = {
    "digits": "0100007",
    "dots": "AB.17.3",
    "a slash": "2019/0417",
    "a colon": "N:17",
    "letters that are not ASCII": "Môn-17",
    "spaces": "17 B",
    "what HTML would read": "<17>&",
    "as long as a roll may have it": "9" * 64,
}


@pytest.mark.parametrize("member_no", NUMBERS.values(), ids=NUMBERS.keys())
@pytest.mark.parametrize(("asked_by", "gesture"), [(None, "s-packask"), ("Huw", "s-packyes")], ids=["ask", "approve"])
def test_a_missing_pack_s_button_works_whatever_its_member_s_number(
    member_no: str, asked_by: str | None, gesture: str
) -> None:
    row = SimpleNamespace(member_id=7, member_no=member_no, reported_at=NOW, asked_by=asked_by, approved_by=None)

    said = missing_said(PAGE, [row], 1, 0, GWEN)

    ((label, payload),) = said.rows[0]
    assert member_no in label
    assert read(KEY, PAGE.chat_id, payload) == Gesture(gesture, "7")


@pytest.mark.parametrize("member_no", NUMBERS.values(), ids=NUMBERS.keys())
def test_a_locked_pack_can_be_unlocked_whatever_its_member_s_number(member_no: str) -> None:
    pack = {
        "serial": 1,
        "state": "live",
        "issued_at": NOW,
        "dispatched_on": None,
        "delivered_on": None,
        "returned_on": None,
        "locked_out_at": NOW,
    }
    file = {
        "member_no": member_no,
        "eligible": True,
        "ineligible_reason": None,
        "area": "North",
        "language": "en-GB",
        "lock": None,
        "packs": [pack],
        "channels": [],
        "phone_reason": None,
        "papers_refused": [],
        "cases": [],
    }

    said = member_said(PAGE, file, 7)

    ((_, payload),) = said.rows[0]
    assert read(KEY, PAGE.chat_id, payload) == Gesture("s-unlock", "7")
