"""Ballots opened one by one with the shares of k trustees: what no step of the real count ever does."""

from collections.abc import Iterable

from prepared import options_of
from sqlalchemy import select

from voting import schema
from voting.ballots.combination import lagrange
from voting.ballots.election import Election
from voting.ballots.group import BASE, IDENTITY, ORDER, minus, times
from voting.ballots.packed import unpack
from voting.model import Poll
from voting.poll.election import election_of
from voting.store.database import Database
from voting.trustees.dealer import Dealt


def papers_of(packed: Iterable[bytes], election: Election, dealt: Dealt) -> list[tuple[tuple[int, ...], ...]]:
    """Give the bits of every question of each packed ballot."""
    shares = dealt.shares[: dealt.trustees.threshold]
    indexes = [share.index for share in shares]
    secret = sum(share.secret * lagrange(share.index, indexes) for share in shares) % ORDER
    numbers = {IDENTITY: 0, BASE: 1}
    return [
        tuple(
            tuple(numbers[minus(beta, times(secret, alpha))] for alpha, beta in answer.choices)
            for answer in unpack(one, election).answers
        )
        for one in packed
    ]


def choices_of(packed: Iterable[bytes], election: Election, dealt: Dealt) -> list[tuple[int, ...]]:
    """Give the bits of the first question of each packed ballot."""
    return [answers[0] for answers in papers_of(packed, election, dealt)]


async def all_choices_of(database: Database, poll: Poll, dealt: Dealt) -> list[tuple[tuple[int, ...], ...]]:
    """Open every ballot of a poll and give what is marked in each question."""
    async with database.reading() as connection:
        packed = list(await connection.scalars(select(schema.ballot.c.packed)))
    return papers_of(packed, election_of(poll), dealt)


async def votes_of(database: Database, poll: Poll, dealt: Dealt) -> list[int]:
    """Open every ballot of a poll and give the votes by option."""
    async with database.reading() as connection:
        packed = list(await connection.scalars(select(schema.ballot.c.packed)))
    chosen = choices_of(packed, election_of(poll), dealt)
    return [sum(bits[option] for bits in chosen) for option in range(len(options_of(poll)))]
