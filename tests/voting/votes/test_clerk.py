"""One lock per member, for ever, whatever races; a replay is not an attempt (promises 1 and 2)."""

import asyncio
import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from electorate import (
    Electorate,
    Letter,
    credential_of,
    make_letters,
    open_electorate,
    pack_row,
    press,
    the_other,
)
from opened import choices_of
from prepared import CLOSES_AT, NOW, OPENS_AT, POLL, SECRETS, make_poll
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from voting import schema, secrets_file
from voting.audit.signer import Signer
from voting.ballots.ballot import ballot_digest, sign, write_ballot
from voting.ballots.check import check
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.group import random_scalar
from voting.ballots.mark import mark_of
from voting.ballots.packed import unpack
from voting.ballots.refusals import BallotRefusal, FieldWrong
from voting.ballots.seal import draw_randomness, seal
from voting.model import By
from voting.poll import polls
from voting.poll.election import election_of
from voting.refusals import (
    AlreadyVoted,
    Fault,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PaperGone,
    PollNotOpen,
    RuleChanged,
    UnknownIntent,
    UnknownOption,
)
from voting.store.database import Database
from voting.votes import sealing
from voting.votes.cast import Cast, CastOutcome, Ready, Waiting
from voting.votes.clerk import Clerk
from voting.votes.locks import find_lock, locks_of_chat
from voting.votes.sealing import put_aside


@pytest.fixture
async def town(database: Database) -> Electorate:
    return await open_electorate(database)


async def test_a_vote_is_locked_sealed_and_receipted(town: Electorate) -> None:
    outcome = await town.votes(town.letters[0], option=1)

    async with town.database.reading() as connection:
        lock = (await connection.execute(select(schema.lock))).one()
        ballot = (await connection.execute(select(schema.ballot))).one()
        entry = (await connection.execute(select(schema.chain).where(schema.chain.c.seq == ballot.entry))).one()
        poll = await polls.load(connection)
    assert outcome == CastOutcome(mark_of(ballot.digest), NOW, 1, fresh=True, digest=ballot.digest, entry=ballot.entry)
    assert (lock.member_id, lock.how, lock.receipt, lock.chat) == (1, "online", outcome.receipt, "telegram:1")
    assert ballot.credential == credential_of(town.letters[0], POLL.uuid)
    assert (entry.kind, entry.body) == ("votes_locked", {"n": 1, "ballots": [ballot.digest.hex()]})
    election = election_of(poll)
    assert ballot_digest(check(unpack(ballot.packed, election), election)) == ballot.digest
    assert choices_of([ballot.packed], election, town.dealt) == [(0, 1)]
    assert await town.broken_probes() == []


async def test_two_votes_for_the_same_option_have_nothing_in_common(town: Electorate) -> None:
    first, second = [await town.votes(letter) for letter in town.letters[:2]]

    assert first.receipt != second.receipt
    assert first.digest != second.digest


async def test_the_credential_waits_with_the_paper_and_is_gone_with_the_lock(town: Electorate) -> None:
    """Encrypted, with every paper of the member: on each device."""
    ada, bob, _ = town.letters
    await town.opens_paper(ada, chat="telegram:77")
    paper, waiting = await town.opens_paper(ada), await town.opens_paper(bob)
    secret = derive_secret(ada.pack_code, ada.vote_code, POLL.uuid).to_bytes(32, "big")
    closed = await secrets_kept(town)
    assert len(closed) == 3
    assert not any(secret in one for one in closed.values())

    await town.clerk.cast(press(paper, ada.chat, 0), NOW)

    assert list(await secrets_kept(town)) == [waiting]


async def secrets_kept(town: Electorate) -> dict[str, bytes]:
    """Give what waits with papers, by paper."""
    async with town.database.reading() as connection:
        kept = await connection.execute(select(schema.intent.c.id, schema.intent.c.credential_secret))
        return {intent: closed for intent, closed in kept if closed is not None}


async def test_a_paper_put_aside_asks_for_the_codes_again(town: Electorate) -> None:
    ada = town.letters[0]
    paper = await town.opens_paper(ada)
    async with town.database.writing() as connection:
        await put_aside(connection, paper)

    with pytest.raises(PaperGone):
        await town.clerk.cast(press(paper, ada.chat, 0), NOW)

    assert await secrets_kept(town) == {}
    assert (await town.votes(ada)).fresh


