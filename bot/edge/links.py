"""Links to the bot, for letters, invitations and notices."""

from telegram.error import InvalidToken, TelegramError

from bot.edge import telegram
from bot.settings import Settings
from messages.pace.pacer import Pacer
from messages.words.wording import Ways
from voting.refusals import StaffRefusal


class TelegramOff(StaffRefusal):
    """Telegram is off: set BALLOTLINE_TELEGRAM_TOKEN first."""


class TokenWrong(StaffRefusal):
    """Telegram does not know this bot token; check BALLOTLINE_TELEGRAM_TOKEN."""


class TelegramAway(StaffRefusal):
    """Telegram cannot be reached at {url}: {problem}."""


async def bot_name(settings: Settings) -> str:
    """Ask Telegram for the bot's username; TelegramOff, TokenWrong, TelegramAway."""
    if not settings.telegram_on:
        raise TelegramOff
    bot = telegram.make_bot(settings, Pacer())
    try:
        await bot.initialize()
        return str(bot.username)
    except InvalidToken:
        raise TokenWrong from None
    except TelegramError as problem:
        raise TelegramAway(url=settings.telegram_api_url, problem=problem.message) from None
    finally:
        await bot.shutdown()


async def bot_url(settings: Settings, payload: str = "") -> str:
    """Give a link that opens the bot, with what its Start button sends along; empty when Telegram is off."""
    if not settings.telegram_on:
        return ""
    return link(await bot_name(settings), payload)


def link(name: str, payload: str = "") -> str:
    """Give the link for a bot's username; https://core.telegram.org/bots/features#deep-linking."""
    return f"https://t.me/{name}" + (f"?start={payload}" if payload else "")


def vote_url(settings: Settings) -> str:
    """Give the voting page's address, to which a letter adds its pack code behind "#"; empty without a public URL."""
    return f"{settings.public_url}/vote" if settings.public_url else ""


async def ways_now(settings: Settings) -> Ways:
    """Give how members can reach us, the bot by its name; without Telegram only the page. TokenWrong, TelegramAway."""
    if not settings.telegram_on:
        return Ways("", page_url=vote_url(settings))
    return ways_of(await bot_name(settings), settings)


def ways_of(name: str, settings: Settings) -> Ways:
    """Give how members can reach us, as a notice names it; a sender that is a word cannot be answered with STOP."""
    sender = settings.twilio_from or ""
    one_way = bool(sender) and not sender.lstrip("+").isdigit()
    return Ways(link(name), link(name, "sms") if one_way else "", vote_url(settings))
