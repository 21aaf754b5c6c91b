"""Codes that were proved and not named, as the voting page does: the same rules, and asked again the same paper."""

from datetime import timedelta

import pytest
from electorate import Electorate, Letter, credential_of, open_electorate, press
from nacl.signing import VerifyKey
from prepared import NOW, POLL, SECRETS
from sqlalchemy import select

from voting import schema
from voting.audit.signer import Signer, receipt_message
from voting.ballots.ballot import sign, write_ballot
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.group import random_scalar
from voting.ballots.seal import draw_randomness, seal
from voting.codes import codes
from voting.poll.election import election_of
from voting.poll.polls import load
from voting.refusals import PackLockedOut, UnknownPackCode, WrongVoteCode
from voting.store.database import Database
from voting.votes.attempts import Kind
from voting.votes.cast import Cast
from voting.votes.right_codes import CodesGood, Purpose
from voting.votes.wrong_codes import (
    ALARM_WRONG_CODES,
    CHAT_SPAN,
    WRONG_FROM_ADDRESS_MAX,
    WRONG_VOTE_CODES_MAX,
    is_address_held,
    note_from_address,
)

PAGE = "page:one"


@pytest.fixture
async def town(database: Database) -> Electorate:
    return await open_electorate(database)


async def proves(town: Electorate, letter: Letter, *, paper: str = "paper-1", **named: object) -> CodesGood:
    """Prove to have the codes of a letter, from the page."""
    facts = {"chat": PAGE, "purpose": Purpose.VOTE, "warned": False, "now": NOW, "of": letter} | named
    of = facts.pop("of")
    assert isinstance(of, Letter)
    pack = codes.hash_pack(SECRETS.code_key, POLL.id, letter.pack_code)
    return await town.checks.proved_codes(pack, credential_of(of, POLL.uuid), paper=paper, **facts)  # type: ignore[arg-type]


async def test_who_proved_both_codes_gets_the_paper_named_and_no_secret_waits_with_it(town: Electorate) -> None:
    good = await proves(town, town.letters[0])

    async with town.database.reading() as connection:
        row = (await connection.execute(select(schema.intent))).one()
    assert good.intent is not None
    assert (good.intent.id, row.id, row.chat, row.message) == ("paper-1", "paper-1", PAGE, "paper-1")
    assert row.credential_secret is None


async def test_the_same_proof_again_alone_or_at_once_is_the_same_paper(town: Electorate) -> None:
    first = await proves(town, town.letters[0])
    again = await proves(town, town.letters[0], now=NOW + timedelta(minutes=1))
    other = await proves(town, town.letters[0], paper="paper-2")

    assert [good.intent.id for good in (first, again, other) if good.intent] == ["paper-1", "paper-1", "paper-2"]
    assert await town.count("intent") == 2


async def test_another_credential_is_a_wrong_code_and_five_hold_the_pack(town: Electorate) -> None:
    letter = town.letters[0]
    wrong = [
        Letter(1, 1, letter.pack_code, codes.generate(codes.Kind.VOTE, POLL.id)) for _ in range(WRONG_VOTE_CODES_MAX)
    ]
    for one in [wrong[0], *wrong]:  # the same again costs nothing
        with pytest.raises(WrongVoteCode):
            await proves(town, letter, of=one)
    with pytest.raises(PackLockedOut):
        await proves(town, letter)


async def test_a_proof_for_a_pack_that_is_nobodys_is_an_unknown_pack(town: Electorate) -> None:
    nobodys = Letter(9, 9, codes.generate(codes.Kind.PACK, POLL.id), town.letters[0].vote_code)
    with pytest.raises(UnknownPackCode):
        await proves(town, nobodys)


async def test_checking_opens_no_paper(town: Electorate) -> None:
    good = await proves(town, town.letters[0], purpose=Purpose.VERIFY)

    assert (good.intent, good.lock) == (None, None)
    assert await town.count("intent") == 0


async def test_after_the_lock_a_warned_page_leaves_one_attempt_however_often_it_asks(town: Electorate) -> None:
    await town.votes(town.letters[0])
    later = NOW + timedelta(minutes=5)
    unwarned = await proves(town, town.letters[0], now=later)
    warned = [await proves(town, town.letters[0], paper="paper-2", warned=True, now=later) for _ in range(2)]

    assert unwarned.warn_first
    assert [good.attempt.kind for good in warned if good.attempt] == [Kind.FOREIGN, Kind.FOREIGN]
    assert [seen.new for seen in town.told] == [True]


async def test_the_proof_that_opened_a_paper_is_no_attempt_when_it_comes_again_after_the_lock(
    town: Electorate,
) -> None:
    await proves(town, town.letters[0])
    await town.votes(town.letters[0])

    again = await proves(town, town.letters[0], warned=True, now=NOW + timedelta(minutes=5))
    assert again.attempt is None
    assert town.told == []


async def test_a_ballot_of_the_page_is_locked_from_its_paper_and_its_receipt_signed(town: Electorate) -> None:
    letter = town.letters[0]
    await proves(town, letter)
    async with town.database.reading() as connection:
        poll = await load(connection)
    election, secret = election_of(poll), derive_secret(letter.pack_code, letter.vote_code, POLL.uuid)
    sealed = seal(election, public_credential(secret), [(0, 1)], draw_randomness(election))
    raw = write_ballot(sign(sealed, secret, random_scalar()))
    outcome = await town.clerk.cast(Cast("paper-1", PAGE, 1, ballot=raw), NOW)

    signature = Signer(SECRETS).sign_receipt(POLL.uuid, outcome.digest, outcome.entry)
    message = f"ballotline receipt 1|{POLL.uuid}|{outcome.digest.hex()}|{outcome.entry}".encode()
    assert outcome.fresh
    assert receipt_message(POLL.uuid, outcome.digest, outcome.entry) == message
    assert VerifyKey(SECRETS.verify_key).verify(message, signature) == message
    with pytest.raises(WrongVoteCode):  # the other letter's ballot is nobody's here
        await proves(town, letter, of=town.letters[1], paper="paper-3")
    assert press("paper-1", PAGE, 0).ballot is None


async def test_an_address_is_held_after_many_wrong_codes_for_a_day_and_raises_no_alarm_by_itself(
    town: Electorate,
) -> None:
    async with town.database.writing() as connection:
        for number in range(WRONG_FROM_ADDRESS_MAX):
            assert not await is_address_held(connection, "c0ffee", NOW)
            await note_from_address(connection, "c0ffee", bytes([number]) * 32, NOW)
            await note_from_address(connection, "c0ffee", bytes([number]) * 32, NOW)
        assert await is_address_held(connection, "c0ffee", NOW)
        assert not await is_address_held(connection, "another", NOW)
        assert not await is_address_held(connection, "c0ffee", NOW + CHAT_SPAN + timedelta(seconds=1))
        for number in range(ALARM_WRONG_CODES):
            await note_from_address(connection, f"many-{number}", bytes(32), NOW)
    with pytest.raises(UnknownPackCode):
        await town.checks.pack_code(codes.generate(codes.Kind.PACK, POLL.id), chat="page:two", now=NOW)

    assert town.alarms == []
