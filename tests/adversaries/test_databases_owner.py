"""The database's owner, who has every table and no secret: whatever they change, nothing else is counted.

They take the triggers away first. Each attack meets the whole house, and then `verify` alone: the probes of the
database, which compare its tables with each other, are told to hold, since a patient owner makes all tables agree.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from counted_town import CountedTown, open_town, replace_pack
from counting import close, take_count, take_papers
from electorate import Letter, make_letters, pack_row
from forged_chain import without_triggers
from prepared import GWEN, NOW, SECRETS, asked
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.ballots.ballot import Ballot, ballot_digest
from voting.ballots.mark import mark_of
from voting.ballots.packed import pack
from voting.count import readiness
from voting.count.count import begin
from voting.poll.questions import written_questions
from voting.refusals import CannotCount
from voting.store.database import Database
from voting.trustees.dealer import deal_all

Attack = Callable[[AsyncConnection, CountedTown], Awaitable[None]]
TABLES = ("poll", "pack", "lock", "ballot", "member", "intent", "paper", "postal_count", "chain", "head")
ABSTAINER = 11  # the place of a letter that was never used


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> CountedTown:
    """Eight voted online, two by post, one letter was replaced, two did not vote; the poll is closed."""
    town = await open_town(database, 13)
    await town.votes(town.letters[:5], 0)
    await town.votes(town.letters[5:8], 1)
    town.letters.append(await replace_pack(town, town.letters[10]))
    await take_papers(town, tmp_path, town.letters[8:10])
    await close(town)
    await take_count(town, tmp_path, [1, 1])
    return town


# ---- the paper


SWAPPED = written_questions([asked("Who shall lead?", "South", "North")])
ANOTHER = written_questions([asked("Who shall go?", "North", "South")])


async def swaps_the_options(connection: AsyncConnection, town: CountedTown) -> None:
    await connection.execute(update(schema.poll).values(questions=SWAPPED))


async def swaps_the_options_on_the_paper_too(connection: AsyncConnection, town: CountedTown) -> None:
    paper = town.poll.paper
    assert paper is not None
    turned = paper.replace(b"North", b"@").replace(b"South", b"North").replace(b"@", b"South")
    await connection.execute(update(schema.poll).values(questions=SWAPPED, paper=turned))


async def asks_another_question(connection: AsyncConnection, town: CountedTown) -> None:
    await connection.execute(update(schema.poll).values(questions=ANOTHER))


async def puts_trustees_of_their_own(connection: AsyncConnection, town: CountedTown) -> None:
    await connection.execute(update(schema.poll).values(trustees_file=deal_all(3, 2).trustees.data))


async def says_that_trustees_made_the_dealers_key(connection: AsyncConnection, town: CountedTown) -> None:
    paper = (town.poll.paper or b"").replace(b'"dealer"', b'"ceremony"')
    await connection.execute(update(schema.poll).values(key_kind="ceremony", paper=paper))


async def moves_the_opening(connection: AsyncConnection, town: CountedTown) -> None:
    await connection.execute(update(schema.poll).values(opens_at=NOW))


# ---- ballots


async def _stores(connection: AsyncConnection, ballot: Ballot, entry: int) -> bytes:
    values = {"credential": ballot.credential, "packed": pack(ballot), "digest": ballot_digest(ballot), "entry": entry}
    await connection.execute(insert(schema.ballot).values(values))
    return values["digest"]  # type: ignore[return-value]


async def _entries(connection: AsyncConnection) -> list[int]:
    rows = await connection.scalars(select(schema.ballot.c.entry).distinct().order_by(schema.ballot.c.entry))
    return list(rows)


async def _locks(connection: AsyncConnection, letter: Letter, digest: bytes) -> None:
    intent = {
        "id": f"made-up-{letter.pack_id}",
        "member_id": letter.member_id,
        "pack_id": letter.pack_id,
        "chat": letter.chat,
        "opened_at": NOW,
    }
    await connection.execute(insert(schema.intent).values(intent))
    lock = {"member_id": letter.member_id, "how": "online", "at": NOW, "pack_id": letter.pack_id}
    lock |= {"intent_id": intent["id"], "receipt": mark_of(digest), "chat": letter.chat}
    await connection.execute(insert(schema.lock).values(lock))


async def _exchanges(connection: AsyncConnection, old: bytes, ballot: Ballot) -> None:
    """Put a ballot in the place of another, and its mark into the lock."""
    digest = ballot_digest(ballot)
    stored = update(schema.ballot).where(schema.ballot.c.digest == old)
    await connection.execute(stored.values(credential=ballot.credential, packed=pack(ballot), digest=digest))
    lock = update(schema.lock).where(schema.lock.c.receipt == mark_of(old))
    await connection.execute(lock.values(receipt=mark_of(digest)))


async def changes_a_ballot(connection: AsyncConnection, town: CountedTown) -> None:
    """For another good one of the same credential: even the codes of a letter do not help them."""
    await _exchanges(connection, ballot_digest(town.ballots[1]), town.ballot(town.letters[0], 1))


async def changes_a_ballot_and_not_its_digest(connection: AsyncConnection, town: CountedTown) -> None:
    stored = update(schema.ballot).where(schema.ballot.c.credential == town.ballots[1].credential)
    await connection.execute(stored.values(packed=pack(town.ballot(town.letters[0], 1))))


async def puts_a_ballot_of_their_own_in_a_members_place(connection: AsyncConnection, town: CountedTown) -> None:
    """The public key is enough to make one; so they give the member's letter a credential of theirs."""
    own = _own_letter(town, 1)
    ballot = town.ballot(own, 1)
    await connection.execute(
        update(schema.pack).where(schema.pack.c.id == town.letters[0].pack_id).values(credential=ballot.credential)
    )
    await _exchanges(connection, ballot_digest(town.ballots[1]), ballot)


