"""Notices: two people, one hash, one life; quiet hours whatever the clocks do; whom it reached and whom not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from ballot_town import NOW, WAYS, chats, make_members, make_poll, numbers, send_notice, set_window, states
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.ledger.outbox import Order, claim
from messages.ledger.planning import plan_message
from messages.notices import reports, supersede
from messages.notices.approval import approval_hash
from messages.notices.life import SWEPT_MAX, cancel, finish, pause, resume, sweep
from messages.notices.model import Content, Notice
from messages.notices.notices import Change, approve, draft, edit, list_notices, show, submit
from messages.notices.preview import preview
from messages.notices.reports import progress, report, report_lines
from messages.notices.scheduled import Held, start_scheduled
from messages.notices.sending import resend_to_unreached, send, try_on
from messages.pace.pacer import Lane
from messages.postman.runnable import is_quiet, orders
from messages.reach import SMS, TELEGRAM
from messages.refusals import (
    AudienceUnknown,
    ChannelsOff,
    NobodyToTell,
    NotApproved,
    NoticeChanged,
    NoticeEnded,
    NoticeKindUnknown,
    NoticeNotThere,
    NoticeOutgrown,
    NoticeTextMissing,
    NoticeTextTooLong,
    NoticeTooLate,
    NoticeUnknown,
)
from messages.schema import delivery, notice
from messages.words.kinds import Kind
from messages.words.wording import Ways
from voting.model import By, SmsRules
from voting.refusals import NeedsSecondPerson
from voting.schema import chain, member, poll
from voting.store.database import Database

LATER = NOW + timedelta(hours=1)
CUSTOM = {"en-GB": "The office is closed on Monday.", "cy": "Mae'r swyddfa ar gau ddydd Llun."}


async def drafted(database: Database, actor: str = "Gwen", ways: Ways = WAYS, **content: Any) -> Notice:
    async with database.writing() as connection:
        return await draft(
            connection, Content(**{"kind": "pack_delayed", **content}), ways=ways, by=By(actor, "command line", NOW)
        )


async def do(database: Database, act: Change, notice_id: int, actor: str = "Gwen") -> Notice:
    async with database.writing() as connection:
        return await act(connection, notice_id, by=By(actor, "command line", NOW))


async def town(database: Database, members: int = 3, approve_over: int = 1) -> None:
    await make_poll(database, approve_over=approve_over)
    await make_members(database, members, telegram=chats(members))


async def entries(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(chain.c.kind).order_by(chain.c.seq))).scalars())


# -- two people --------------------------------------------------------------------------


async def test_a_notice_to_many_goes_only_after_a_second_person_said_yes(database: Database) -> None:
    await town(database)
    made = await drafted(database)
    with pytest.raises(NotApproved, match="3 members"):
        await do(database, send, made.id)
    await do(database, submit, made.id)
    with pytest.raises(NeedsSecondPerson):
        await do(database, approve, made.id, actor="Gwen")

    approved = await do(database, approve, made.id, actor="Huw")
    sent = await do(database, send, made.id)

    assert (approved.state, approved.approved_by, approved.approved_hash) == (
        "approved",
        "Huw",
        approval_hash(approved),
    )
    assert sent.state == "sending"
    assert await states(database) == {"ready": 3}
    assert await entries(database) == ["notice_drafted", "notice_submitted", "notice_approved", "notice_sent"]


@pytest.mark.parametrize("name", ["GWEN", " Gwen", "Gw\u0435n", "Ｇｗｅｎ", "Gwe\u00adn"])
async def test_whose_name_looks_like_the_author_s_is_no_second_person(database: Database, name: str) -> None:
    await town(database)
    made = await drafted(database)

    with pytest.raises(NeedsSecondPerson):
        await do(database, approve, made.id, actor=name)


async def test_words_of_a_notice_keep_their_lines_and_lose_what_nobody_sees(database: Database) -> None:
    await town(database)

    made = await drafted(
        database, kind="custom", texts={"en-GB": " Closed\u200b on\r\n\r\nMonday.\x07 ", "cy": "Ar  gau."}
    )

    assert made.content.texts == {"en-GB": "Closed on\n\nMonday.", "cy": "Ar gau."}


async def test_a_notice_to_one_needs_nobody_else(database: Database) -> None:
    await town(database, members=1)
    made = await drafted(database)

    assert (await do(database, send, made.id)).state == "sending"


async def test_sending_twice_sends_once(database: Database) -> None:
    await town(database, approve_over=10)
    made = await drafted(database)
    await do(database, send, made.id)
    await do(database, send, made.id)

    assert await states(database) == {"ready": 3}


EDITS = {
    "words": {"texts": CUSTOM | {"cy": "Rhywbeth arall."}},
    "audience": {"audience": "area:North"},
    "time": {"send_at": NOW + timedelta(hours=2)},
    "expiry": {"send_before": NOW + timedelta(hours=2)},
    "urgency": {"urgent": True},
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS.keys())
async def test_an_edit_voids_the_approval(database: Database, change: dict[str, Any]) -> None:
    """Any of it: another hash, a draft again, and whoever edited cannot approve."""
    await town(database)
    made = await drafted(database, kind="custom", texts=CUSTOM)
    await do(database, submit, made.id)
    approved = await do(database, approve, made.id, actor="Huw")

    changed = replace(approved.content, **change)
    edited = await do(database, partial(edit, content=changed, version=approved.version), made.id, actor="Huw")

    assert (edited.state, edited.approved_by, edited.approved_hash) == ("draft", None, None)
    assert approval_hash(edited) != approval_hash(approved)
    with pytest.raises(NotApproved):
        await do(database, send, made.id)
    with pytest.raises(NeedsSecondPerson):
        await do(database, approve, made.id, actor="Huw")


async def test_two_people_editing_at_once_do_not_overwrite_each_other(database: Database) -> None:
    await town(database)
    made = await drafted(database)
    await do(database, partial(edit, content=replace(made.content, urgent=True), version=made.version), made.id)

    with pytest.raises(NoticeChanged):
        await do(database, partial(edit, content=made.content, version=made.version), made.id)
    with pytest.raises(NoticeChanged):
        await do(database, partial(approve, version=made.version), made.id, actor="Huw")


async def test_what_was_approved_is_what_goes_even_if_the_table_was_touched(database: Database) -> None:
    await town(database)
    made = await drafted(database)
    await do(database, approve, made.id, actor="Huw")
    async with database.writing() as connection:
        facts = dict(made.facts) | {"title": "Something else"}
        await connection.execute(update(notice).values(facts=facts))

    with pytest.raises(NoticeChanged):
        await do(database, send, made.id)


async def test_an_audience_that_outgrew_its_approval_is_looked_at_again(database: Database) -> None:
    await town(database, members=20)
    made = await drafted(database)
    await do(database, approve, made.id, actor="Huw")
    await make_members(database, 20, telegram=chats(20, 100), first=101)

    with pytest.raises(NoticeOutgrown, match=r"20 members.*40"):
        await do(database, send, made.id)


WRONG = {
    "no such kind": ({"kind": "lottery"}, NoticeKindUnknown),
    "no such audience": ({"audience": "everybody"}, AudienceUnknown),
    "a language without words": ({"kind": "custom", "texts": {"en-GB": "Hello"}}, NoticeTextMissing),
    "only spaces": ({"kind": "custom", "texts": CUSTOM | {"cy": "  "}}, NoticeTextMissing),
}


@pytest.mark.parametrize(("content", "refusal"), WRONG.values(), ids=WRONG.keys())
async def test_a_draft_that_cannot_be_sent_is_refused(
    database: Database, content: dict[str, Any], refusal: type[Exception]
) -> None:
    await town(database)

    with pytest.raises(refusal):
        await drafted(database, **content)


async def test_a_text_that_twilio_would_refuse_is_refused_before(database: Database) -> None:
    await town(database)
    made = await drafted(database, kind="custom", texts=dict.fromkeys(CUSTOM, "x" * 1600))

    with pytest.raises(NoticeTextTooLong):
        await do(database, submit, made.id)


async def test_a_notice_to_nobody_is_not_sent(database: Database) -> None:
    await town(database)
    made = await drafted(database, audience="area:Nowhere")

    with pytest.raises(NobodyToTell):
        await do(database, submit, made.id)
    with pytest.raises(NobodyToTell):
        await do(database, send, made.id)


async def test_a_notice_nobody_wrote_is_unknown(database: Database) -> None:
    await town(database)

    for act in (submit, send, pause, resume, cancel):
        with pytest.raises(NoticeUnknown):
            await do(database, act, 99)


# -- preview -----------------------------------------------------------------------------


async def test_a_preview_shows_each_text_and_what_it_costs(database: Database) -> None:
    """Per language and channel: the words, the alphabet, the segments, the price, exactly."""
    await make_poll(database)
    (shared,) = numbers(1)
    await make_members(database, 2, telegram=chats(2))
    await make_members(database, 3, sms=[shared, shared, *numbers(1)], first=11)
    await make_members(database, 4, sms=numbers(4), first=21, language="cy")
    await make_members(database, 1, first=31)
    made = await drafted(database)

    async with database.reading() as connection:
        seen = await preview(connection, made, now=NOW)

    assert seen.members == 10
    assert seen.audience == {"telegram": 2, "sms": 6, "household": 1, "skipped": 1}
    texts = {(text.language, text.channel): text for text in seen.texts}
    english, welsh = texts["en-GB", "sms"], texts["cy", "sms"]
    assert "1-5 August 2022" in english.text
    assert "1–5 August 2022" in texts["en-GB", "telegram"].text
    assert "1-5 Awst 2022" in welsh.text
    assert english.text.endswith("Reply STOP to end")
    assert (english.recipients, welsh.recipients) == (2, 4)
    assert (english.encoding, english.cost) == ("GSM-7", english.segments * 2 * Decimal("0.04"))
    assert seen.cost == english.cost + welsh.cost
    shown = seen.as_json()
    assert (shown["cost"], shown["currency"]) == (str(seen.cost), "GBP")
    assert {"language", "channel", "text", "encoding", "characters", "segments", "cost"} <= shown["texts"][1].keys()


async def test_a_sender_that_cannot_receive_names_another_way_out(database: Database) -> None:
    await town(database)
    made = await drafted(database, ways=replace(WAYS, opt_out_url="https://t.me/ballot_bot?start=sms"))

    assert made.words.sms("en-GB").endswith("To end: https://t.me/ballot_bot?start=sms")
    assert "STOP" not in made.words.sms("en-GB")


async def test_custom_words_cannot_smuggle_markup(database: Database) -> None:
    await town(database)
    made = await drafted(database, kind="custom", texts=dict.fromkeys(CUSTOM, "<b>Vote</b> & {window}"))

    assert made.words.chat("en-GB") == "&lt;b&gt;Vote&lt;/b&gt; &amp; {window}"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CUSTOM])
async def test_every_kind_has_its_words_in_every_language(database: Database, kind: Kind) -> None:
    await town(database)
    made = await drafted(database, kind=str(kind))

    for language in ("en-GB", "cy"):
        assert "Leader 2022" in made.words.chat(language)
        assert "Leader 2022" in made.words.sms(language)


async def test_a_notice_can_be_tried_on_oneself_as_members_would_get_it(database: Database) -> None:
    await town(database)
    made = await drafted(database)
    async with database.writing() as connection:
        named: dict[str, Any] = {"language": "cy", "occasion": "update 1", "now": NOW}
        assert await try_on(connection, made.id, channel=TELEGRAM, address="71", **named)
        assert await try_on(connection, made.id, channel=TELEGRAM, address="71", **named) is None
        rows, _ = await claim(connection, Order(TELEGRAM), 5, NOW)

    assert rows[0].facts is not None
    assert rows[0].facts["html"] == made.words.chat("cy")


# -- life --------------------------------------------------------------------------------


async def test_a_notice_is_paused_and_resumed_and_canceled(database: Database) -> None:
    await town(database, approve_over=10)
    made = await send_notice(database)

    assert (await do(database, pause, made.id)).pause_reason == "by_staff"
    assert (await do(database, pause, made.id)).state == "paused"
    assert (await do(database, resume, made.id)).state == "sending"
    assert (await do(database, resume, made.id)).pause_reason is None
    assert (await do(database, cancel, made.id)).state == "canceled"
    assert (await do(database, cancel, made.id)).state == "canceled"
    for act in (pause, resume, send, submit):
        with pytest.raises(NoticeEnded):
            await do(database, act, made.id)


async def test_a_draft_cannot_be_paused_but_can_be_canceled(database: Database) -> None:
    await town(database)
    made = await drafted(database)

    with pytest.raises(NoticeNotThere):
        await do(database, pause, made.id)
    assert (await do(database, cancel, made.id)).state == "canceled"


async def test_the_rows_of_a_canceled_notice_are_swept_and_a_sent_one_stays_sent(database: Database) -> None:
    await town(database, approve_over=10)
    made = await send_notice(database)
    async with database.writing() as connection:
        await claim(connection, Order(TELEGRAM, made.id), 1, NOW)
    await do(database, cancel, made.id)

    async with database.writing() as connection:
        assert await sweep(connection, NOW) == 2 < SWEPT_MAX

    assert await states(database) == {"sending": 1, "canceled:canceled": 2}


async def test_a_newer_window_ends_what_tells_the_older(database: Database) -> None:
    """Also without anybody saying so; a reminder has nothing to do with the window."""
    await town(database, approve_over=10)
    delayed = await send_notice(database)
    waiting = await drafted(database)
    reminder = await send_notice(database, kind="reminder")
    await set_window(database, 2, date(2022, 8, 1), date(2022, 8, 10))
    changed = await send_notice(database, kind="window_changed")

    async with database.writing() as connection:
        assert await supersede.older_than(connection, 2, now=NOW) == 3
        assert await supersede.older_than(connection, 2, now=NOW) == 0
        await sweep(connection, NOW)
        found = {one.id: one.state for one in await list_notices(connection)}

    assert found == {
        delayed.id: "superseded",
        waiting.id: "superseded",
        reminder.id: "sending",
        changed.id: "sending",
    }
    assert await states(database, delayed.id) == {"canceled:superseded": 3}
    assert "1–10 August 2022" in changed.words.chat("en-GB")
    assert "1–5 August 2022" in changed.words.chat("en-GB")


async def test_a_scheduled_notice_goes_at_its_time(database: Database) -> None:
    """To whoever is in the audience then."""
    await town(database, approve_over=10)
    made = await send_notice(database, send_at=NOW + timedelta(hours=1))
    assert made.state == "scheduled"
    await make_members(database, 1, telegram=["99"], first=99)

    async with database.writing() as connection:
        assert await start_scheduled(connection, now=NOW) == []
        assert await start_scheduled(connection, now=LATER) == [made.id]
        assert await start_scheduled(connection, now=LATER) == []
        assert (await show(connection, made.id)).state == "sending"

    assert await states(database) == {"ready": 4}


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param({"send_before": NOW}, id="it is over"),
        pytest.param({"send_at": NOW + timedelta(hours=3), "send_before": LATER}, id="over before it begins"),
    ],
)
async def test_a_notice_that_could_never_go_is_refused_when_it_is_written(
    database: Database, moments: dict[str, datetime]
) -> None:
    await town(database)
    with pytest.raises(NoticeTooLate):
        await drafted(database, **moments)

    made = await drafted(database)
    with pytest.raises(NoticeTooLate):
        await do(database, partial(edit, content=Content("reminder", **moments), version=made.version), made.id)
    async with database.reading() as connection:
        assert (await show(connection, made.id)).content == made.content


async def test_a_notice_whose_last_moment_passed_while_it_waited_is_not_sent(database: Database) -> None:
    await town(database, approve_over=10)
    made = await drafted(database, send_before=LATER)

    for act in (submit, send):
        with pytest.raises(NoticeTooLate):
            async with database.writing() as connection:
                await act(connection, made.id, by=By("Gwen", "command line", LATER))  # type: ignore[operator]
    assert await states(database) == {}


async def test_where_telegram_is_off_a_text_points_to_no_bot(database: Database) -> None:
    await town(database)
    made = await drafted(database, kind="reminder", ways=Ways(""))

    assert "Then you do not need to do anything.\nReply STOP to end" in made.words.sms("en-GB")
    assert "Yna nid oes angen gwneud dim.\nAtebwch STOPIO i orffen" in made.words.sms("cy")


async def its_time_comes(database: Database) -> tuple[list[int], list[Held]]:
    """Give the notices that went an hour later, and what staff were told of those that did not."""
    told: list[Held] = []

    async def tell(_connection: AsyncConnection, held: Held) -> None:
        told.append(held)

    async with database.writing() as connection:
        return await start_scheduled(connection, on_held=tell, now=LATER), told


async def scheduled(database: Database, **content: Any) -> Notice:
    """Give a notice to everybody that waits for its time, approved by a second person."""
    made = await drafted(database, send_at=LATER, **content)
    await do(database, submit, made.id)
    await do(database, approve, made.id, actor="Huw")
    return await do(database, send, made.id)


async def test_a_scheduled_notice_whose_audience_outgrew_its_approval_waits_for_another(database: Database) -> None:
    """It is approved for 3, and 40 more came meanwhile: nobody is told before a second person says yes again."""
    await town(database)
    made = await scheduled(database)
    await make_members(database, 40, telegram=chats(40, first=100), first=100)

    went, told = await its_time_comes(database)

    async with database.reading() as connection:
        held = await show(connection, made.id)
    facts = {"notice_id": made.id, "approved": 3, "members": 43}
    assert (went, told) == ([], [Held(made.id, "notice_outgrown", facts, LATER)])
    assert (held.state, held.members, held.approved_by, held.approved_hash) == ("submitted", 43, None, None)
    assert (held.pause_reason, held.version > made.version) == ("held:notice_outgrown", True)
    assert await states(database) == {}
    assert (await entries(database))[-1] == "notice_held"

    with pytest.raises(NotApproved):
        await do(database, send, made.id)
    approved = await do(database, approve, made.id, actor="Huw")
    async with database.writing() as connection:
        sent = await send(connection, made.id, by=By("Gwen", "command line", LATER))
    assert (approved.pause_reason, sent.state) == (None, "sending")
    assert await states(database) == {"ready": 43}


async def test_a_scheduled_notice_goes_to_the_few_who_came_after_its_approval_too(database: Database) -> None:
    await town(database)
    made = await scheduled(database)
    await make_members(database, 1, telegram=["99"], first=99)

    assert await its_time_comes(database) == ([made.id], [])
    assert await states(database) == {"ready": 4}


async def test_a_scheduled_notice_that_needed_nobody_is_held_when_it_would_go_to_many(database: Database) -> None:
    await town(database, members=1)
    made = await drafted(database, send_at=LATER)
    await do(database, send, made.id)
    await make_members(database, 2, telegram=["98", "99"], first=98)

    went, [held] = await its_time_comes(database)

    assert (went, held.key, await states(database)) == ([], "not_approved", {})


@pytest.mark.parametrize(
    ("texts", "key", "state"),
    [
        pytest.param({**CUSTOM, "en-GB": "The office is open."}, "notice_changed", "submitted", id="other words"),
        pytest.param({**CUSTOM, "en-GB": "word " * 400}, "notice_text_too_long", "draft", id="too many words"),
    ],
)
async def test_a_scheduled_notice_changed_behind_our_back_is_held(
    database: Database, texts: dict[str, str], key: str, state: str
) -> None:
    await town(database)
    made = await scheduled(database, kind="custom", texts=CUSTOM)
    also = await scheduled(database)
    async with database.writing() as connection:
        await connection.execute(update(notice).where(notice.c.id == made.id).values(texts=texts))

    went, [held] = await its_time_comes(database)

    async with database.reading() as connection:
        assert ((await show(connection, made.id)).state, held.key) == (state, key)
    assert went == [also.id], "the one beside it goes"


async def test_a_scheduled_notice_whose_last_moment_passed_while_nothing_ran_is_held(database: Database) -> None:
    await town(database)
    made = await scheduled(database, send_before=LATER + timedelta(minutes=5))
    told: list[Held] = []

    async def tell(_connection: AsyncConnection, held: Held) -> None:
        told.append(held)

    async with database.writing() as connection:
        assert await start_scheduled(connection, on_held=tell, now=LATER + timedelta(hours=1)) == []

    assert [(held.notice_id, held.key) for held in told] == [(made.id, "notice_too_late")]
    assert await states(database) == {}


async def test_a_scheduled_notice_that_reaches_nobody_any_more_is_done(database: Database) -> None:
    await town(database)
    made = await scheduled(database)
    async with database.writing() as connection:
        await connection.execute(update(member).values(eligible=False, ineligible_reason="lapsed"))

    assert await its_time_comes(database) == ([made.id], [])
    async with database.writing() as connection:
        assert await finish(connection, LATER) == [made.id]


async def test_with_every_channel_off_nothing_is_sent_and_nothing_is_changed(database: Database) -> None:
    await town(database, approve_over=10)
    made = await drafted(database)

    with pytest.raises(ChannelsOff):
        await do(database, partial(send, providers=()), made.id)

    async with database.reading() as connection:
        assert (await show(connection, made.id)).state == "draft"


async def test_a_scheduled_notice_can_be_stopped_before_its_time(database: Database) -> None:
    await town(database, approve_over=10)
    made = await send_notice(database, send_at=NOW + timedelta(hours=1))
    await do(database, cancel, made.id)

    async with database.writing() as connection:
        assert await start_scheduled(connection, now=NOW + timedelta(hours=2)) == []


@pytest.mark.parametrize(
    ("state", "lease_until", "done"),
    [
        ("sent", None, True),
        ("unknown", None, True),
        ("unknown", NOW, False),
        ("ready", None, False),
        ("sending", NOW, False),
        ("failed", None, True),
    ],
)
async def test_a_notice_is_done_when_there_is_nothing_left_to_find_out(
    database: Database, state: str, lease_until: datetime | None, *, done: bool
) -> None:
    await town(database, members=1)
    made = await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(delivery).values(state=state, lease_until=lease_until))
        assert await finish(connection, NOW) == ([made.id] if done else [])


# -- quiet hours -------------------------------------------------------------------------


LONDON = SmsRules(quiet_from="20:00", quiet_until="09:00")


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2022-08-03T07:59:59+00:00", True),  # 08:59:59 BST
        ("2022-08-03T08:00:00+00:00", False),  # 09:00 BST
        ("2022-08-03T18:59:59+00:00", False),
        ("2022-08-03T19:00:00+00:00", True),  # 20:00 BST
        ("2022-12-03T08:59:59+00:00", True),  # GMT: an hour later in UTC
        ("2022-12-03T09:00:00+00:00", False),
        ("2022-03-27T00:59:59+00:00", True),  # the night the clocks go forward
        ("2022-03-27T08:00:00+00:00", False),  # 09:00 BST of that morning
        ("2022-03-26T08:00:00+00:00", True),  # 08:00 GMT of the morning before
        ("2022-10-30T08:00:00+00:00", True),  # 08:00 GMT of the morning the clocks went back
        ("2022-10-30T09:00:00+00:00", False),
    ],
)
def test_quiet_hours_are_the_members_own_on_both_sides_of_a_clock_change(at: str, *, quiet: bool) -> None:
    assert is_quiet(datetime.fromisoformat(at), LONDON, "Europe/London") is quiet


@pytest.mark.parametrize(
    ("begin", "end", "hour", "quiet"),
    [("12:00", "14:00", 13, True), ("12:00", "14:00", 14, False), ("09:00", "09:00", 9, False)],
    ids=["a siesta", "after it", "never"],
)
def test_quiet_hours_can_lie_within_a_day_or_not_be(begin: str, end: str, hour: int, *, quiet: bool) -> None:
    assert is_quiet(datetime(2022, 1, 1, hour, tzinfo=UTC), SmsRules(begin, end), "Etc/UTC") is quiet


async def claimable(database: Database, kind: str, now: datetime) -> set[int | None]:
    async with database.reading() as connection:
        found = await orders(connection, kind, now, timedelta(seconds=60))
    return {order.notice_id for order in found}


async def test_at_night_only_urgent_texts_and_chats_go(database: Database) -> None:
    await town(database, approve_over=10)
    calm, urgent = await send_notice(database), await send_notice(database, urgent=True)
    night = datetime(2022, 8, 3, 22, 0, tzinfo=UTC)

    assert await claimable(database, SMS, NOW) == {urgent.id, calm.id}
    assert await claimable(database, SMS, night) == {urgent.id}
    assert await claimable(database, TELEGRAM, night) == {urgent.id, calm.id}


async def test_an_urgent_notice_goes_before_the_rest(database: Database) -> None:
    await town(database, approve_over=10)
    calm, urgent = await send_notice(database), await send_notice(database, urgent=True)

    async with database.reading() as connection:
        found = await orders(connection, TELEGRAM, NOW, timedelta(seconds=60))

    assert [order.notice_id for order in found] == [urgent.id, calm.id]


async def test_without_a_poll_no_hour_is_quiet_and_messages_to_one_person_still_go(database: Database) -> None:
    async with database.writing() as connection:
        await plan_message(
            connection,
            purpose="help",
            facts={},
            channel=SMS,
            address="+447700900001",
            language="cy",
            occasion="x",
            lane=Lane.CHAT,
            now=NOW,
        )
    assert await claimable(database, SMS, NOW) == {None}


# -- what became of it -------------------------------------------------------------------


async def test_a_report_counts_members_once_and_says_why_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten members, one of each fate; a household is told through one number, a blocked chat by a text."""
    monkeypatch.setattr(reports, "ROWS_AT_ONCE", 3)
    await make_poll(database)
    shared, fallback = numbers(2)
    await make_members(database, 2, sms=[shared] * 2)
    await make_members(database, 7, telegram=chats(7), first=3)
    await make_members(database, 1, first=10)
    made = await send_notice(database)
    fates = {1: ("delivered", None), 3: ("sent", None), 4: ("failed", "blocked"), 5: ("failed", "chat_not_found")}
    fates |= {6: ("unknown", "timeout"), 7: ("skipped", "voted"), 8: ("canceled", "canceled")}
    async with database.writing() as connection:
        for member_id, (state, reason) in fates.items():
            where = delivery.c.member_id == member_id
            await connection.execute(update(delivery).where(where).values(state=state, reason=reason))
        row = (await connection.execute(select(delivery).where(delivery.c.member_id == 4))).mappings().one()
        text = dict(row) | {"id": 1000, "channel": "sms", "address": fallback, "state": "sent", "reason": None}
        await connection.execute(delivery.insert().values(text | {"fallback_of": row["id"]}))

        found = await report(connection, made.id)
        lines = [line async for line in report_lines(connection, made.id)]
        moving = await progress(connection, made.id)

    assert found.members == 10 == len(lines)
    assert found.outcomes == {
        "told": 4,
        "waiting": 1,
        "unknown": 1,
        "not_needed": 1,
        "canceled": 1,
        "not_reached": 2,
    }
    assert found.why_not == {"timeout": 1, "voted": 1, "canceled": 1, "chat_not_found": 1, "no_channel": 1}
    assert found.by_channel == {"sms": 3, "telegram": 1}
    assert (found.delivered, found.household) == (1, 1)
    assert [line.outcome for line in lines[:4]] == ["told", "told", "told", "told"]
    assert [line.member_no for line in lines] == [f"M{number:06}" for number in range(1, 11)]
    assert sum(moving.values()) == 11
    assert found.as_json()["told"] == 4


