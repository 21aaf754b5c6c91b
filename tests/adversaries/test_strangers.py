"""A stranger with a stolen letter: the pack code alone is nothing, and after the lock both codes are nothing either."""

from datetime import timedelta
from typing import Any

import pytest
from counted_town import CountedTown, open_town, replace_pack
from electorate import Electorate, Letter, open_electorate, press
from opened import votes_of
from prepared import NOW, POLL, SECRETS
from sqlalchemy import update

from voting import schema
from voting.codes import codes
from voting.poll import polls
from voting.refusals import (
    AlreadyVoted,
    CodeRefusal,
    PackLockedOut,
    PackVoid,
    UnknownIntent,
    UnknownPackCode,
    WrongVoteCode,
)
from voting.store.database import Database
from voting.votes import checks
from voting.votes.checks import Checks
from voting.votes.right_codes import Purpose

THIEF = "telegram:666"


@pytest.fixture
async def town(database: Database) -> Electorate:
    return await open_electorate(database, 4)


def guess() -> str:
    return codes.generate(codes.Kind.VOTE, POLL.id)


async def tries(town: Electorate, pack: str, vote: str, chat: str = THIEF, **more: Any) -> Exception:
    known = {"chat": chat, "purpose": Purpose.VOTE, "flow": "f", "warned": False, "now": NOW} | more
    with pytest.raises(CodeRefusal) as refused:
        await town.checks.both_codes(pack, vote, **known)
    return refused.value


async def test_a_pack_code_alone_votes_nothing(town: Electorate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The envelope shows a pack code; the vote code is guessed. Every kind of pack costs one derivation.

    Guards: the comparison of the credential; five distinct wrong codes lock the pack; one derivation for each ask,
    whatever its pack is.
    """
    ada, bob, cat, _ = town.letters
    async with town.database.writing() as connection:
        ended = update(schema.pack).where(schema.pack.c.id == bob.pack_id)
        await connection.execute(ended.values(state="replaced", ended_at=NOW))
    await town.votes(cat)
    derived: list[str] = []
    real = checks.derive_secret

    def watched(pack_code: str, vote_code: str, uuid: str) -> int:
        derived.append(vote_code)
        return real(pack_code, vote_code, uuid)

    monkeypatch.setattr(checks, "derive_secret", watched)
    unknown = codes.generate(codes.Kind.PACK, POLL.id)

    asked = {
        "unknown": await tries(town, unknown, guess(), chat="telegram:661"),
        "void": await tries(town, bob.pack_code, guess(), chat="telegram:662"),
        "used": await tries(town, cat.pack_code, guess(), chat="telegram:663"),
        "right": await tries(town, ada.pack_code, guess(), chat="telegram:664"),
    }

    assert len(derived) == len(asked)  # the same work
    assert {name: type(refusal) for name, refusal in asked.items()} == {
        "unknown": UnknownPackCode,
        "void": PackVoid,
        "used": WrongVoteCode,  # whoever has not the vote code does not hear that it was used
        "right": WrongVoteCode,
    }
    wrong = [await tries(town, ada.pack_code, guess()) for _ in range(5)]
    assert isinstance(wrong[-1], PackLockedOut)
    assert town.alarms
    assert (await town.count("lock"), await town.count("ballot")) == (1, 1)  # cat's own


async def test_codes_used_after_the_lock_change_nothing(town: Electorate) -> None:
    """Both codes, in the thief's own chat: before anything is an attempt they are warned; then staff hear of it.

    Guard: `lock` decides before a paper is opened, and `NOT EXISTS` in the statement for one that was open before.
    """
    ada = town.letters[0]
    held = await town.opens_paper(ada, chat=THIEF)
    mine = await town.votes(ada, 1)

    with pytest.raises(AlreadyVoted):
        await town.clerk.cast(press(held, THIEF, 0), NOW)
    first = await town.gives_codes(ada, chat=THIEF, flow="one")
    second = await town.gives_codes(ada, chat=THIEF, flow="two", warned=True)
    with pytest.raises(UnknownIntent):
        await town.clerk.cast(press(held, "telegram:667", 0), NOW)

    assert (first.intent, first.warn_first, second.intent) == (None, True, None)
    assert len(town.told) == 1
    assert second.lock is not None
    assert second.lock.receipt == mine.receipt  # a name of what is locked; what is in it nobody here knows
    async with town.database.reading() as connection:
        poll = await polls.load(connection)
    assert await votes_of(town.database, poll, town.dealt) == [0, 1]


async def test_a_replaced_letter_votes_no_more(database: Database) -> None:
    """Two officers replaced the stolen letter: its codes are void at once, an open paper of it too.

    Guard: `pack.state = 'live'` in the lock's statement and `dead` in the check; the voided credential on the chain.
    """
    town = await open_town(database, 5)
    stolen = town.letters[0]
    asker = Checks(database, SECRETS)
    known = {"purpose": Purpose.VOTE, "flow": "f", "warned": False, "now": NOW + timedelta(minutes=1)}
    opened = await asker.both_codes(stolen.pack_code, stolen.vote_code, chat=THIEF, **known)
    assert opened.intent is not None
    new = await replace_pack(town, stolen)

    with pytest.raises(PackVoid):
        await asker.both_codes(stolen.pack_code, stolen.vote_code, chat=THIEF, **known)
    with pytest.raises(PackVoid):
        await _elector(town, [stolen, new]).clerk.cast(press(opened.intent.id, THIEF, 0), NOW + timedelta(minutes=2))

    assert (await _elector(town, [stolen, new]).votes(new, 1, now=NOW + timedelta(minutes=3))).fresh


def _elector(town: CountedTown, letters: list[Letter]) -> Electorate:
    return Electorate(town.database, letters)