async def test_a_paper_whose_hour_is_forgotten_asks_for_the_codes_again(database: Database) -> None:
    secrets = replace(SECRETS, hours=secrets_file.make().hours)
    town = await open_electorate(database, secrets=secrets)
    ada = town.letters[0]
    paper = await town.opens_paper(ada)
    secrets.hours.forget_before(NOW + timedelta(hours=2))

    with pytest.raises(PaperGone):
        await town.clerk.cast(press(paper, ada.chat, 0), NOW)


async def test_a_paper_opened_under_an_older_rule_is_not_cast(town: Electorate) -> None:
    ada = town.letters[0]
    paper = await town.opens_paper(ada)
    async with town.database.writing() as connection:
        rule = {"en-GB": "One vote, once.", "cy": "Un bleidlais, unwaith."}
        await polls.change_rule(connection, rule, by=By("Gwen", "command line", NOW))

    with pytest.raises(RuleChanged):
        await town.clerk.cast(press(paper, ada.chat, 0), NOW)

    assert (await town.clerk.cast(press(paper, ada.chat, 0, rule_version=2), NOW)).fresh


async def test_a_ballot_made_elsewhere_is_checked_and_locked_as_it_is(town: Electorate) -> None:
    """As the voting page sends it. The same bytes again, or others on the same paper, are a replay."""
    ada = town.letters[0]
    paper = await town.opens_paper(ada)
    first, other = [await made_elsewhere(town, ada, option) for option in (1, 0)]

    outcome = await town.clerk.cast(Cast(paper, ada.chat, 1, ballot=first), NOW)
    again = await town.clerk.cast(Cast(paper, ada.chat, 1, ballot=first), NOW)
    late = await town.clerk.cast(Cast(paper, ada.chat, 1, ballot=other), NOW)

    assert outcome.digest == hashlib.sha256(first).digest()
    assert again == late == replace(outcome, fresh=False)
    assert await town.count("ballot") == 1


async def test_a_ballot_under_another_credential_is_refused(town: Electorate) -> None:
    ada, bob, _ = town.letters
    paper = await town.opens_paper(ada)

    with pytest.raises(FieldWrong) as refused:
        await town.clerk.cast(Cast(paper, ada.chat, 1, ballot=await made_elsewhere(town, bob, 0)), NOW)

    assert refused.value.field == "credential"
    assert await town.count("lock") == 0


async def test_a_ballot_from_elsewhere_that_does_not_hold_is_refused_by_its_field(town: Electorate) -> None:
    ada = town.letters[0]
    paper = await town.opens_paper(ada)
    good = json.loads(await made_elsewhere(town, ada, 0))
    proof = good["answers"][0]["overall_proof"][0]
    proof["response"] = str(int(proof["response"]) - 1)
    forged = json.dumps(good, separators=(",", ":")).encode()
    unsigned = {name: value for name, value in good.items() if name != "signature"}
    without = json.dumps(unsigned, separators=(",", ":")).encode()

    for ballot in (b"{", without, forged):
        with pytest.raises(BallotRefusal):
            await town.clerk.cast(Cast(paper, ada.chat, 1, ballot=ballot), NOW)

    assert await town.count("lock") == 0


async def made_elsewhere(town: Electorate, letter: Letter, option: int) -> bytes:
    """Seal and sign a ballot as the member's own browser does."""
    async with town.database.reading() as connection:
        election = election_of(await polls.load(connection))
    secret = derive_secret(letter.pack_code, letter.vote_code, election.uuid)
    bits = tuple(int(place == option) for place in range(2))
    sealed = seal(election, public_credential(secret), (bits,), draw_randomness(election))
    return write_ballot(sign(sealed, secret, random_scalar()))


async def test_the_same_press_again_gets_the_same_receipt_whatever_is_pressed(town: Electorate) -> None:
    """A redelivered press, a double tap, another option on the stale keyboard: one lock, one receipt, no case."""
    ada = town.letters[0]
    intent = await town.opens_paper(ada)

    taps = await asyncio.gather(*(town.clerk.cast(press(intent, ada.chat, option), NOW) for option in (0, 0, 1, 0, 1)))

    assert len({tap.receipt for tap in taps}) == 1
    assert [tap.fresh for tap in taps].count(True) == 1
    assert (await town.count("lock"), await town.count("ballot"), await town.count("attempt_case")) == (1, 1, 0)


