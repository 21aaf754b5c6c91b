"""The ballot of a cast: sealed and signed for a vote in the chat, read for one from the page, and checked for both.

No ballot is locked that `voting.ballots.check` has not passed, whoever made it. Nothing of this holds up the event
loop: it is done in threads, and most of the time there goes to libraries that let other threads work.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

import structlog
from nacl.exceptions import CryptoError
from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.ballots.ballot import Ballot, ballot_digest, read_ballot, sign
from voting.ballots.check import check
from voting.ballots.election import Election
from voting.ballots.group import Point, base_times, random_scalar
from voting.ballots.mark import mark_of
from voting.ballots.packed import pack
from voting.ballots.refusals import BallotRefusal
from voting.ballots.seal import draw_randomness, seal
from voting.refusals import KeyGone
from voting.secrets_file import Secrets
from voting.store.many_values import among, listed
from voting.votes.cast import Ready, Waiting
from voting.votes.waiting_papers import PURPOSE

SECRET_BYTES: Final = 32

Item = TypeVar("Item")

log = structlog.get_logger()


async def in_threads(act: Callable[[Sequence[Item]], None], items: Sequence[Item]) -> None:
    """Have `act` work on the items in two threads, in one if there is a single item."""
    if len(items) < 2:  # noqa: PLR2004 - two halves
        await asyncio.to_thread(act, items)
        return
    half = len(items) // 2
    await asyncio.gather(*(asyncio.to_thread(act, part) for part in (items[:half], items[half:])))


def close_secret(secrets: Secrets, secret: int, at: datetime) -> bytes:
    """Encrypt a credential's secret to wait with its paper, under a key of this hour."""
    return secrets.hours.close(PURPOSE, secret.to_bytes(SECRET_BYTES, "big"), at)


class Sealing:
    """Makes ballots ready for one election."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def make_ready(self, connection: AsyncConnection, election: Election, together: Sequence[Waiting]) -> None:
        """Give each cast its checked ballot, or its fault; neither where the paper's credential waits no more."""
        here = [waiting for waiting in together if waiting.cast.ballot is None]
        rows: dict[str, Any] = {}
        if here:
            asked = listed({waiting.cast.intent_id for waiting in here})
            found = await connection.execute(_waiting(connection.dialect.name), asked)
            rows = {row.id: row for row in found}

        def work(part: Sequence[Waiting]) -> None:
            for waiting in part:
                self._make(election, waiting, rows.get(waiting.cast.intent_id))

        await in_threads(work, together)

    def _make(self, election: Election, waiting: Waiting, row: Any) -> None:  # noqa: ANN401 - a row of `_waiting`
        try:
            if waiting.cast.ballot is not None:
                waiting.ballot = _checked(read_ballot(waiting.cast.ballot), election, None)
            elif row is not None and row.chat == waiting.cast.chat and row.credential is not None:
                waiting.ballot = self._seal(election, waiting, row)
        except BallotRefusal as fault:
            waiting.fault = fault
        except (KeyGone, CryptoError):  # waited too long: codes are asked for again
            log.info("a paper's credential could not be opened", paper=waiting.cast.intent_id)

    def _seal(self, election: Election, waiting: Waiting, row: Any) -> Ready:  # noqa: ANN401 - as above
        secret = int.from_bytes(self._secrets.hours.open(PURPOSE, row.credential_secret), "big")
        ballot = seal(election, base_times(secret), waiting.cast.choices, draw_randomness(election))
        return _checked(sign(ballot, secret, random_scalar()), election, row.credential)


async def forget_secrets(connection: AsyncConnection, members: Collection[int]) -> None:
    """Forget the credentials that wait with papers of these members: they have voted."""
    await connection.execute(_forgetting(connection.dialect.name), listed(members))


async def put_aside(connection: AsyncConnection, intent_id: str) -> None:
    """Forget the credential that waits with one paper: its member said 'Not now'."""
    statement = update(schema.intent).where(schema.intent.c.id == intent_id)
    await connection.execute(statement.values(credential_secret=None))


def _checked(ballot: Ballot, election: Election, credential: Point | None) -> Ready:
    check(ballot, election, credential)
    digest = ballot_digest(ballot)
    return Ready(ballot.credential, pack(ballot), digest, mark_of(digest))


@cache
def _waiting(engine: str) -> Select[Any]:
    intent, pack_ = schema.intent, schema.pack
    return (
        select(intent.c.id, intent.c.chat, intent.c.credential_secret, pack_.c.credential)
        .join(pack_, pack_.c.id == intent.c.pack_id)
        .where(among(engine, intent.c.id), intent.c.credential_secret.is_not(None))
    )


@cache
def _forgetting(engine: str) -> Any:  # noqa: ANN401 - an UPDATE
    intent = schema.intent
    waits = (among(engine, intent.c.member_id), intent.c.credential_secret.is_not(None))
    return update(intent).where(*waits).values(credential_secret=None)
