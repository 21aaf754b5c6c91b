"""Codes: what is wrong is counted, right opens one paper, and after the lock there is a warning or an attempt."""

from datetime import timedelta

import pytest
from electorate import Electorate, open_electorate
from prepared import CLOSES_AT, NOW, OPENS_AT
from sqlalchemy import update

from voting import codes, schema
from voting.attempts import CLASSES, Kind, Source, classify
from voting.casting import (
    ALARM_WRONG_CODES,
    CHAT_SPAN,
    WRONG_PACK_CODES_MAX,
    WRONG_VOTE_CODES_MAX,
    AlarmKind,
    Purpose,
    lift_lockout,
    purge_wrong_codes,
)
from voting.database import Database
from voting.model import How, Lock
from voting.refusals import (
    ChatLockedOut,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PollNotOpen,
    UnknownMember,
    UnknownPackCode,
    WrongVoteCode,
)


@pytest.fixture
async def town(database: Database) -> Electorate:
    return await open_electorate(database)


def another(kind: codes.Kind) -> str:
    return codes.generate(kind, "leader-2022")


async def wrong_vote(town: Electorate, code: str, chat: str = "telegram:1") -> None:
    with pytest.raises(WrongVoteCode):
        await town.checks.vote_code(1, code, chat=chat, purpose=Purpose.VERIFY, flow="f", warned=False, now=NOW)


async def wrong_pack(town: Electorate, code: str, chat: str = "telegram:9", **later: float) -> None:
    with pytest.raises(UnknownPackCode):
        await town.checks.pack_code(code, chat=chat, now=NOW + timedelta(**later))


async def test_the_pack_code_finds_the_pack_and_its_word(town: Electorate) -> None:
    found = await town.checks.pack_code(town.letters[1].pack_code, chat="telegram:5", now=NOW)

    assert (found.pack_id, found.member_id, found.member_no) == (2, 2, "0000002")
    assert found.word == (await town.checks.pack_code(town.letters[1].pack_code, chat="telegram:6", now=NOW)).word


async def test_right_codes_open_a_paper_and_verifying_opens_none(town: Electorate) -> None:
    voting = await town.gives_codes(town.letters[0])
    verifying = await town.gives_codes(town.letters[0], purpose=Purpose.VERIFY)

    assert voting.intent is not None
    assert voting.intent.chat == "telegram:1"
    assert (voting.lock, voting.attempt, voting.warn_first) == (None, None, False)
    assert verifying.intent is None
    assert await town.count("intent") == 1


async def test_the_vote_code_of_another_pack_is_wrong(town: Electorate) -> None:
    await wrong_vote(town, town.letters[1].vote_code)


async def test_five_distinct_wrong_vote_codes_lock_the_pack_and_staff_hear_of_it(town: Electorate) -> None:
    """The same wrong code again costs nothing; the fifth distinct one locks, whoever typed them; staff lift it."""
    same = another(codes.Kind.VOTE)
    for _ in range(WRONG_VOTE_CODES_MAX + 2):
        await wrong_vote(town, same)
    for number in range(WRONG_VOTE_CODES_MAX - 2):
        await wrong_vote(town, another(codes.Kind.VOTE), chat=f"telegram:{number}")
    assert town.alarms == []
    await wrong_vote(town, another(codes.Kind.VOTE))

    assert [(alarm.kind, alarm.member_id) for alarm in town.alarms] == [(AlarmKind.PACK_LOCKED_OUT, 1)]
    with pytest.raises(PackLockedOut):
        await town.gives_codes(town.letters[0])
    async with town.database.writing() as connection:
        assert await lift_lockout(connection, "0000001", actor="Nia", via="chat", now=NOW)
        assert not await lift_lockout(connection, "0000001", actor="Nia", via="chat", now=NOW)
        with pytest.raises(UnknownMember):
            await lift_lockout(connection, "nobody", actor="Nia", via="chat", now=NOW)
    await wrong_vote(town, same)  # counts from the beginning again
    assert (await town.gives_codes(town.letters[0])).intent is not None
    assert await town.broken_probes() == []


async def test_ten_distinct_wrong_pack_codes_stop_a_chat_for_a_day(town: Electorate) -> None:
    for _ in range(WRONG_PACK_CODES_MAX - 1):
        await wrong_pack(town, another(codes.Kind.PACK))
    assert town.alarms == []
    await wrong_pack(town, another(codes.Kind.PACK))

    assert [alarm.kind for alarm in town.alarms] == [AlarmKind.CHAT_LOCKED_OUT]
    letter = town.letters[0]
    with pytest.raises(ChatLockedOut):
        await town.checks.pack_code(letter.pack_code, chat="telegram:9", now=NOW)
    with pytest.raises(ChatLockedOut):
        await town.checks.vote_code(
            1, letter.vote_code, chat="telegram:9", purpose=Purpose.VOTE, flow="f", warned=False, now=NOW
        )
    assert (await town.checks.pack_code(letter.pack_code, chat="telegram:8", now=NOW)).pack_id == 1
    tomorrow = NOW + CHAT_SPAN + timedelta(seconds=1)
    assert (await town.checks.pack_code(letter.pack_code, chat="telegram:9", now=tomorrow)).pack_id == 1
    async with town.database.writing() as connection:
        await purge_wrong_codes(connection, tomorrow)
    assert await town.count("wrong_code") == 0