def _own_letter(town: CountedTown, place: int) -> Letter:
    return replace(make_letters(town.poll, 1)[0], member_id=place, pack_id=place)


async def adds_a_ballot(connection: AsyncConnection, town: CountedTown) -> None:
    """With an abstainer's codes, beside the ballots of an entry that is there."""
    letter = town.letters[ABSTAINER]
    await _locks(
        connection, letter, await _stores(connection, town.ballot(letter, 1), (await _entries(connection))[-1])
    )


async def adds_a_ballot_under_an_entry_that_locked_nothing(connection: AsyncConnection, town: CountedTown) -> None:
    letter = town.letters[ABSTAINER]
    await _locks(connection, letter, await _stores(connection, town.ballot(letter, 1), 1))


async def drops_a_ballot(connection: AsyncConnection, town: CountedTown) -> None:
    digest = ballot_digest(town.ballots[1])
    await connection.execute(delete(schema.ballot).where(schema.ballot.c.digest == digest))
    await connection.execute(delete(schema.lock).where(schema.lock.c.receipt == mark_of(digest)))


async def drops_all_ballots_of_an_entry(connection: AsyncConnection, town: CountedTown) -> None:
    last = (await _entries(connection))[-1]
    gone = list(await connection.scalars(select(schema.ballot.c.digest).where(schema.ballot.c.entry == last)))
    await connection.execute(delete(schema.ballot).where(schema.ballot.c.entry == last))
    await connection.execute(delete(schema.lock).where(schema.lock.c.receipt.in_(map(mark_of, gone))))


async def reorders_ballots(connection: AsyncConnection, town: CountedTown) -> None:
    """Two ballots of two entries change places."""
    first, last = await _entries(connection)
    for member, entry in ((1, last), (6, first)):
        one = schema.ballot.c.digest == ballot_digest(town.ballots[member])
        await connection.execute(update(schema.ballot).where(one).values(entry=entry))


# ---- credentials


async def makes_a_credential(connection: AsyncConnection, town: CountedTown) -> None:
    """For a member who does not exist, and votes with it."""
    own = _own_letter(town, 99)
    member = {"id": 99, "member_no": "0000099", "language": "cy", "area": "Wales", "country": "GB", "eligible": True}
    await connection.execute(insert(schema.member).values(member))
    first = await connection.scalar(select(schema.pack.c.issued_entry).order_by(schema.pack.c.id).limit(1))
    await connection.execute(insert(schema.pack).values(pack_row(town.poll, own, issued_entry=first)))
    await _locks(connection, own, await _stores(connection, town.ballot(own, 1), (await _entries(connection))[-1]))


async def gives_an_abstainer_a_credential_of_their_own(connection: AsyncConnection, town: CountedTown) -> None:
    letter = town.letters[ABSTAINER]
    own = _own_letter(town, letter.pack_id)
    credential = town.ballot(own, 1).credential
    await connection.execute(
        update(schema.pack).where(schema.pack.c.id == letter.pack_id).values(credential=credential)
    )


