"""No secret, token, code or choice reaches a log at any level: a story with everything at DEBUG, then a search."""

import logging
from pathlib import Path

import pytest
from town import Town

from bot import logs
from voting.store.database import Database


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_a_whole_vote_at_debug_leaves_nothing_in_the_log(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logs.quieten_libraries()
    caplog.set_level(logging.DEBUG)
    async with Town(database, tmp_path, webhooks=True) as town:
        ada, mallory = town.member("ada"), town.stranger()
        await ada.links()
        await ada.types(ada.pack.vote_code)
        await ada.heard_any("looks like a code")
        await ada.votes("North Quay")
        await mallory.insists(ada.pack.codes)
        secret = {
            "the pack code": ada.pack.pack_code,
            "the vote code": ada.pack.vote_code,
            "the pack code, typed together": ada.pack.pack_code.replace("-", ""),
            "the choice": "North Quay",
            "the other choice": "South Quay",
            "the token": town.sandbox.telegram.token.partition(":")[2],
            "Twilio's token": town.sandbox.twilio.auth_token,
        }

    said = "\n".join(f"{record.getMessage()} {record.args} {record.exc_text or ''}" for record in caplog.records)
    leaked = [name for name, value in secret.items() if value in said]
    assert leaked == []
    assert not any(
        record.name.startswith(logs.TALKATIVE) for record in caplog.records if record.levelno < logging.WARNING
    )
