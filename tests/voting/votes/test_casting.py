"""Codes: what is wrong is counted, right opens one paper, and after the lock there is a warning or an attempt."""

import asyncio
import contextlib
from collections import Counter
from datetime import datetime, timedelta

import pytest
from electorate import Electorate, make_letters, open_electorate
from prepared import CLOSES_AT, NOW, OPENS_AT, POLL, SECRETS
from sqlalchemy import event, text, update

from voting import schema
from voting.audit.signer import Signer
from voting.codes import codes
from voting.model import By, How, Lock
from voting.packs.forgetting import forget_credentials
from voting.poll import polls
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
from voting.store.database import Database
from voting.votes import checks
from voting.votes.attempts import CLASSES, Kind, Source, classify
from voting.votes.right_codes import CodesGood, Purpose
from voting.votes.wrong_codes import (
    ALARM_SPAN,
    ALARM_WRONG_CODES,
    CHAT_SPAN,
    WRONG_PACK_CODES_MAX,
    WRONG_VOTE_CODES_MAX,
    AlarmKind,
    lift_chat,
    lift_lockout,
    purge_wrong_codes,
    take_turn,
)


@pytest.fixture(params=["together", "apart"])
async def town(database: Database, request: pytest.FixtureRequest) -> Electorate:
    """Codes come in one message, or one after the other; the rules are the same."""
    town = await open_electorate(database)
    town.apart = request.param == "apart"
    return town


def another(kind: codes.Kind) -> str:
    return codes.generate(kind, "leader-2022")


async def give_vote(town: Electorate, code: str, *, chat: str, purpose: Purpose = Purpose.VERIFY) -> CodesGood:
    """Give a vote code for the first pack, with its pack code or after it."""
    known = {"chat": chat, "purpose": purpose, "flow": "f", "warned": False, "now": NOW}
    if town.apart:
        await town.checks.pack_code(town.letters[0].pack_code, chat=chat, now=NOW)
    return await town.checks.both_codes(town.letters[0].pack_code, code, **known)  # type: ignore[arg-type]


async def give_pack(town: Electorate, code: str, *, chat: str, now: datetime = NOW) -> int:
    """Give a pack code, alone or with the first pack's vote code; return the pack it finds."""
    if town.apart:
        return (await town.checks.pack_code(code, chat=chat, now=now)).pack_id
    good = await town.checks.both_codes(
        code, town.letters[0].vote_code, chat=chat, purpose=Purpose.VERIFY, flow="f", warned=False, now=now
    )
    return good.pack_id


async def wrong_vote(town: Electorate, code: str, chat: str = "telegram:1") -> None:
    with pytest.raises(WrongVoteCode):
        await give_vote(town, code, chat=chat)


async def wrong_pack(town: Electorate, code: str, chat: str = "telegram:9", **later: float) -> None:
    with pytest.raises(UnknownPackCode):
        await give_pack(town, code, chat=chat, now=NOW + timedelta(**later))


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
        assert await lift_lockout(connection, "0000001", by=By("Nia", "chat", NOW))
        assert not await lift_lockout(connection, "0000001", by=By("Nia", "chat", NOW))
        with pytest.raises(UnknownMember):
            await lift_lockout(connection, "nobody", by=By("Nia", "chat", NOW))
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
        await give_pack(town, letter.pack_code, chat="telegram:9")
    with pytest.raises(ChatLockedOut):
        await give_pack(town, another(codes.Kind.PACK), chat="telegram:9")
    with pytest.raises(ChatLockedOut):
        await town.gives_codes(letter, chat="telegram:9")
    assert await give_pack(town, letter.pack_code, chat="telegram:8") == 1
    tomorrow = NOW + CHAT_SPAN + timedelta(seconds=1)
    assert await give_pack(town, letter.pack_code, chat="telegram:9", now=tomorrow) == 1
    async with town.database.writing() as connection:
        await purge_wrong_codes(connection, tomorrow)
    assert await town.count("wrong_code") == 0