async def test_many_wrong_codes_from_many_chats_raise_one_alarm(town: Electorate) -> None:
    for number in range(ALARM_WRONG_CODES + 3):
        await wrong_pack(town, another(codes.Kind.PACK), chat=f"telegram:{number}")

    assert [alarm.kind for alarm in town.alarms] == [AlarmKind.MANY_WRONG_CODES]


async def test_an_unknown_pack_number_is_no_way_in(town: Electorate) -> None:
    with pytest.raises(UnknownPackCode):
        await town.checks.vote_code(
            999, town.letters[0].vote_code, chat="t", purpose=Purpose.VOTE, flow="f", warned=False, now=NOW
        )


async def test_a_replaced_pack_is_called_void(town: Electorate) -> None:
    async with town.database.writing() as connection:
        await connection.execute(update(schema.pack).where(schema.pack.c.id == 1).values(state="replaced"))

    with pytest.raises(PackVoid):
        await town.checks.pack_code(town.letters[0].pack_code, chat="t", now=NOW)
    with pytest.raises(PackVoid):
        await town.checks.vote_code(
            1, town.letters[0].vote_code, chat="t", purpose=Purpose.VOTE, flow="f", warned=False, now=NOW
        )


@pytest.mark.parametrize("at", [OPENS_AT - timedelta(seconds=1), CLOSES_AT], ids=["before opening", "after the bell"])
async def test_outside_the_hours_no_paper_is_opened(town: Electorate, at: object) -> None:
    with pytest.raises(PollNotOpen):
        await town.gives_codes(town.letters[0], now=at)  # type: ignore[arg-type]
    assert (await town.gives_codes(town.letters[0], now=at, purpose=Purpose.VERIFY)).pack_id == 1  # type: ignore[arg-type]


async def test_who_lapsed_gets_no_paper(town: Electorate) -> None:
    async with town.database.writing() as connection:
        lapsed = {"eligible": False, "ineligible_reason": "lapsed"}
        await connection.execute(update(schema.member).where(schema.member.c.id == 1).values(lapsed))

    with pytest.raises(NotEligible):
        await town.gives_codes(town.letters[0])


async def test_the_same_chat_is_warned_before_anything_is_an_attempt(town: Electorate) -> None:
    ada = town.letters[0]
    await town.votes(ada)

    first = await town.gives_codes(ada, flow="a")
    assert (first.warn_first, first.attempt, await town.count("attempt")) == (True, None, 0)

    second = await town.gives_codes(ada, flow="b", warned=True)
    assert second.attempt is not None
    assert (second.attempt.kind, second.attempt.new) == (Kind.REPEAT, True)
    assert [seen.kind for seen in town.told] == [Kind.REPEAT]


async def test_codes_from_another_account_after_the_lock_are_an_attempt_once_per_going_through(
    town: Electorate,
) -> None:
    ada = town.letters[0]
    await town.votes(ada)

    seen = [await town.gives_codes(ada, chat="telegram:66", flow=flow) for flow in ("a", "a", "b")]

    attempts = [good.attempt for good in seen]
    assert all(attempt is not None and attempt.kind is Kind.FOREIGN for attempt in attempts)
    assert [attempt.new for attempt in attempts if attempt] == [True, False, True]
    assert len({attempt.case_id for attempt in attempts if attempt}) == 1
    assert len(town.told) == 2
    assert (await town.count("attempt"), await town.count("attempt_case"), await town.count("lock")) == (2, 1, 1)
    assert await town.broken_probes() == []


async def test_verifying_after_the_lock_is_never_an_attempt(town: Electorate) -> None:
    ada = town.letters[0]
    await town.votes(ada)

    good = await town.gives_codes(ada, chat="telegram:66", purpose=Purpose.VERIFY, warned=True)

    assert good.lock is not None
    assert await town.count("attempt") == 0


LOCK = {how: Lock(1, how, NOW, 1, "i", "r", "telegram:1" if how is How.ONLINE else None) for how in How}


@pytest.mark.parametrize(
    ("how", "chat", "paper", "warned", "kind"),
    [
        (How.ONLINE, "telegram:1", False, False, None),
        (How.ONLINE, "telegram:1", False, True, Kind.REPEAT),
        (How.ONLINE, "telegram:2", False, False, Kind.FOREIGN),
        (How.ONLINE, "telegram:2", False, True, Kind.FOREIGN),
        (How.POST, "telegram:1", False, False, Kind.ONLINE_AFTER_POST),
        (How.ONLINE, None, True, False, Kind.POST_AFTER_ONLINE),
        (How.POST, None, True, False, Kind.SECOND_PAPER),
    ],
)
def test_the_class_of_an_attempt(how: How, chat: str | None, paper: bool, warned: bool, kind: Kind | None) -> None:
    assert classify(LOCK[how], chat=chat, paper=paper, warned=warned) is kind


def test_every_class_has_a_way_to_happen() -> None:
    assert set(CLASSES.values()) == {*Kind, None}
    assert (How.POST, Source.SAME_CHAT) not in CLASSES
