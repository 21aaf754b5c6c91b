"""Heads go out every hour; and a service whose head is lost runs, takes votes, tells staff, and signs nothing."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from nacl.signing import VerifyKey
from prepared import SECRETS
from staff_stories import is_true, until
from town import Town

from bot.app import chores
from bot.settings import Settings
from voting.audit import chain
from voting.audit.resuming import resume
from voting.audit.signer import Head, Signer, head_message
from voting.model import By
from voting.store.database import Database


class HeadTown(Town):
    """A town that posts its heads to a chat."""

    heads_chat: int | None = None

    @property
    def settings(self) -> Settings:
        return super().settings.model_copy(update={"heads_chat": self.heads_chat})


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def town(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HeadTown]:
    """Give a town whose head is kept beside its secrets; the hour and the minute are short."""
    monkeypatch.setattr(chores, "SIGN_HEAD_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(chores, "PROBES_EVERY", timedelta(seconds=0.2))
    database = Database(database_url, Signer.beside(SECRETS, tmp_path / "ballotline.secrets"))
    async with HeadTown(database, tmp_path) as town:
        yield town
    await database.close()


async def last(town: Town) -> Head | None:
    async with town.database.reading() as connection:
        return await chain.last_head(connection)


async def test_the_last_head_is_posted_where_others_keep_it(town: HeadTown) -> None:
    """What is posted is the line that `verify --head` takes."""
    gwen = await town.staff("gwen")
    group = town.sandbox.telegram.group("Auditors", members=[gwen.person])
    town.heads_chat = group.chat.id
    await town.stops()
    await town.starts()
    before = len(group.messages)

    await until(lambda: is_true(len(group.messages) > before + 1))

    words = json.loads(group.messages[-1].words)
    signature = bytes.fromhex(words["signature"])
    VerifyKey(SECRETS.verify_key).verify(head_message(words["seq"], bytes.fromhex(words["hash"])), signature)
    async with town.database.reading() as connection:
        assert await chain.has_entry(connection, words["seq"], bytes.fromhex(words["hash"]))


async def test_a_service_whose_head_is_lost_runs_and_tells_but_does_not_sign(town: HeadTown) -> None:
    gwen = await town.staff("gwen")
    group = town.sandbox.telegram.group("Auditors", members=[gwen.person])
    town.heads_chat = group.chat.id
    await town.stops()
    signer = town.database.signer
    assert isinstance(signer, Signer)
    signer.keep(9_999, b"x" * 32)  # a head that this database does not know: it is an older copy
    before, posted = await last(town), len(group.messages)

    await town.starts()

    alert = await gwen.hears("The database is not the one that was signed")
    assert "ballotline head resume" in alert.words
    assert "Votes are still taken" in alert.words
    await town.member("ada").votes("North Quay")
    await gwen.presses("Acknowledge")
    await gwen.hears("The database is not the one that was signed")  # at the next minute, as long as it is so
    assert await last(town) == before
    assert len(group.messages) == posted

    for name in ("Gwen", "Huw"):
        async with town.database.writing() as connection:
            await resume(connection, by=By(name, "command line", town.clock()))

    async def signed_and_posted() -> bool:
        return await last(town) != before and len(group.messages) > posted

    await until(signed_and_posted)
    assert await town.count("North Quay") == 1
