"""The service put together: who sends, who decides, who receives, what is done by the clock."""

import secrets as randomness
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.alerts import hooks, pages
from bot.app import presence
from bot.app.chores import Chore, chores, chores_by_text, chores_in_chat
from bot.app.figures import Figures
from bot.app.place import Place
from bot.app.post_room import PostRoom
from bot.app.run import Service
from bot.app.workers import worker_chores
from bot.chat.context import BotApplication
from bot.console.routes import console_routes
from bot.console.snapshot import Snapshots
from bot.edge import telegram
from bot.edge.hearing import Hearing
from bot.edge.links import TelegramAway, TokenWrong
from bot.edge.poller import Poller
from bot.edge.turn import Turn
from bot.edge.webhooks import Edges
from bot.house import House
from bot.inbox import predecessors
from bot.inbox.arrivals import Arrivals
from bot.inbox.inbox import Envelope
from bot.inbox.reader import Reader
from bot.member.desk import MemberDesk
from bot.member.requests import Requests
from bot.member_chat import handlers as member_chat
from bot.member_chat import vote_words
from bot.page.desk import PageDesk
from bot.page.routes import page_routes
from bot.settings import Settings
from bot.staff.desk import StaffDesk
from bot.staff_chat import handlers as staff_chat
from messages.channels.telegram_channel import TelegramChannel
from messages.channels.twilio_channel import TwilioAccount, TwilioChannel
from messages.pace.pacer import Pacer
from messages.postman.postman import Outlet, Postman, Timing
from voting.poll import polls
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk


@asynccontextmanager
async def assemble(house: House, *, timing: Timing | None = None, place: Place | None = None) -> AsyncIterator[Service]:
    """Put a service together, for a worker at its `place`; what it opened is closed at the end.

    NoPoll, TokenWrong, TelegramAway.
    """
    settings, database = house.settings, house.database
    async with database.reading() as connection:
        await polls.load(connection)
    envelope = Envelope(house.secrets.hours)
    clerk = Clerk(database, house.secrets)
    async with AsyncExitStack() as stack:
        # Who sends.
        bot, outlets = await _outlets(settings, stack)
        who = predecessors.claimant(randomness.token_hex(4))
        postman = _postman(house, outlets, who, timing or Timing())

        # Who decides.
        checks = Checks(database, house.secrets, on_attempt=hooks.on_attempt, on_alarm=hooks.on_alarm)
        member_desk = _member_desk(house, clerk, checks, postman)
        staff_desk = StaffDesk(house, wake=postman.wake)
        application = None if bot is None else await _application(bot, member_desk, staff_desk, stack)

        # Who receives.
        post = PostRoom(house, application, member_desk, postman)
        who = predecessors.claimant(randomness.token_hex(4))
        reader = Reader(
            database,
            envelope,
            who=who,
            handle=post.handle,
            on_failed=post.failed,
            clock=house.clock,
        )
        arrivals = Arrivals(database, envelope, wake=reader.wake, clock=house.clock)
        hearing = Hearing()
        here = presence.Presence(house, who)
        snapshots = Snapshots(house)
        poller = _poller(house, bot, envelope, reader, hearing) if bot is not None and not settings.public_url else None
        yield Service(
            house=house,
            application=application,
            clerk=clerk,
            postman=postman,
            reader=reader,
            arrivals=arrivals,
            poller=poller,
            presence=here,
            counts=snapshots,
            turn=Turn(database, who, hearing) if poller is not None and not database.is_sqlite else None,
            chores=[
                *chores(house),
                Chore("presence", presence.EVERY, here.show),
                *worker_chores(place, database, wake=reader.wake),
                *(chores_in_chat(house, bot, wake=postman.wake, hearing=hearing) if bot is not None else []),
                *_chores_by_text(house, outlets, reader),
            ],
            routes=[
                *_edges(house, arrivals, hearing if bot is not None else None, postman).routes(),
                *page_routes(house, _page_desk(house, clerk, checks, postman)),
                *console_routes(house, staff_desk, snapshots),
            ],
        )


