"""A member who wants more than one vote, or another's: one lock each, and a ballot serves its credential alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from electorate import Electorate, Letter, open_electorate, press
from opened import votes_of
from prepared import GWEN, NOW, POLL, SECRETS
from sqlalchemy import select

from voting import schema
from voting.ballots.ballot import Ballot, read_ballot, sign, write_ballot
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.group import random_scalar
from voting.ballots.refusals import BallotRefusal, FieldWrong, ProofWrong
from voting.ballots.seal import draw_randomness, seal
from voting.model import Poll
from voting.poll import polls
from voting.poll.election import election_of
from voting.post.scanned import COLUMNS
from voting.post.scans import import_postal
from voting.refusals import AlreadyVoted, PollNotOpen, UnknownIntent
from voting.store.database import Database
from voting.votes.cast import Cast


@pytest.fixture
async def town(database: Database) -> Electorate:
    return await open_electorate(database, 4)


async def stands(town: Electorate) -> Poll:
    async with town.database.reading() as connection:
        return await polls.load(connection)


async def made_at_home(town: Electorate, letter: Letter, option: int, *, signed_by: Letter | None = None) -> Ballot:
    """Make a ballot as the page does; `signed_by`: with another letter's codes."""
    election = election_of(await stands(town))
    secret = derive_secret(letter.pack_code, letter.vote_code, election.uuid)
    bits = tuple(int(place == option) for place in range(2))
    sealed = seal(election, public_credential(secret), (bits,), draw_randomness(election))
    if signed_by is None:
        return sign(sealed, secret, random_scalar())
    other = derive_secret(signed_by.pack_code, signed_by.vote_code, election.uuid)
    foreign = sign(replace(sealed, credential=public_credential(other)), other, random_scalar())
    return replace(sealed, signature=foreign.signature)


async def votes(town: Electorate) -> list[int]:
    return await votes_of(town.database, await stands(town), town.dealt)


async def test_a_member_has_one_vote_whatever_they_press(town: Electorate, tmp_path: Path) -> None:
    """Many papers open at once, pressed at once, in the chat and on the page, with either option; then by post.

    Guard: `NOT EXISTS` and the primary key of `lock`, the primary key of `ballot`, `first` in the statement.
    """
    ada = town.letters[0]
    chats = [ada.chat, "telegram:70", "page:71"]
    papers = [(await town.opens_paper(ada, chat=chat), chat) for chat in chats for _ in range(3)]
    casts = [press(paper, chat, place % 2) for place, (paper, chat) in enumerate(papers)]
    casts[-1] = Cast(*papers[-1], 1, ballot=write_ballot(await made_at_home(town, ada, 1)))

    answers = await asyncio.gather(*(town.clerk.cast(cast, NOW) for cast in casts), return_exceptions=True)

    told = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert [answer.fresh for answer in told].count(True) == 1
    assert len({answer.receipt for answer in told}) == 1
    assert all(isinstance(answer, AlreadyVoted) for answer in answers if isinstance(answer, BaseException))
    scans = tmp_path / "postal.csv"
    scans.write_text(f"{','.join(COLUMNS)}\n{ada.pack_code},{NOW.isoformat()},received\n", encoding="utf-8")
    await import_postal(town.database, scans, SECRETS, by=GWEN)
    assert (await town.count("lock"), await town.count("ballot"), sum(await votes(town))) == (1, 1, 1)
    async with town.database.reading() as connection:
        assert await connection.scalar(select(schema.paper.c.outcome)) == "set_aside"


async def test_another_members_paper_and_ballot_serve_nobody_else(town: Electorate) -> None:
    """Eve knows Bob's open paper and, from the published bundle, his ballot; she has a letter of her own.

    Guards: `intent.chat` and `pack.credential` in the lock's statement; the credential in what proofs and signature
    hash; that a paper's ballot is of its pack's credential.
    """
    eve, bob, cat, dee = town.letters
    his_paper, her_paper = await town.opens_paper(bob), await town.opens_paper(eve)

    with pytest.raises(UnknownIntent):  # his paper, her chat
        await town.clerk.cast(press(his_paper, eve.chat, 1), NOW)
    with pytest.raises(FieldWrong, match="credential"):  # his paper and chat, her ballot
        await town.clerk.cast(Cast(his_paper, bob.chat, 1, ballot=write_ballot(await made_at_home(town, eve, 1))), NOW)
    forged = await made_at_home(town, bob, 1, signed_by=eve)
    with pytest.raises(ProofWrong, match="signature"):  # a ballot of his credential that she signed
        await town.clerk.cast(Cast(his_paper, bob.chat, 1, ballot=write_ballot(forged)), NOW)

    his = await made_at_home(town, bob, 0)
    await town.clerk.cast(Cast(his_paper, bob.chat, 1, ballot=write_ballot(his)), NOW)
    secret = derive_secret(eve.pack_code, eve.vote_code, POLL.uuid)
    copied = sign(replace(his, credential=public_credential(secret), signature=None), secret, random_scalar())
    with pytest.raises(ProofWrong, match=r"answers\[0\]"):  # his vote once more, as hers, whatever it is
        await town.clerk.cast(Cast(her_paper, eve.chat, 1, ballot=write_ballot(copied)), NOW)
    with pytest.raises(BallotRefusal):  # his ballot as it is
        await town.clerk.cast(Cast(her_paper, eve.chat, 1, ballot=write_ballot(his)), NOW)

    assert await votes(town) == [1, 0]
    assert read_ballot(write_ballot(his)).credential != public_credential(secret)
    assert [(await town.votes(one)).fresh for one in (eve, cat, dee)] == [True] * 3


async def test_without_the_codes_nobody_signs_a_ballot(town: Electorate) -> None:
    """Whoever has the database and the secrets has the public credential and may open a paper in any chat.

    Guard: the signature of the ballot, checked before the lock and again by `verify`.
    """
    ada = town.letters[0]
    paper = await town.opens_paper(ada, chat="page:operator")
    async with town.database.reading() as connection:
        credential = bytes(
            (await connection.execute(select(schema.pack.c.credential).where(schema.pack.c.id == 1))).scalar_one()
        )
    election = election_of(await stands(town))
    own = random_scalar()
    sealed = seal(election, credential, ((1, 0),), draw_randomness(election))
    with pytest.raises(FieldWrong, match="credential"):
        sign(sealed, own, random_scalar())
    signature = sign(replace(sealed, credential=public_credential(own)), own, random_scalar()).signature

    with pytest.raises(ProofWrong, match="signature"):
        await town.clerk.cast(
            Cast(paper, "page:operator", 1, ballot=write_ballot(replace(sealed, signature=signature))), NOW
        )

    assert (await town.count("lock"), await town.count("ballot")) == (0, 0)


async def test_a_late_press_is_no_vote_whoever_sends_it(town: Electorate) -> None:
    """Guard: `at < poll.closes_at` in the lock's statement."""
    ada = town.letters[0]
    paper = await town.opens_paper(ada)

    with pytest.raises(PollNotOpen):
        await town.clerk.cast(press(paper, ada.chat, 0), POLL.closes_at + timedelta(microseconds=1))

    assert await town.count("lock") == 0