async def test_a_second_paper_of_the_same_chat_opened_before_the_lock_gets_the_first_receipt(town: Electorate) -> None:
    """One person, two devices on one account: both papers were open when the first was cast."""
    ada = town.letters[0]
    phone, laptop = await town.opens_paper(ada), await town.opens_paper(ada)
    first = await town.clerk.cast(press(phone, ada.chat, 0), NOW)

    second = await town.clerk.cast(press(laptop, ada.chat, 1), NOW)

    assert (second.receipt, second.fresh) == (first.receipt, False)
    assert await town.count("attempt_case") == 0


async def test_a_paper_opened_elsewhere_before_the_lock_is_told_and_nobody_is_reported(town: Electorate) -> None:
    ada = town.letters[0]
    elsewhere = await town.opens_paper(ada, chat="telegram:77")
    await town.votes(ada)

    with pytest.raises(AlreadyVoted):
        await town.clerk.cast(press(elsewhere, "telegram:77", 1), NOW)

    assert (await town.count("lock"), await town.count("ballot"), await town.count("attempt_case")) == (1, 1, 0)


async def test_a_paper_refused_elsewhere_keeps_the_first_time_of_it(town: Electorate) -> None:
    """Staff see that somebody else held the letter; the member's own papers leave no trace."""
    ada = town.letters[0]
    elsewhere, own = await town.opens_paper(ada, chat="telegram:77"), await town.opens_paper(ada)
    await town.votes(ada)

    for late in range(2):
        with pytest.raises(AlreadyVoted):
            await town.clerk.cast(press(elsewhere, "telegram:77", 1), NOW + timedelta(minutes=late))
    await town.clerk.cast(press(own, ada.chat, 0), NOW)

    async with town.database.reading() as connection:
        found = await connection.execute(select(schema.intent.c.id, schema.intent.c.refused_at))
        traces = {intent_id: at for intent_id, at in found if at is not None}
    assert traces == {elsewhere: NOW}


async def test_a_member_s_own_paper_cast_after_their_vote_by_post_leaves_no_trace(town: Electorate) -> None:
    """Nobody else was there: the trace says that another account held the letter."""
    ada = town.letters[0]
    own = await town.opens_paper(ada)
    async with town.database.writing() as connection:
        by_post = {"member_id": ada.member_id, "how": "post", "at": NOW, "pack_id": ada.pack_id}
        await connection.execute(insert(schema.lock).values(by_post))

    with pytest.raises(AlreadyVoted):
        await town.clerk.cast(press(own, ada.chat, 0), NOW)

    async with town.database.reading() as connection:
        assert list(await connection.scalars(select(schema.intent.c.refused_at))) == [None]


async def test_another_chat_cannot_press_somebody_elses_paper(town: Electorate) -> None:
    intent = await town.opens_paper(town.letters[0])

    with pytest.raises(UnknownIntent):
        await town.clerk.cast(press(intent, "telegram:77", 0), NOW)
    with pytest.raises(UnknownIntent):
        await town.clerk.cast(press("no such intent", town.letters[0].chat, 0), NOW)

    assert await town.count("lock") == 0


@pytest.mark.parametrize("option", [-1, 2, 10_000])
async def test_an_option_that_is_not_on_the_paper_locks_nothing(town: Electorate, option: int) -> None:
    intent = await town.opens_paper(town.letters[0])

    with pytest.raises(UnknownOption):
        await town.clerk.cast(press(intent, town.letters[0].chat, option), NOW)

    assert await town.count("lock") == 0


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        (OPENS_AT - timedelta(microseconds=1), False),
        (OPENS_AT, True),
        (CLOSES_AT - timedelta(microseconds=1), True),
        (CLOSES_AT, False),
    ],
    ids=["just before opening", "at opening", "just before the closing bell", "on the closing bell"],
)
async def test_votes_are_taken_from_opening_to_the_closing_bell(town: Electorate, at: object, taken: bool) -> None:
    intent = await town.opens_paper(town.letters[0])
    cast = town.clerk.cast(press(intent, town.letters[0].chat, 0), at)  # type: ignore[arg-type]

    if taken:
        assert (await cast).fresh
    else:
        with pytest.raises(PollNotOpen):
            await cast


