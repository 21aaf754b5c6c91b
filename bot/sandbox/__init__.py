"""A local Telegram and Twilio on 127.0.0.1, with phones in a browser.

    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        await ada.hears("Welcome")

The unmodified clients talk to it over HTTP: point them at `sandbox.telegram.api_url` and
`sandbox.twilio.api_url`.

May import: bot.sandbox.telegram, bot.sandbox.twilio.
Everybody in bot.sandbox may import: bot.sandbox.addresses, bot.sandbox.bell, bot.sandbox.chores,
bot.sandbox.faults, bot.sandbox.limit, bot.sandbox.meter.
"""

from bot.sandbox.faults import Fault
from bot.sandbox.server import Sandbox
from bot.sandbox.telegram.groups import Group
from bot.sandbox.telegram.model import Button, Message, Press
from bot.sandbox.telegram.people import Person
from bot.sandbox.twilio.model import Sms
from bot.sandbox.twilio.twilio import Phone, Twilio

__all__ = ["Button", "Fault", "Group", "Message", "Person", "Phone", "Press", "Sandbox", "Sms", "Twilio"]