def twilio_account(settings: Settings) -> TwilioAccount:
    """Give Twilio's settings in the messages floor's terms; only when `settings.sms_on`."""
    assert settings.twilio_account_sid is not None
    assert settings.twilio_auth_token is not None
    return TwilioAccount(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        sender=settings.twilio_from,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        api_url=settings.twilio_api_url,
        public_url=settings.public_url,
    )


async def _outlets(settings: Settings, stack: AsyncExitStack) -> tuple[ExtBot[None] | None, list[Outlet]]:
    """Open the providers that are set; the bot is None when Telegram is off. TokenWrong, TelegramAway."""
    bot: ExtBot[None] | None = None
    outlets = []
    if settings.telegram_on:
        pacer = Pacer(settings.telegram_rate)
        bot = telegram.make_bot(settings, pacer)
        await _initialize(bot, settings)
        stack.push_async_callback(bot.shutdown)
        outlets.append(Outlet(TelegramChannel(bot), pacer))
    if settings.sms_on:
        channel = await stack.enter_async_context(TwilioChannel(twilio_account(settings)))
        outlets.append(Outlet(channel, Pacer(float(settings.sms_rate))))
    return bot, outlets


async def _initialize(bot: ExtBot[None], settings: Settings) -> None:
    try:
        await telegram.patiently(bot.initialize)
    except InvalidToken:
        raise TokenWrong from None
    except TelegramError as problem:
        raise TelegramAway(url=settings.telegram_api_url, problem=problem.message) from None


def _chores_by_text(house: House, outlets: list[Outlet], reader: Reader) -> list[Chore]:
    texts = [outlet.channel for outlet in outlets if isinstance(outlet.channel, TwilioChannel)]
    return [chore for channel in texts for chore in chores_by_text(house, channel, wake=reader.wake)]


def _postman(house: House, outlets: list[Outlet], who: str, timing: Timing) -> Postman:
    return Postman(
        house.database,
        outlets,
        renderers={**vote_words.renderers(), **pages.renderers()},
        on_trouble=hooks.trouble_teller(house.clock),
        on_migrated=hooks.on_migrated,
        on_held=hooks.on_held,
        process=who,
        gone=predecessors.is_gone,
        now=house.clock,
        timing=timing,
    )


def _page_desk(house: House, clerk: Clerk, checks: Checks, postman: Postman) -> PageDesk:
    token = house.settings.telegram_token
    return PageDesk(
        house.database,
        house.secrets,
        clerk,
        checks,
        Requests(house.database, hooks.on_report),
        token=token.get_secret_value() if token is not None else None,
        wake=postman.wake,
    )


def _member_desk(house: House, clerk: Clerk, checks: Checks, postman: Postman) -> MemberDesk:
    return MemberDesk(
        house.database,
        house.secrets,
        clerk,
        checks,
        clock=house.clock,
        wake=postman.wake,
        on_report=hooks.on_report,
        sms=house.settings.sms_on,
        app_url=house.settings.app_url,
    )


async def _application(
    bot: ExtBot[None], member_desk: MemberDesk, staff_desk: StaffDesk, stack: AsyncExitStack
) -> BotApplication:
    before = staff_chat.handlers(staff_desk)
    application = telegram.make_application(bot, member_chat.handlers(member_desk), before=before)
    await application.initialize()
    stack.push_async_callback(application.shutdown)
    return application


def _poller(house: House, bot: ExtBot[None], envelope: Envelope, reader: Reader, hearing: Hearing) -> Poller:
    return Poller(
        telegram.polling_request(bot),
        bot.base_url,
        house.database,
        envelope,
        wake=reader.wake,
        hearing=hearing,
        clock=house.clock,
    )


def _edges(house: House, arrivals: Arrivals, hearing: Hearing | None, postman: Postman) -> Edges:
    settings = house.settings
    return Edges(
        arrivals=arrivals,
        database=house.database,
        telegram_secret=house.webhook_secret if settings.telegram_on else None,
        twilio_token=settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None,
        public_url=settings.public_url,
        clock=house.clock,
        hearing=hearing,
        waits=postman.waits,
        figures=Figures(house).refresh,
    )
