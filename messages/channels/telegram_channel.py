"""Telegram: a message becomes one sendMessage, an error becomes a verdict."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from telegram import Bot, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from messages.channels.channels import MINI_APP, Buttons, Outgoing, Sent
from messages.channels.telegram_answer import NotTelegram
from messages.channels.telegram_request import LANE, NotSent, call, held_seconds
from messages.channels.verdicts import TELEGRAM_BAD_REQUEST, TELEGRAM_FORBIDDEN, UNCLEAR, SendFailed, Verdict
from messages.reach import TELEGRAM

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True).to_json()
_URL: Final = ("https://", "http://", "tg://")


class TelegramChannel:
    """Sends through a `Bot` over `AiohttpRequest`, which tells `NotSent` from what may have arrived."""

    kind = TELEGRAM

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send once; SendFailed. The caller holds a slot of the pacer already.

        Not with `Bot.send_message`: the objects it makes, of an answer of which only a number is read, cost more than
        all the rest (measured: 0.21 ms of processor a message, this 0.04).
        """
        before = LANE.set(None)
        try:
            answer = await call(self._bot, "sendMessage", _wire(outgoing))
        except TelegramError as error:
            raise verdict_of(error) from error
        finally:
            LANE.reset(before)
        return Sent(str(answer["message_id"]))


def verdict_of(error: TelegramError) -> SendFailed:
    """Say what an error means."""
    return next(judge(error) for kind, judge in _JUDGES if isinstance(error, kind))


def _looked_up(table: Iterable[tuple[str, Verdict, str]], error: TelegramError, otherwise: SendFailed) -> SendFailed:
    description = error.message.lower()
    for part, verdict, reason in table:
        if part in description:
            return SendFailed(verdict, reason)
    return otherwise


def _slow_down(error: TelegramError) -> SendFailed:
    assert isinstance(error, RetryAfter)
    return SendFailed(Verdict.SLOW_DOWN, "429", retry_after_seconds=held_seconds(error), obeyed=True)


def _migrated(error: TelegramError) -> SendFailed:
    assert isinstance(error, ChatMigrated)
    return SendFailed(Verdict.MIGRATED, "migrated", migrate_to=str(error.new_chat_id))


def _forbidden(error: TelegramError) -> SendFailed:
    return _looked_up(TELEGRAM_FORBIDDEN, error, SendFailed(Verdict.DOUBTFUL, "forbidden", surprising=True))


def _bad_request(error: TelegramError) -> SendFailed:
    return _looked_up(TELEGRAM_BAD_REQUEST, error, SendFailed(Verdict.DOUBTFUL, "bad_request", surprising=True))


def _not_telegram(error: TelegramError) -> SendFailed:
    assert isinstance(error, NotTelegram)
    return SendFailed(Verdict.UNKNOWN if error.passed_on else Verdict.ON_THE_WAY, UNCLEAR)


def _always(verdict: Verdict, reason: str) -> Callable[[TelegramError], SendFailed]:
    return lambda _error: SendFailed(verdict, reason)


# The first that fits. BadRequest, NotSent and TimedOut are NetworkErrors, and so is NotTelegram: they come before it.
_JUDGES: Final[tuple[tuple[type[TelegramError], Callable[[TelegramError], SendFailed]], ...]] = (
    (RetryAfter, _slow_down),
    (ChatMigrated, _migrated),
    (InvalidToken, _always(Verdict.OUR_SETUP, "token")),
    (Forbidden, _forbidden),
    (BadRequest, _bad_request),
    (NotTelegram, _not_telegram),
    (NotSent, _always(Verdict.UNREACHABLE, "no_connection")),
    (TimedOut, _always(Verdict.UNKNOWN, "timeout")),
    (NetworkError, _always(Verdict.UNKNOWN, "connection_lost")),
    (TelegramError, _always(Verdict.UNKNOWN, "unclear_answer")),
)


def _wire(outgoing: Outgoing) -> dict[str, str]:
    """Write sendMessage's parameters (https://core.telegram.org/bots/api#sendmessage), structures as JSON."""
    values = {
        "chat_id": outgoing.address,
        "text": outgoing.html or outgoing.text,
        "link_preview_options": NO_PREVIEW,
    }
    if outgoing.html:
        values["parse_mode"] = ParseMode.HTML
    if outgoing.topic_id is not None:
        values["message_thread_id"] = str(outgoing.topic_id)
    if buttons := keyboard(outgoing.buttons):
        values["reply_markup"] = buttons
    return values


def keyboard(buttons: Buttons) -> str | None:
    """Write the buttons below a message, row by row, as they go on the wire; None when there are none.

    https://core.telegram.org/bots/api#inlinekeyboardmarkup
    """
    rows = [[_button(label, action) for label, action in row] for row in buttons if row]
    return json.dumps({"inline_keyboard": rows}) if rows else None


def _button(label: str, action: str) -> dict[str, Any]:
    if action.startswith(MINI_APP):
        return {"text": label, "web_app": {"url": action.removeprefix(MINI_APP)}}
    if action.startswith(_URL):
        return {"text": label, "url": action}
    return {"text": label, "callback_data": action}
