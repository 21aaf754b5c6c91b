"""A postman in a process of its own, to be ended with kill -9: `python crashing_postman.py '{"database_url": ...}'`."""

import asyncio
import json
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
        print("ready", flush=True)
        await Postman(database, outlets, now=now, timing=TIMING).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
