"""Postmen in processes of their own, to be ended with kill -9, one after the other: `python crashing_postman.py`.

For each line of JSON on stdin one is forked, which costs no second start of Python; it says "ready" and its process id.
When it is dead, "dead" is said.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from telegram import Bot

from messages.channels.telegram_channel import TelegramChannel
from messages.channels.telegram_request import AiohttpRequest
from messages.channels.twilio_channel import TwilioAccount, TwilioChannel
from messages.pace.pacer import Pacer
from messages.postman.line import Tempo
from messages.postman.postman import Outlet, Postman, Timing
from voting.store.database import Database

NOON = datetime(2022, 8, 3, 12, tzinfo=UTC)
HURRY = 30  # a lease of a minute is over in two seconds, and Twilio is asked a second later
TIMING = Timing(tempo=Tempo(idle_seconds=0.02), housekeeping_seconds=0.1, beat_seconds=0.05, silent_seconds=0.3)


async def main(told: dict[str, Any]) -> None:
    """Send until killed."""

    def now() -> datetime:
        return NOON + timedelta(seconds=(time.time() - told["began"]) * HURRY)

    database = Database(told["database_url"])
    pacer = Pacer(told["telegram_rate"])
    bot = Bot(told["token"], base_url=f"{told['telegram_url']}/bot", request=AiohttpRequest(pacer))
    account = TwilioAccount(
        told["account_sid"], told["auth_token"], told["sender"], api_url=told["twilio_url"], public_url=""
    )
    async with TwilioChannel(account, now=now) as twilio:
        outlets = [Outlet(TelegramChannel(bot), pacer), Outlet(twilio, Pacer(told["sms_rate"]))]
        print("ready", os.getpid(), flush=True)
        await Postman(database, outlets, now=now, timing=TIMING).run(asyncio.Event())


def fork_each() -> None:
    """Fork a postman for each line, and wait for its end."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            asyncio.run(main(json.loads(line)))
            os._exit(0)
        os.waitpid(child, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    fork_each()
