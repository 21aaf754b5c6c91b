"""An operator who has every secret of the house, and passes on the trustees' files: they play the other trustees."""

import json
from pathlib import Path

import pytest
from counted_town import issue, open_town
from counting import close
from electorate import make_letters
from forged_chain import put, read, resigned, without_triggers
from prepared import GWEN, NOW, SECRETS, asked, make_poll
from sqlalchemy import delete, insert, update
from trustee_town import SIGNING_KEY, Town, an_election, dealt

from voting import schema
from voting.audit import chain
from voting.audit.signer import Signer
from voting.ballots.ballot import ballot_digest
from voting.ballots.mark import mark_of
from voting.ballots.trustee_refusals import FileDamaged, FileForeign
from voting.ballots.written import File
from voting.count.count import begin
from voting.model import Poll
from voting.poll import polls
from voting.poll.election import election_of, trustees_of
from voting.poll.keys import AGREED, CEREMONY, keep_yes, set_trustees, trustees_without_yes
from voting.poll.questions import written_questions
from voting.refusals import PollNotReady
from voting.store.database import Database
from voting.trustees.agreement import agree
from voting.trustees.assemble import assemble
from voting.trustees.refusals import DealtElsewhere, ShareForeign, ShareServesAnother
from voting.trustees.shares import read_share, try_election
from voting.trustees.trustee import deal, finish
from voting.verify.report import Asked
from voting.verify.verify import verify

# ---- the ceremony


def test_an_operator_who_plays_the_other_trustees_is_heard(tmp_path: Path) -> None:
    """Trustee 1 gets made-up certificates of 2 and 3, and they get one of 1: all files fit, only the voices do not.

    Guard: the fingerprint over every certificate, which each command shows before anything is sent; and that a
    trustee deals to one set of certificates only.
    """
    honest, played = Town(tmp_path / "honest").begin(), Town(tmp_path / "played").begin()
    shown_to_one = [honest.certificates[0], *played.certificates[1:]]
    shown_to_others = [played.certificates[0], *honest.certificates[1:]]

    one = deal(honest.secrets[0], shown_to_one)
    others = [deal(secret, shown_to_others) for secret in honest.secrets[1:]]
    forged = [deal(secret, shown_to_one) for secret in played.secrets[1:]]

    assert {step.fingerprint for step in others} == {others[0].fingerprint}
    assert one.fingerprint != others[0].fingerprint
    # Had they not read it aloud, nothing would have stopped the ceremony: the operator's two shares decrypt.
    polynomials = [one.send, *(step.send for step in forged)]
    done = [finish(honest.secrets[0], shown_to_one, polynomials)]
    done += [finish(secret, shown_to_one, polynomials) for secret in played.secrets[1:]]
    made = assemble(shown_to_one, polynomials, [step.send for step in done])
    assert made.fingerprint == done[0].fingerprint == one.fingerprint
    with pytest.raises(DealtElsewhere):  # and who heard it does not help to mend it
        deal(honest.secrets[0], honest.certificates)


def test_a_share_of_another_key_than_the_elections_is_told_at_home(tmp_path: Path) -> None:
    """The operator opens with a key of their own for all trustees. Guard: `keys test` and `trustee agree`."""
    town = Town(tmp_path).begin().deal().finish()
    election = an_election(dealt().trustees.election_key)

    with pytest.raises(ShareForeign):
        try_election(read_share(town.shares[0]), election)
    with pytest.raises(ShareForeign):
        agree(
            town.shares[0],
            tmp_path / "yes.json",
            election=election,
            trustees=dealt().trustees,
            signing_key=SIGNING_KEY,
        )
    assert not (tmp_path / "yes.json").exists()


# ---- the opening


async def prepared(database: Database, town: Town) -> Poll:
    """A poll with a ceremony's key and everything else that an opening needs."""
    poll = await make_poll(database)
    async with database.writing() as connection:
        await set_trustees(connection, town.assembled().trustees.data, CEREMONY, by=GWEN)
        member = {"id": 1, "member_no": "0000001", "language": "cy", "area": "Wales", "country": "GB", "eligible": True}
        await connection.execute(insert(schema.member).values(member))
        await issue(connection, poll, make_letters(poll, 1))
    async with database.reading() as connection:
        return await polls.load(connection)


