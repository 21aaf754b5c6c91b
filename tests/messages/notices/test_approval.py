"""What an approval is for: one hash of words, audience, time and cost; and how far an audience may grow under it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from messages.notices.approval import GROWTH_MAX, approval_hash, refuse_unapproved
from messages.notices.model import Content, Notice
from messages.notices.preview import Preview
from messages.refusals import NotApproved, NoticeChanged, NoticeOutgrown

NOW = datetime(2022, 8, 3, 12, tzinfo=UTC)
FACTS = {
    "title": "Leader 2022",
    "timezone": "Europe/London",
    "first_day": "2022-08-01",
    "last_day": "2022-08-10",
    "old_first_day": "2022-08-01",
    "old_last_day": "2022-08-05",
    "rule": {"en-GB": "One vote.", "cy": "Un bleidlais."},
    "closes_at": "2022-09-02T16:00:00+00:00",
    "bot_url": "https://t.me/ballot_bot",
    "opt_out_url": "",
}
NOTICE = Notice(
    id=7,
    content=Content(kind="window_changed"),
    facts=FACTS,
    segments={"en-GB": 1, "cy": 2},
    window_version=2,
    state="submitted",
    pause_reason=None,
    version=3,
    author="Gwen",
    created_at=NOW,
    members=1000,
    cost="80.00",
    approved_by=None,
    approved_at=None,
    approved_hash=None,
    resend_of=None,
    planned_at=None,
    ended_at=None,
)
CUSTOM = replace(
    NOTICE, content=Content(kind="custom", texts={"en-GB": "Closed on Monday.", "cy": "Ar gau ddydd Llun."})
)


def content(notice: Notice = NOTICE, **changes: Any) -> Notice:
    return replace(notice, content=replace(notice.content, **changes))


def facts(**changes: Any) -> Notice:
    return replace(NOTICE, facts={**FACTS, **changes})


def seen(members: int) -> Preview:
    return Preview(7, "window_changed", "all", members, {}, (), Decimal(0), "GBP")


CHANGES = {
    "another kind": content(kind="pack_delayed"),
    "another audience": content(audience="not_voted"),
    "urgent": content(urgent=True),
    "at a time": content(send_at=NOW),
    "until a time": content(send_before=NOW),
    "the other of the two times": content(send_at=None, send_before=NOW + timedelta(seconds=1)),
    "another title": facts(title="Leader 2023"),
    "another first day": facts(first_day="2022-08-02"),
    "another last day": facts(last_day="2022-08-11"),
    "another day before": facts(old_last_day="2022-08-06"),
    "another end of texts": facts(opt_out_url="https://t.me/ballot_bot?start=sms"),
    "a dearer text": replace(NOTICE, segments={"en-GB": 2, "cy": 2}),
    "more members": replace(NOTICE, members=1001),
    "another price": replace(NOTICE, cost="80.01"),
    "by text while Telegram takes nothing": content(texts_when_held=True),
    "another price of that": replace(NOTICE, cost_most="80.01"),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_a_member_or_the_treasurer_would_notice_is_another_hash(changed: Notice) -> None:
    assert approval_hash(changed) != approval_hash(NOTICE)


@pytest.mark.parametrize("language", ["en-GB", "cy"])
def test_one_word_of_one_language_is_another_hash(language: str) -> None:
    changed = content(CUSTOM, texts={**CUSTOM.content.texts, language: "Something else."})

    assert approval_hash(changed) != approval_hash(CUSTOM)


def test_a_change_that_only_the_chat_shows_is_another_hash() -> None:
    """A text message makes both dashes plain; the chat does not."""
    one, other = (content(CUSTOM, texts={**CUSTOM.content.texts, "cy": f"1{dash}5 Awst"}) for dash in "–-")

    assert one.words.sms("cy") == other.words.sms("cy")
    assert approval_hash(one) != approval_hash(other)


BOOKKEEPING = {
    "id": 8,
    "state": "approved",
    "pause_reason": "by_staff",
    "version": 4,
    "author": "Huw",
    "created_at": NOW + timedelta(days=1),
    "approved_by": "Huw",
    "approved_at": NOW,
    "approved_hash": "x",
    "planned_at": NOW,
    "ended_at": NOW,
    "window_version": 3,
    "resend_of": 2,
}


@pytest.mark.parametrize("name", BOOKKEEPING)
def test_what_no_member_reads_is_the_same_hash(name: str) -> None:
    assert approval_hash(replace(NOTICE, **{name: BOOKKEEPING[name]})) == approval_hash(NOTICE)


def test_a_fact_that_the_words_do_not_name_is_the_same_hash() -> None:
    """What counts is what is read: the window's notice does not say when the poll closes."""
    assert approval_hash(facts(closes_at="2022-09-03T16:00:00+00:00")) == approval_hash(NOTICE)
    assert approval_hash(facts(rule={"en-GB": "Another."})) == approval_hash(NOTICE)
    assert approval_hash(facts(bot_url="https://t.me/other_bot")) == approval_hash(NOTICE)