async def test_a_press_in_time_is_taken_beside_one_that_is_late(town: Electorate) -> None:
    """Both wait for the same transaction; each is judged by its own moment."""
    ada, bob, _ = town.letters
    in_time, late = await town.opens_paper(ada), await town.opens_paper(bob)

    first, second = await asyncio.gather(
        town.clerk.cast(press(in_time, ada.chat, 0), CLOSES_AT - timedelta(seconds=1)),
        town.clerk.cast(press(late, bob.chat, 0), CLOSES_AT),
        return_exceptions=True,
    )

    assert isinstance(first, CastOutcome)
    assert first.fresh
    assert isinstance(second, PollNotOpen)


async def test_casts_locked_together_keep_their_own_times(town: Electorate) -> None:
    """One waited while the other's paper was still being opened: no lock is older than its paper."""
    ada, bob, _ = town.letters
    early = await town.opens_paper(ada)
    late = await town.opens_paper(bob, now=NOW + timedelta(seconds=5))

    times = (NOW + timedelta(seconds=1), NOW + timedelta(seconds=6))
    outcomes = await asyncio.gather(
        town.clerk.cast(press(early, ada.chat, 0), times[0]), town.clerk.cast(press(late, bob.chat, 0), times[1])
    )

    async with town.database.reading() as connection:
        locked = await connection.execute(select(schema.lock.c.at).order_by(schema.lock.c.member_id))
    assert tuple(outcome.at for outcome in outcomes) == times == tuple(locked.scalars())


async def test_a_paper_of_a_replaced_pack_does_not_stand_in_the_way_of_the_new_one(town: Electorate) -> None:
    """Both are pressed at once: the old one is void, the new one votes."""
    ada = town.letters[0]
    stale = await town.opens_paper(ada)
    made = make_letters(POLL, 1)[0]
    renewed = Letter(1, 100, made.pack_code, made.vote_code)
    async with town.database.writing() as connection:
        await connection.execute(update(schema.pack).where(schema.pack.c.id == 1).values(state="replaced"))
        await connection.execute(insert(schema.pack), [pack_row(POLL, renewed, serial=2)])
    paper = await town.opens_paper(renewed)

    first, second = await asyncio.gather(
        *(town.clerk.cast(press(intent, ada.chat, 0), NOW) for intent in (stale, paper)), return_exceptions=True
    )

    assert isinstance(second, CastOutcome)
    assert second.fresh
    assert isinstance(first, CastOutcome), "its member has voted by the time it is answered: the same receipt"
    assert (first.receipt, first.fresh, await town.count("lock")) == (second.receipt, False, 1)
    assert await town.broken_probes() == []