def yes_of(town: Town, trustee: int, poll: Poll, name: str = "yes") -> File:
    out = town.folder / f"{name}-{trustee}.json"
    given = {"election": election_of(poll), "trustees": trustees_of(poll), "signing_key": poll.signing_key}
    agree(town.shares[trustee - 1], out, **given)
    return File(out.name, out.read_bytes())


async def test_no_poll_opens_without_every_trustees_yes(database: Database, tmp_path: Path) -> None:
    """Trustee 3 has not agreed. The operator has the chain's key and writes whatever they like to it.

    Guards: a yes is a proof by the trustee's share, checked again at the opening (`trustees_without_yes`); it hashes
    election, trustees and signing key.
    """
    town = Town(tmp_path).begin().deal().finish()
    poll = await prepared(database, town)
    first, second = yes_of(town, 1, poll), yes_of(town, 2, poll)
    borrowed = json.dumps(json.loads(second.data) | {"index": 3}, separators=(",", ":"))
    async with database.writing() as connection:
        await keep_yes(connection, [first, second], by=GWEN)
        with pytest.raises(FileDamaged, match="proof"):
            await keep_yes(connection, [File("yes-3.json", borrowed.encode())], by=GWEN)
        await chain.append(connection, AGREED, {"trustee": 3, "yes": borrowed}, by=GWEN)  # past the command

        assert await trustees_without_yes(connection, poll) == [3]
        with pytest.raises(PollNotReady, match="the yes of trustee 3 to exactly this election"):
            await polls.open_poll(connection, by=GWEN)

    async with database.writing() as connection:
        await keep_yes(connection, [yes_of(town, 3, poll)], by=GWEN)
        assert await trustees_without_yes(connection, poll) == []


async def test_a_yes_serves_no_other_paper_key_or_chain(database: Database, tmp_path: Path) -> None:
    """All have agreed; then the operator changes the question. Guard: the share remembers its uuid; the hashes."""
    town = Town(tmp_path).begin().deal().finish()
    poll = await prepared(database, town)
    files = [yes_of(town, trustee, poll) for trustee in (1, 2, 3)]
    async with database.writing() as connection:
        await keep_yes(connection, files, by=GWEN)
        await connection.execute(
            update(schema.poll).values(questions=written_questions([asked("Who shall go?", "North", "South")]))
        )
        changed = await polls.load(connection)

        assert await trustees_without_yes(connection, changed) == [1, 2, 3]
        with pytest.raises(FileForeign, match="it is a yes to something else"):
            await keep_yes(connection, files, by=GWEN)
        with pytest.raises(PollNotReady, match="the yes of trustee 1, 2, 3"):
            await polls.open_poll(connection, by=GWEN)
        await connection.execute(update(schema.poll).values(uuid="AnotherBaLLotLine"))
        with pytest.raises(ShareServesAnother):
            yes_of(town, 1, await polls.load(connection), "again")
        await connection.rollback()


# ---- the tally


async def test_a_chain_made_up_around_one_ballot_is_told_by_a_kept_head(database: Database, tmp_path: Path) -> None:
    """The operator has the chain's key: they write a chain in which one member voted, to have that ballot opened.

    It verifies, and its figures say "1 ballot". Guard: `--head`, with a head that a trustee kept from the true chain;
    and that each reads the figures aloud. SECURITY.md says that k trustees who do neither open it.
    """
    town = await open_town(database, 12)
    await town.votes(town.letters[:1], 0)
    await town.votes(town.letters[1:9], 1)
    async with database.writing() as connection:
        await chain.sign_head(connection, NOW)
        kept = await chain.last_head(connection)
    assert kept is not None
    head = tmp_path / "head.json"
    head.write_bytes(kept.line)
    gone = [ballot_digest(ballot) for member, ballot in town.ballots.items() if member != 1]
    entries = await read(database)
    second = [entry for entry in entries if entry.kind == "votes_locked"][1]
    left = [entry for entry in entries if entry is not second]
    await put(database, resigned(left, Signer(SECRETS), town.poll.uuid))
    async with database.writing() as connection:
        await without_triggers(connection, "ballot", "lock")
        await connection.execute(delete(schema.ballot).where(schema.ballot.c.digest.in_(gone)))
        await connection.execute(delete(schema.lock).where(schema.lock.c.receipt.in_(map(mark_of, gone))))
    await close(town)

    await begin(database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)

    report = verify(tmp_path / "bundle")
    assert (report.ok, report.figures.ballots) == (True, 1)
    assert not verify(tmp_path / "bundle", asked=Asked(head=head)).ok