async def test_many_wrong_codes_from_many_chats_raise_one_alarm_and_stop_nobody(town: Electorate) -> None:
    chats = [f"telegram:{number}" for number in range(ALARM_WRONG_CODES + 3)]

    await asyncio.gather(*(wrong_pack(town, another(codes.Kind.PACK), chat=chat) for chat in chats))

    assert [alarm.kind for alarm in town.alarms] == [AlarmKind.MANY_WRONG_CODES]
    assert (await town.votes(town.letters[0])).fresh
    later = ALARM_SPAN.total_seconds()
    for chat in chats:
        await wrong_pack(town, another(codes.Kind.PACK), chat=chat, seconds=later)
    assert len(town.alarms) == 2


async def test_one_derivation_and_the_same_reads_whatever_the_pack_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, void, used and right: neither time nor statements tell one from another before it is judged."""
    town = await open_electorate(database, 4)
    right, used, void, _ = town.letters
    await town.votes(used)
    async with database.writing() as connection:
        await connection.execute(update(schema.pack).where(schema.pack.c.id == void.pack_id).values(state="replaced"))
    unknown = make_letters(POLL, 1)[0]
    derived: list[str] = []
    real = checks.derive_secret
    monkeypatch.setattr(
        checks, "derive_secret", lambda *codes_and_uuid: derived.append(codes_and_uuid[0]) or real(*codes_and_uuid)
    )
    read: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *told: read.append(told[2]))

    reads = []
    for place, letter in enumerate((right, used, void, unknown)):
        read.clear()
        with contextlib.suppress(PackVoid, UnknownPackCode):
            await town.gives_codes(letter, chat=f"telegram:{70 + place}", purpose=Purpose.VERIFY)
        reads.append([statement for statement in read if "FROM pack JOIN member" in statement])

    assert derived == [letter.pack_code for letter in (right, used, void, unknown)]
    assert reads[0] == reads[1] == reads[2] == reads[3]
    assert len(reads[0]) == 1


async def test_codes_of_a_pack_whose_credential_was_forgotten_are_not_called_wrong(town: Electorate) -> None:
    async with town.database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", NOW))
        await polls.mark_counted(connection)
        await forget_credentials(connection)

    with pytest.raises(PollNotOpen):
        await town.gives_codes(town.letters[0], purpose=Purpose.VERIFY)

    assert await town.count("wrong_code") == 0


async def test_a_replaced_pack_is_called_void(town: Electorate) -> None:
    async with town.database.writing() as connection:
        await connection.execute(update(schema.pack).where(schema.pack.c.id == 1).values(state="replaced"))

    with pytest.raises(PackVoid):
        await town.checks.pack_code(town.letters[0].pack_code, chat="t", now=NOW)
    with pytest.raises(PackVoid):
        await town.gives_codes(town.letters[0], chat="t")


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


async def test_another_account_is_warned_before_anything_is_an_attempt(town: Electorate) -> None:
    """It may be the wrong letter at the same table, or the member's own second phone."""
    ada = town.letters[0]
    await town.votes(ada)

    first = await town.gives_codes(ada, chat="telegram:66", flow="a")

    assert (first.warn_first, first.attempt, await town.count("attempt")) == (True, None, 0)
    assert town.told == []


async def test_codes_from_a_warned_account_after_the_lock_are_an_attempt_once_per_going_through(
    town: Electorate,
) -> None:
    ada = town.letters[0]
    await town.votes(ada)

    seen = [await town.gives_codes(ada, chat="telegram:66", flow=flow, warned=True) for flow in ("a", "a", "b")]

    attempts = [good.attempt for good in seen]
    assert all(attempt is not None and attempt.kind is Kind.FOREIGN for attempt in attempts)
    assert [attempt.new for attempt in attempts if attempt] == [True, False, True]
    assert len({attempt.case_id for attempt in attempts if attempt}) == 1
    assert len(town.told) == 2
    assert (await town.count("attempt"), await town.count("attempt_case"), await town.count("lock")) == (2, 1, 1)
    assert await town.broken_probes() == []