async def test_a_notice_goes_once_more_to_those_it_did_not_reach(database: Database) -> None:
    """As a notice of its own, with its own approval; nobody who was told hears it twice."""
    await town(database, members=4, approve_over=10)
    made = await send_notice(database)
    with pytest.raises(NoticeNotThere):
        await do(database, partial(resend_to_unreached, ways=WAYS), made.id)
    async with database.writing() as connection:
        for member_id, state in ((1, "sent"), (2, "failed"), (3, "unknown"), (4, "failed")):
            await connection.execute(update(delivery).where(delivery.c.member_id == member_id).values(state=state))
        await finish(connection, NOW)

    again = await do(database, partial(resend_to_unreached, ways=WAYS), made.id)
    await do(database, send, again.id)

    assert (again.resend_of, again.content.audience) == (made.id, f"unreached:{made.id}")
    assert await states(database, again.id) == {"ready": 2}


async def test_nobody_left_unreached_is_nobody_to_tell(database: Database) -> None:
    await town(database, members=1)
    made = await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(delivery).values(state="sent"))
        await finish(connection, NOW)

    with pytest.raises(NobodyToTell):
        await do(database, partial(resend_to_unreached, ways=WAYS), made.id)


async def test_every_act_on_a_notice_is_on_the_chain_and_no_members_name_is(database: Database) -> None:
    await town(database, approve_over=10)
    made = await send_notice(database)
    for act in (pause, resume, cancel):
        await do(database, act, made.id)

    assert await entries(database) == [
        "notice_drafted",
        "notice_sent",
        "notice_paused",
        "notice_resumed",
        "notice_canceled",
    ]
    async with database.reading() as connection:
        bodies = list((await connection.execute(select(chain.c.body))).scalars())
        assert (await connection.execute(select(poll.c.title))).scalar_one()
    assert "M0000" not in str(bodies)