async def test_a_mark_that_somebody_has_already_spoils_nobody_elses_vote(
    town: Electorate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chance may make a mark twice: that one vote waits for another press, those beside it are locked."""
    ada, bob, cai = town.letters
    first = await town.votes(ada)
    twin, other = await town.opens_paper(bob), await town.opens_paper(cai)
    unlucky = credential_of(bob, POLL.uuid)
    real = sealing.Ready

    def ready(credential: bytes, packed: bytes, digest: bytes, mark: str) -> Ready:
        return real(credential, packed, digest, first.receipt if credential == unlucky else mark)

    monkeypatch.setattr(sealing, "Ready", ready)
    refused, locked = await asyncio.gather(
        town.clerk.cast(press(twin, bob.chat, 0), NOW),
        town.clerk.cast(press(other, cai.chat, 0), NOW),
        return_exceptions=True,
    )
    monkeypatch.undo()

    assert isinstance(refused, Fault)
    assert isinstance(locked, CastOutcome)
    assert locked.fresh
    assert (await town.clerk.cast(press(twin, bob.chat, 0), NOW)).fresh
    assert await town.broken_probes() == []


async def test_after_the_close_a_replay_still_gets_its_receipt(town: Electorate) -> None:
    ada, bob, _ = town.letters
    intent, never = await town.opens_paper(ada), await town.opens_paper(bob)
    first = await town.clerk.cast(press(intent, ada.chat, 0), NOW)
    async with town.database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", NOW))

    again = await town.clerk.cast(press(intent, ada.chat, 0), NOW)

    assert again.receipt == first.receipt
    with pytest.raises(PollNotOpen):
        await town.clerk.cast(press(never, bob.chat, 0), NOW)


@pytest.mark.parametrize(
    ("table", "values", "refusal"),
    [
        (schema.member, {"eligible": False, "ineligible_reason": "lapsed"}, NotEligible),
        (schema.pack, {"state": "void"}, PackVoid),
        (schema.pack, {"locked_out_at": NOW}, PackLockedOut),
    ],
    ids=["lapsed meanwhile", "pack replaced meanwhile", "pack locked out meanwhile"],
)
async def test_what_changed_while_the_paper_lay_open_counts(
    town: Electorate, table: object, values: dict[str, object], refusal: type[Exception]
) -> None:
    ada = town.letters[0]
    intent = await town.opens_paper(ada)
    async with town.database.writing() as connection:
        await connection.execute(update(table).values(values).where(table.c.id == 1))  # type: ignore[attr-defined, arg-type]

    with pytest.raises(refusal):
        await town.clerk.cast(press(intent, ada.chat, 0), NOW)

    assert await town.count("lock") == 0


@pytest.mark.parametrize(
    ("change", "chat", "at"),
    [
        (None, "telegram:77", NOW),
        ("UPDATE member SET eligible = (1 = 0)", "telegram:1", NOW),
        ("UPDATE pack SET state = 'replaced'", "telegram:1", NOW),
        ("UPDATE pack SET locked_out_at = 1", "telegram:1", NOW),
        ("UPDATE poll SET rule_version = 2", "telegram:1", NOW),
        ("UPDATE poll SET phase = 'closed'", "telegram:1", NOW),
        (None, "telegram:1", CLOSES_AT),
        ("INSERT INTO lock (member_id, how, at, pack_id) VALUES (1, 'post', 1, 1)", "telegram:1", NOW),
    ],
    ids=[
        "another chat's paper",
        "lapsed",
        "replaced",
        "locked out",
        "another rule",
        "poll closed",
        "after the bell",
        "voted by post",
    ],
)
async def test_the_statement_itself_judges_what_may_have_changed_a_moment_ago(
    town: Electorate, change: str | None, chat: str, at: datetime
) -> None:
    """Whatever Python saw before: another process may have been faster."""
    intent = await town.opens_paper(town.letters[0])
    async with town.database.writing() as connection:
        if change is not None:
            await connection.execute(text(change))
        before = await connection.scalar(text("SELECT count(*) FROM lock"))

        ballot = Ready(credential_of(town.letters[0], POLL.uuid), b"packed", b"digest", "mark")
        waiting = {(intent, chat): (Waiting(press(intent, chat, 0), at, ballot), ballot)}

        assert await town.clerk._lock_batch(connection, waiting) == {}
        assert await connection.scalar(text("SELECT count(*) FROM lock")) == before
        assert await connection.scalar(text("SELECT count(*) FROM ballot")) == 0


async def test_sixty_four_tasks_and_four_clerks_racing_on_one_member_make_one_lock(database: Database) -> None:
    """Every racer holds a paper of its own, from one chat or many; one locks, the rest are told what is true."""
    town = await open_electorate(database, members=1)
    ada = town.letters[0]
    url = database.url.render_as_string(hide_password=False)
    others = [Electorate(Database(url, Signer(SECRETS)), town.letters) for _ in range(3)]
    clerks = [town.clerk, *(other.clerk for other in others)]
    chats = [ada.chat if n % 2 else f"telegram:{1000 + n}" for n in range(64)]
    intents = [await town.opens_paper(ada, chat=chat) for chat in chats]

    answers = await asyncio.gather(
        *(
            clerks[n % 4].cast(press(intent, chat, n % 2), NOW)
            for n, (intent, chat) in enumerate(zip(intents, chats, strict=True))
        ),
        return_exceptions=True,
    )
    for other in others:
        await other.database.close()

    won = [answer for answer in answers if isinstance(answer, CastOutcome) and answer.fresh]
    kinds = Counter(type(answer) for answer in answers)
    assert len(won) == 1
    assert set(kinds) <= {CastOutcome, AlreadyVoted}
    receipts = {answer.receipt for answer in answers if isinstance(answer, CastOutcome)}
    assert receipts == {won[0].receipt}
    assert (await town.count("lock"), await town.count("ballot")) == (1, 1)
    assert await town.broken_probes() == []


FORBIDDEN = {
    "change a lock": "UPDATE lock SET chat = 'x'",
    "change a lock's time": "UPDATE lock SET at = 0 WHERE member_id = 1",
    "delete a lock": "DELETE FROM lock",
    "change a ballot": "UPDATE ballot SET packed = digest",
    "change what a ballot stands under": "UPDATE ballot SET entry = 1",
    "delete a ballot": "DELETE FROM ballot",
    "change the chain": "UPDATE chain SET actor = 'x'",
    "delete from the chain": "DELETE FROM chain WHERE seq = 1",
}


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_no_statement_changes_or_deletes_what_is_for_ever(town: Electorate, statement: str) -> None:
    await town.votes(town.letters[0])
    await town.votes(town.letters[1])

    with pytest.raises(DBAPIError):
        async with town.database.writing() as connection:
            await connection.execute(text(statement))

    assert await town.broken_probes() == []


async def test_replacing_a_row_is_no_way_around_the_judges(town: Electorate) -> None:
    """SQLite's REPLACE deletes without asking a delete trigger; PostgreSQL has TRUNCATE."""
    await town.votes(town.letters[0])
    if town.database.is_sqlite:
        statement = "INSERT OR REPLACE INTO lock SELECT member_id, how, 5, pack_id, intent_id, receipt, chat FROM lock"
    else:
        statement = "TRUNCATE lock"

    with pytest.raises(DBAPIError):
        async with town.database.writing() as connection:
            if town.database.is_sqlite:
                await connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            await connection.execute(text(statement))

    async with town.database.reading() as connection:
        assert (await connection.execute(select(schema.lock.c.at))).scalar_one() == NOW


async def test_a_second_lock_of_a_member_is_refused_by_the_database_itself(town: Electorate) -> None:
    await town.votes(town.letters[0])
    row = {"member_id": 1, "how": "post", "at": NOW, "pack_id": 2}

    with pytest.raises(DBAPIError):
        async with town.database.writing() as connection:
            await connection.execute(insert(schema.lock).values(row))


async def test_a_stranger_who_presses_the_same_paper_at_the_same_moment_learns_nothing(town: Electorate) -> None:
    """Even when both are judged together, and the stranger was first."""
    ada, other = town.letters[:2]
    intent = await town.opens_paper(ada)

    stranger, own = await asyncio.gather(
        town.clerk.cast(press(intent, other.chat, 1), NOW),
        town.clerk.cast(press(intent, ada.chat, 0), NOW),
        return_exceptions=True,
    )

    assert isinstance(stranger, UnknownIntent)
    assert isinstance(own, CastOutcome)
    assert own.fresh


async def test_of_two_papers_of_one_member_pressed_together_the_first_counts(town: Electorate) -> None:
    ada = town.letters[0]
    papers = [(await town.opens_paper(ada, chat=chat), chat) for chat in (ada.chat, "telegram:70", "telegram:71")]
    first, *rest = await asyncio.gather(
        *(town.clerk.cast(press(intent, chat, 0), NOW) for intent, chat in reversed(papers)), return_exceptions=True
    )

    assert isinstance(first, CastOutcome)
    assert [type(answer) for answer in rest] == [AlreadyVoted, AlreadyVoted]
    assert (await town.count("lock"), await town.count("ballot")) == (1, 1)


async def test_who_went_away_before_the_answer_is_locked_and_gets_the_receipt_later(town: Electorate) -> None:
    ada = town.letters[0]
    intent = await town.opens_paper(ada)
    pressing = asyncio.create_task(town.clerk.cast(press(intent, ada.chat, 0), NOW))
    await asyncio.sleep(0)
    pressing.cancel()
    await town.clerk.finish()

    again = await town.clerk.cast(press(intent, ada.chat, 0), NOW)

    assert await town.count("lock") == 1
    assert again.receipt == await the_lock(town)


async def the_lock(town: Electorate) -> str | None:
    async with town.database.reading() as connection:
        lock = await find_lock(connection, 1)
        assert lock is not None
        assert await locks_of_chat(connection, town.letters[0].chat) == [lock]
    return lock.receipt


def test_a_cast_does_not_show_its_option() -> None:
    """A log line or a traceback with a cast in it says nothing of the choice."""
    shown = [repr(press("i", "c", option)).split(" at ")[0] for option in range(2)]
    assert shown[0] == shown[1]
    assert the_other(press("i", "c", 0)) == press("i", "c", 1)


async def test_before_the_opening_no_paper_is_known_and_nothing_is_sealed(database: Database) -> None:
    await make_poll(database)
    with pytest.raises(UnknownIntent):
        await Clerk(database, SECRETS).cast(press("a paper of nobody", "telegram:1", 0), NOW)
