"""Which answers are Telegram's own: pure. A proxy's page is trouble on the way and says nothing about a person.

Only a body of Telegram's shape is believed (https://core.telegram.org/bots/api#making-requests): `ok`, and either a
`result` of the kind that the method gives, or `error_code` and `description`.
"""

import json
from collections.abc import Callable
from typing import Any, Final, TypeGuard

from telegram.error import NetworkError

WAIT_SECONDS_MAX: Final = 24 * 60 * 60  # a longer retry_after is no number that Telegram gives
ID_MAX: Final = 2**52  # "at most 52 significant bits": Bot API, of chats and users
INTEGER_MAX: Final = 2**31 - 1  # everything else that the Bot API calls Integer
_OK: Final = 200
_ERRORS: Final = range(400, 600)
_REFUSED: Final = range(400, 500)


class NotTelegram(NetworkError):  # noqa: N818 - beside NotSent
    """An answer that Telegram did not give. `passed_on`: the request may have reached Telegram all the same."""

    def __init__(self, status: int) -> None:
        super().__init__(f"not Telegram's answer ({status})")
        self.passed_on = status not in _REFUSED


def read(method: str, chat: str | None, status: int, payload: bytes) -> bytes:
    """Give an answer of Telegram's own, as python-telegram-bot is to read it; NotTelegram.

    Of a message that was sent only its ids are handed on: whatever else is in it is not ours to trip over.
    """
    answer = understood(method, chat, status, payload)
    sent = answer["ok"] and method.lower() in _SENDS and answer["result"] is not True
    return _message_alone(answer["result"]) if sent else payload


def understood(method: str, chat: str | None, status: int, payload: bytes) -> dict[str, Any]:
    """Give what an answer of Telegram's own says: `ok`, and a `result` of the method's kind or a refusal; NotTelegram.

    `chat`: the chat that was asked for; a message in another one answers another question.
    """
    answer = _parsed(payload)
    if not isinstance(answer, dict):
        raise NotTelegram(status)
    if status == _OK and answer.get("ok") is True and "result" in answer:
        if RESULTS.get(method.lower(), _anything)(answer["result"], chat):
            return answer
    elif status in _ERRORS and answer.get("ok") is False and _is_refusal(answer, status):
        return answer
    raise NotTelegram(status)


def retry_after(payload: bytes) -> int | None:
    """Read how long a 429 says to wait, in seconds; None if Telegram does not say it."""
    answer = _parsed(payload)
    if not isinstance(answer, dict) or answer.get("ok") is not False:
        return None
    parameters = answer.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return seconds if is_integer(seconds, most=WAIT_SECONDS_MAX) and seconds > 0 else None


def is_integer(value: object, *, most: int = INTEGER_MAX) -> TypeGuard[int]:
    """Tell whether this is a whole number from -most to most: JSON's true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and -most <= value <= most


def _parsed(payload: bytes) -> Any:  # noqa: ANN401 - as above
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _is_refusal(answer: dict[str, Any], status: int) -> bool:
    parameters = answer.get("parameters", {})
    return (
        answer.get("error_code") == status
        and isinstance(answer.get("description"), str)
        and isinstance(parameters, dict)
        and all(is_integer(value, most=ID_MAX) for value in parameters.values())
    )


def _anything(_result: object, _chat: str | None) -> bool:
    return True


def _done(result: object, _chat: str | None) -> bool:
    return result is True


def _updates(result: object, _chat: str | None) -> bool:
    return isinstance(result, list)


def _bot(result: object, _chat: str | None) -> bool:
    return (
        isinstance(result, dict)
        and is_integer(result.get("id"), most=ID_MAX)
        and result.get("is_bot") is True
        and all(isinstance(result.get(name), str) for name in ("first_name", "username"))
    )


def _webhook(result: object, _chat: str | None) -> bool:
    return (
        isinstance(result, dict)
        and isinstance(result.get("url"), str)
        and isinstance(result.get("has_custom_certificate"), bool)
        and all(is_integer(result.get(name, 0)) for name in ("pending_update_count", "last_error_date"))
    )


def _message(result: object, chat: str | None) -> bool:
    where = result.get("chat") if isinstance(result, dict) else None
    return (
        isinstance(result, dict)
        and isinstance(where, dict)
        and is_integer(result.get("message_id"))
        and is_integer(where.get("id"), most=ID_MAX)
        and (chat is None or not chat.lstrip("-").isdecimal() or str(where["id"]) == chat)
    )


def _edited(result: object, chat: str | None) -> bool:
    return result is True or _message(result, chat)


def _message_alone(result: dict[str, Any]) -> bytes:
    chat = {"id": result["chat"]["id"], "type": "private"}
    return json.dumps({"ok": True, "result": {"message_id": result["message_id"], "date": 1, "chat": chat}}).encode()


_SENDS: Final = frozenset({"sendmessage", "senddocument", "sendphoto", "editmessagetext"})
RESULTS: Final[dict[str, Callable[[object, str | None], bool]]] = {
    "getme": _bot,
    "getupdates": _updates,
    "getwebhookinfo": _webhook,
    "sendmessage": _message,
    "senddocument": _message,
    "sendphoto": _message,
    "editmessagetext": _edited,
    "deletemessage": _done,
    "answercallbackquery": _done,
    "setwebhook": _done,
    "deletewebhook": _done,
    "setmycommands": _done,
    "deletemycommands": _done,
}