async def test_the_message_that_opened_a_paper_before_the_lock_is_no_attempt_when_it_comes_again(
    town: Electorate,
) -> None:
    """A crash between the commit and the answer: the other account's message is read once more, after the lock."""
    ada = town.letters[0]
    await town.opens_paper(ada, chat="telegram:66", message="41")
    await town.votes(ada)

    again = await town.gives_codes(ada, chat="telegram:66", message="41", warned=True)
    typed_anew = await town.gives_codes(ada, chat="telegram:66", message="45", warned=True)
    somebody_elses = await town.gives_codes(ada, chat="telegram:67", flow="other", message="41", warned=True)

    assert (again.attempt, again.intent, again.warn_first) == (None, None, True)
    assert again.lock is not None
    assert typed_anew.attempt is not None
    assert somebody_elses.attempt is not None
    assert await town.count("attempt") == 2


async def test_codes_given_before_the_lock_and_read_after_it_are_no_attempt(town: Electorate) -> None:
    """Two accounts of one person, after an outage: the later message may be read first."""
    ada = town.letters[0]
    await town.votes(ada)

    good = await town.gives_codes(ada, chat="telegram:66", now=NOW - timedelta(microseconds=1))

    assert (good.attempt, good.warn_first) == (None, True)
    assert await town.count("attempt_case") == 0


async def test_vote_codes_guessed_at_once_are_judged_one_after_the_other(town: Electorate) -> None:
    """Forty guesses wait together, the last one right: five are judged, the rest find the pack locked out."""
    guesses = [another(codes.Kind.VOTE) for _ in range(40)] + [town.letters[0].vote_code]

    answers = await asyncio.gather(
        *(give_vote(town, guess, chat=f"telegram:{n}", purpose=Purpose.VOTE) for n, guess in enumerate(guesses)),
        return_exceptions=True,
    )

    assert Counter(map(type, answers)) == {WrongVoteCode: WRONG_VOTE_CODES_MAX, PackLockedOut: 36}
    assert [alarm.kind for alarm in town.alarms] == [AlarmKind.PACK_LOCKED_OUT]
    assert (await town.count("intent"), await town.count("wrong_code")) == (0, WRONG_VOTE_CODES_MAX)


async def test_pack_codes_guessed_at_once_from_one_chat_are_judged_one_after_the_other(town: Electorate) -> None:
    guesses = [another(codes.Kind.PACK) for _ in range(40)] + [town.letters[0].pack_code]

    answers = await asyncio.gather(
        *(give_pack(town, guess, chat="telegram:9") for guess in guesses), return_exceptions=True
    )

    assert Counter(map(type, answers)) == {UnknownPackCode: WRONG_PACK_CODES_MAX, ChatLockedOut: 31}
    assert [alarm.kind for alarm in town.alarms] == [AlarmKind.CHAT_LOCKED_OUT]


def another_process(town: Electorate) -> Electorate:
    """Give what works on the same database with connections of its own."""
    url = town.database.url.render_as_string(hide_password=False)
    return Electorate(Database(url, Signer(SECRETS)), town.letters, apart=town.apart)


async def test_two_processes_count_a_chats_wrong_codes_as_one(town: Electorate) -> None:
    other = another_process(town)
    answers = await asyncio.gather(
        *(give_pack(asker, another(codes.Kind.PACK), chat="telegram:9") for asker in (town, other) * 10),
        return_exceptions=True,
    )
    await other.database.close()

    assert Counter(map(type, answers)) == {UnknownPackCode: WRONG_PACK_CODES_MAX, ChatLockedOut: 10}
    assert [alarm.kind for alarm in town.alarms + other.alarms] == [AlarmKind.CHAT_LOCKED_OUT]