async def revives_a_voided_credential(connection: AsyncConnection, town: CountedTown) -> None:
    old, new = town.letters[10], town.letters[13]
    await connection.execute(update(schema.pack).where(schema.pack.c.id == new.pack_id).values(state="replaced"))
    back = update(schema.pack).where(schema.pack.c.id == old.pack_id)
    await connection.execute(back.values(state="live", ended_entry=None, ended_at=None))


async def hides_that_a_credential_came_after_the_opening(connection: AsyncConnection, town: CountedTown) -> None:
    first = await connection.scalar(select(schema.pack.c.issued_entry).order_by(schema.pack.c.id).limit(1))
    late = update(schema.pack).where(schema.pack.c.id == town.letters[13].pack_id)
    await connection.execute(late.values(issued_entry=first))


# ---- papers


async def stuffs_papers(connection: AsyncConnection, town: CountedTown) -> None:
    for letter in town.letters[11:13]:
        paper = {"pack_id": letter.pack_id, "received_at": NOW, "status": "received", "outcome": "locked"}
        await connection.execute(insert(schema.paper).values(**paper, imported_at=NOW))
        lock = {"member_id": letter.member_id, "how": "post", "at": NOW, "pack_id": letter.pack_id}
        await connection.execute(insert(schema.lock).values(lock))
    await connection.execute(update(schema.postal_count).values(votes=[[1, 3]], scanned=4))


async def counts_papers_otherwise(connection: AsyncConnection, town: CountedTown) -> None:
    await connection.execute(update(schema.postal_count).values(votes=[[0, 2]]))


async def says_why_papers_differ(connection: AsyncConnection, town: CountedTown) -> None:
    await connection.execute(update(schema.postal_count).values(votes=[[1, 9]], justification="The scanner was off."))


ATTACKS: dict[Attack, str] = {
    swaps_the_options: "election",
    swaps_the_options_on_the_paper_too: "paper",
    asks_another_question: "election",
    puts_trustees_of_their_own: "trustees|election",
    says_that_trustees_made_the_dealers_key: "paper",
    moves_the_opening: "time|opens|header|timestamp|BELENIOS|belenios",
    changes_a_ballot: "ballot",
    changes_a_ballot_and_not_its_digest: "ballot",
    puts_a_ballot_of_their_own_in_a_members_place: "credential",
    adds_a_ballot: "ballot",
    adds_a_ballot_under_an_entry_that_locked_nothing: "ballot",
    drops_a_ballot: "ballot",
    drops_all_ballots_of_an_entry: "ballot",
    reorders_ballots: "ballot",
    makes_a_credential: "credential",
    gives_an_abstainer_a_credential_of_their_own: "credential",
    revives_a_voided_credential: "credential|void",
    hides_that_a_credential_came_after_the_opening: "credential",
    stuffs_papers: "postal|paper",
    counts_papers_otherwise: "postal|paper",
    says_why_papers_differ: "postal|paper",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_the_databases_owner_changes_nothing_that_is_counted(
    town: CountedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: Attack
) -> None:
    """Guards: the chain's signed entries name paper, election, trustees, ballots, credentials and papers.

    Which check of `verify` it is that each attack meets stands in tests/mutations.md.
    """
    async with town.database.writing() as connection:
        await without_triggers(connection, *TABLES)
        await attack(connection, town)

    with pytest.raises(CannotCount):  # the whole house
        await begin(town.database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)
    monkeypatch.setattr(readiness, "run_probes", _all_hold)
    with pytest.raises(CannotCount, match=rf"does not verify: .*({ATTACKS[attack]})"):  # verify alone
        await begin(town.database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)

    assert not (tmp_path / "bundle").exists()
    async with town.database.reading() as connection:
        kinds = list(await connection.scalars(select(schema.chain.c.kind)))
    assert "ballots_closed" not in kinds


async def _all_hold(_connection: AsyncConnection) -> list[Any]:
    return []


async def test_untouched_the_same_poll_is_counted(town: CountedTown, tmp_path: Path) -> None:
    """The attacks above are refused for what they are."""
    await begin(town.database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)

    assert (tmp_path / "bundle" / "manifest.json").exists()