words = st.text("abc {}<>&é\n", min_size=1, max_size=20).filter(str.strip)


@given(one=words, other=words, kind=st.sampled_from(["en-GB", "cy"]))
def test_two_texts_have_one_hash_only_if_they_read_the_same(one: str, other: str, kind: str) -> None:
    first = content(CUSTOM, texts={**CUSTOM.content.texts, kind: one})
    second = content(CUSTOM, texts={**CUSTOM.content.texts, kind: other})

    assert (approval_hash(first) == approval_hash(second)) == (one.strip() == other.strip())


@given(st.permutations(list(FACTS)), st.permutations(["en-GB", "cy"]))
def test_the_order_in_which_a_database_gives_its_columns_does_not_matter(names: list[str], tags: list[str]) -> None:
    shuffled = replace(
        NOTICE, facts={name: FACTS[name] for name in names}, segments={tag: NOTICE.segments[tag] for tag in tags}
    )

    assert approval_hash(shuffled) == approval_hash(NOTICE)


# -- who may go without, and how far one carries ------------------------------------------


@pytest.mark.parametrize(
    ("members", "approve_over", "refused"),
    [(1000, 1000, False), (1001, 1000, True), (1, 0, True), (0, 0, False)],
    ids=["as many as need nobody", "one more", "everything needs somebody", "nobody at all"],
)
def test_a_notice_without_approval_goes_to_so_many(members: int, approve_over: int, refused: bool) -> None:
    if refused:
        with pytest.raises(NotApproved):
            refuse_unapproved(NOTICE, seen(members), approve_over=approve_over)
    else:
        refuse_unapproved(NOTICE, seen(members), approve_over=approve_over)


def approved(members: int | None) -> Notice:
    found = replace(NOTICE, members=members)
    return replace(found, approved_by="Huw", approved_hash=approval_hash(found))


@pytest.mark.parametrize(
    ("then", "now", "refused"),
    [
        pytest.param(1000, 1000, False, id="as many"),
        pytest.param(1000, 3, False, id="fewer"),
        pytest.param(1000, 1100, False, id="a tenth more"),
        pytest.param(1000, 1101, True, id="more than a tenth"),
        pytest.param(1, 2, False, id="one more, where a tenth is none"),
        pytest.param(1, 3, True, id="two more, where a tenth is none"),
        pytest.param(9, 10, False, id="one more of nine"),
        pytest.param(9, 11, True, id="two more of nine"),
    ],
)
def test_an_audience_may_grow_by_a_tenth_or_by_one(then: int, now: int, refused: bool) -> None:
    """Whatever `approve_over` is: an approval is for the audience that was seen."""
    for approve_over in (0, 10**9):
        if refused:
            with pytest.raises(NoticeOutgrown):
                refuse_unapproved(approved(then), seen(now), approve_over=approve_over)
        else:
            refuse_unapproved(approved(then), seen(now), approve_over=approve_over)


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_an_approval_of_something_else_is_none(changed: Notice) -> None:
    """Also for a notice so small that it would need nobody's."""
    with pytest.raises(NoticeChanged):
        refuse_unapproved(replace(changed, approved_hash=approval_hash(NOTICE)), seen(1), approve_over=10**9)


@given(st.integers(1, 10**6), st.integers(0, 2 * 10**6))
def test_growth_is_refused_exactly_beyond_its_bound(then: int, now: int) -> None:
    assume(now != then * GROWTH_MAX)
    try:
        refuse_unapproved(approved(then), seen(now), approve_over=0)
        went = True
    except NoticeOutgrown:
        went = False

    assert went == (10 * now <= 11 * then or now <= then + 1)