async def test_two_processes_count_a_packs_wrong_codes_as_one(town: Electorate) -> None:
    """Whoever waits for their turn finds the pack locked out meanwhile."""
    other = another_process(town)
    answers = await asyncio.gather(
        *(
            give_vote(asker, another(codes.Kind.VOTE), chat=f"telegram:{n}")
            for n, asker in enumerate((town, other) * 10)
        ),
        return_exceptions=True,
    )
    await other.database.close()

    assert Counter(map(type, answers)) == {WrongVoteCode: WRONG_VOTE_CODES_MAX, PackLockedOut: 15}
    assert [alarm.kind for alarm in town.alarms + other.alarms] == [AlarmKind.PACK_LOCKED_OUT]


async def test_a_pack_locked_out_while_a_wrong_code_waits_its_turn_stays_locked_out(
    town: Electorate, engine_name: str
) -> None:
    """Another process is counting the fifth wrong code; ours comes to its turn and finds the pack locked out."""
    code = another(codes.Kind.VOTE)
    async with town.database.writing() as connection:
        await take_turn(connection)
        guess = asyncio.create_task(give_vote(town, code, chat="t"))
        if engine_name == "postgresql":
            await somebody_waits_for_a_turn(town.database)
        await connection.execute(update(schema.pack).where(schema.pack.c.id == 1).values(locked_out_at=NOW))

    with pytest.raises(PackLockedOut):
        await guess

    assert (await town.count("wrong_code"), town.alarms) == (0, [])


async def somebody_waits_for_a_turn(database: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with asyncio.timeout(30), database.reading() as connection:
        while not await connection.scalar(waiting):
            pass


async def test_both_codes_wrong_tell_no_more_than_one_and_count_for_the_chat_alone(town: Electorate) -> None:
    """With a pack code that is nobody's there is no pack to count for."""
    with pytest.raises(UnknownPackCode):
        await town.checks.both_codes(
            another(codes.Kind.PACK),
            another(codes.Kind.VOTE),
            chat="telegram:9",
            purpose=Purpose.VOTE,
            flow="f",
            warned=False,
            now=NOW,
        )

    async with town.database.reading() as connection:
        counted = (await connection.execute(text("SELECT chat, pack_id FROM wrong_code"))).all()
    assert [tuple(row) for row in counted] == [("telegram:9", None)]


async def test_a_code_tells_its_word_before_anybody_looks_it_up(town: Electorate) -> None:
    code = town.letters[0].pack_code
    found = await town.checks.pack_code(code, chat="telegram:1", now=NOW)

    assert await town.checks.word(code) == found.word


async def test_the_same_wrong_pack_code_again_costs_nothing(town: Electorate) -> None:
    code = another(codes.Kind.PACK)
    for _ in range(WRONG_PACK_CODES_MAX + 1):
        await wrong_pack(town, code)

    assert (await town.count("wrong_code"), town.alarms) == (1, [])


async def test_staff_let_a_chat_try_again(town: Electorate) -> None:
    for _ in range(WRONG_PACK_CODES_MAX):
        await wrong_pack(town, another(codes.Kind.PACK))

    async with town.database.writing() as connection:
        assert await lift_chat(connection, "telegram:9", by=By("Nia", "chat", NOW))
        assert not await lift_chat(connection, "telegram:9", by=By("Nia", "chat", NOW))

    assert (await town.checks.pack_code(town.letters[0].pack_code, chat="telegram:9", now=NOW)).pack_id == 1
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
        (How.ONLINE, "telegram:2", False, False, None),
        (How.ONLINE, "telegram:2", False, True, Kind.FOREIGN),
        (How.POST, "telegram:1", False, False, None),
        (How.POST, "telegram:1", False, True, Kind.ONLINE_AFTER_POST),
        (How.ONLINE, None, True, False, Kind.POST_AFTER_ONLINE),
    ],
)
def test_the_class_of_an_attempt(how: How, chat: str | None, paper: bool, warned: bool, kind: Kind | None) -> None:
    assert classify(LOCK[how], chat=chat, paper=paper, warned=warned) is kind


def test_every_class_has_a_way_to_happen() -> None:
    assert set(CLASSES.values()) == {*Kind, None}
    assert (How.POST, Source.SAME_CHAT) not in CLASSES
