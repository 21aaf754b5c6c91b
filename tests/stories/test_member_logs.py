"""Nothing secret reaches a log, at the most talkative level and when things go wrong."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog
from town import Town

from bot import logs
from bot.sandbox import Fault

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Log everything, as `BALLOTLINE_LOG_LEVEL=DEBUG` does, into this; leave the machine as it was."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logs.configure("DEBUG", json_lines=True)
    stream = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    structlog.reset_defaults()
    root.setLevel(before[0])
    root.handlers[:] = before[1]


async def test_codes_choices_tokens_and_words_stay_out_of_the_log(town: Town, logged: io.StringIO) -> None:
    ada, mallory = town.member("ada"), town.stranger()
    for kind, method in (("5xx_before", "sendMessage"), ("drop_after", "editMessageText"), ("429", "sendMessage")):
        town.sandbox.faults.telegram.add(Fault(kind, method=method))

    receipt = await ada.votes("North Quay")
    await mallory.insists(ada.pack.codes)
    await mallory.types("a word that only I would say")
    await ada.shares_contact(phone=ada.number)
    await town.settles()

    said = logged.getvalue()
    assert "inbox row waits" in said
    plain = [code.replace("-", "") for code in (ada.pack.pack_code, ada.pack.vote_code)]
    for secret in (
        *plain,
        *(code.lower() for code in plain),
        ada.pack.pack_code,
        ada.pack.vote_code,
        receipt,
        "North Quay",
        "only I would say",
        ada.number,
        town.sandbox.telegram.token,
        town.sandbox.telegram.token.partition(":")[2],
        town.sandbox.twilio.auth_token,
    ):
        assert secret not in said
