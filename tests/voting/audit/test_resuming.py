"""After an honest restore two officers say which head was lost; nobody else can make the chain go on."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from forged_chain import anew, made, put, read
from prepared import NOW, SECRETS, make_poll

from voting.audit import chain
from voting.audit.chain import RESUMED, ChainBroken, Entry, HeadNotContinued
from voting.audit.resuming import ASKED, HeadNotLost, Resuming, resume_and_sign
from voting.audit.signer import Head, KeptHeadDamaged, Signer
from voting.model import By
from voting.refusals import NeedsSecondPerson
from voting.store.database import Database


@dataclass
class Kept:
    """A poll whose newest head is kept in a file beside the secrets."""

    database: Database
    signer: Signer

    async def writes(self, number: int = 1) -> list[Entry]:
        async with self.database.writing() as connection:
            acts = [chain.Act("done", {"n": place}) for place in range(number)]
            return await chain.append_many(connection, acts, by=By.system(NOW))

    async def resumes(self, name: str) -> Resuming:
        async with self.database.writing() as connection:
            return await resume_and_sign(connection, by=By(name, "command line", NOW))

    async def signs(self) -> int | None:
        async with self.database.writing() as connection:
            return await chain.sign_head(connection, NOW)

    async def last(self) -> Entry:
        return (await read(self.database))[-1]

    async def is_restored(self) -> Head:
        """Put back the database as it was five entries ago; give the head that is lost."""
        older = await read(self.database)
        await self.writes(5)
        lost = self.signer.kept()
        assert lost is not None
        await put(self.database, older)
        return lost


@pytest.fixture
async def kept(database_url: str, tmp_path: Path) -> AsyncIterator[Kept]:
    signer = Signer.beside(SECRETS, tmp_path / "ballotline.secrets")
    database = Database(database_url, signer)
    await make_poll(database)
    kept = Kept(database, signer)
    await kept.writes(3)
    yield kept
    await database.close()


async def test_two_officers_give_a_lost_head_up(kept: Kept) -> None:
    lost = await kept.is_restored()

    asked = await kept.resumes("Gwen")
    with pytest.raises(HeadNotContinued):
        await kept.signs()
    approved = await kept.resumes("Huw")

    assert asked == Resuming(lost, "Gwen", None, asked.seq)
    assert approved == Resuming(lost, "Gwen", "Huw", asked.seq + 1)
    entry = await kept.last()
    words = {"lost_seq": lost.seq, "lost_hash": lost.hash.hex()}
    assert (entry.kind, entry.body) == (RESUMED, {**words, "asked_by": "Gwen", "approved_by": "Huw"})
    assert kept.signer.kept() == kept.signer.sign_head(entry.seq, entry.hash)
    assert entry.seq < lost.seq  # the file went back, which it does for nothing else
    async with kept.database.reading() as connection:
        assert await chain.last_head(connection) == kept.signer.kept()
    with pytest.raises(HeadNotLost):
        await kept.resumes("Gwen")


@pytest.mark.parametrize(
    "name", ["Gwen", "gwen", " Gwen  ", "Gw\u0435n"], ids=["herself", "small", "spaced", "Cyrillic"]
)
async def test_nobody_approves_what_they_asked_for(kept: Kept, name: str) -> None:
    lost = await kept.is_restored()
    await kept.resumes("Gwen")

    with pytest.raises(NeedsSecondPerson):
        await kept.resumes(name)

    assert kept.signer.kept() == lost


async def test_nothing_is_resumed_while_nothing_is_lost(kept: Kept) -> None:
    with pytest.raises(HeadNotLost):
        await kept.resumes("Gwen")


async def test_a_request_for_another_head_is_not_approved_by_accident(kept: Kept) -> None:
    """The older copy has a request in it, made about something else."""
    async with kept.database.writing() as connection:
        body = {"lost_seq": 99, "lost_hash": "ab" * 32, "asked_by": "Gwen"}
        await chain.append(connection, ASKED, body, by=By("Gwen", "command line", NOW))
    await kept.is_restored()

    assert (await kept.resumes("Huw")).approved_by is None


async def test_a_crash_before_the_head_is_kept_is_made_good_by_the_next_entry(kept: Kept, tmp_path: Path) -> None:
    lost = await kept.is_restored()
    await kept.resumes("Gwen")
    await kept.resumes("Huw")
    assert kept.signer.file is not None
    kept.signer.file.write_bytes(lost.line)  # as the crash left it

    async with kept.database.reading() as connection:
        assert await chain.check_continues(connection) == lost.hash
    (entry,) = await kept.writes()

    assert kept.signer.kept() == kept.signer.sign_head(entry.seq, entry.hash)


async def test_a_head_is_given_up_for_one_chain_only(kept: Kept, tmp_path: Path) -> None:
    """The lost chain, found and put back after all, does not continue the head that is kept now; nor does an older."""
    before = await read(kept.database)
    await kept.writes(5)
    found = await read(kept.database)
    await put(kept.database, before)
    await kept.resumes("Gwen")
    await kept.resumes("Huw")
    resumed = await read(kept.database)
    await kept.writes(3)

    for chain_put_back in (found, resumed[:-1], before):
        await put(kept.database, chain_put_back)
        with pytest.raises(HeadNotContinued):
            await kept.signs()


def stranger_gives_up(entries: list[Entry], lost: Head) -> list[Entry]:
    body = {"lost_seq": lost.seq, "lost_hash": lost.hash.hex(), "asked_by": "Gwen", "approved_by": "Huw"}
    return [*entries, made(len(entries) + 1, entries[-1].hash, kind=RESUMED, body=body)]


def other_head(entries: list[Entry], lost: Head) -> list[Entry]:
    """Make a signed entry about another head be about this one."""
    given_up = next(place for place, entry in enumerate(entries) if entry.kind == RESUMED)
    body = entries[given_up].body | {"lost_seq": lost.seq, "lost_hash": lost.hash.hex()}
    return anew([*entries[:given_up], replace(entries[given_up], body=body), *entries[given_up + 1 :]])


def other_words(entries: list[Entry], lost: Head) -> list[Entry]:
    """The same, with the signed hash left as it was."""
    forged = other_head(entries, lost)
    return [replace(new, hash=old.hash, previous=old.previous) for new, old in zip(forged, entries, strict=True)]


@pytest.mark.parametrize("forge", [stranger_gives_up, other_head, other_words], ids=lambda forge: forge.__name__)
async def test_only_a_signed_entry_gives_a_head_up(
    kept: Kept, forge: Callable[[list[Entry], Head], list[Entry]]
) -> None:
    await kept.is_restored()
    await kept.resumes("Gwen")
    await kept.resumes("Huw")
    lost = await kept.is_restored()
    await put(kept.database, forge(await read(kept.database), lost))

    with pytest.raises(HeadNotContinued):
        await kept.signs()
    with pytest.raises(ChainBroken):
        await kept.resumes("Gwen")
    assert kept.signer.kept() == lost


async def test_a_damaged_head_file_loses_no_vote_and_signs_nothing(kept: Kept) -> None:
    assert kept.signer.file is not None
    whole = kept.signer.file.read_bytes()
    kept.signer.file.write_bytes(b"spoilt")

    await kept.writes()

    with pytest.raises(KeptHeadDamaged, match="head --json"):
        await kept.signs()
    with pytest.raises(KeptHeadDamaged):
        await kept.resumes("Gwen")
    assert kept.signer.file.read_bytes() == b"spoilt"
    kept.signer.file.write_bytes(whole)  # as the log has it
    assert await kept.signs() == (await kept.last()).seq


async def test_a_deleted_head_file_is_missed_by_nobody_here(kept: Kept, tmp_path: Path) -> None:
    """Whoever can delete it can also read the secrets beside it. Heads that others keep tell: `verify --head`."""
    assert kept.signer.file is not None
    elsewhere = shutil.copy(kept.signer.file, tmp_path / "kept-elsewhere")
    older = (await read(kept.database))[:2]
    kept.signer.file.unlink()
    await put(kept.database, older)

    assert await kept.signs() == 2

    others = Signer(SECRETS, Path(elsewhere)).kept()
    assert others is not None
    async with kept.database.reading() as connection:
        assert not await chain.has_entry(connection, others.seq, others.hash)  # what `verify --head` insists on
