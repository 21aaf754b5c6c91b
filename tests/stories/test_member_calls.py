"""What a vote with a single question costs on the way: so many updates, so many calls, and none of them for nothing."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from town import Town

from bot.sandbox.telegram.api import METHODS, get_updates

AT_THE_START = {"getme", "setmycommands", "deletewebhook", "getwebhookinfo", "setchatmenubutton"}  # once a service

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call of a method that the local Telegram answered, by name, but the polling."""
    made: list[str] = []

    def noting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*given: Any) -> Any:
            made.append(name)
            answer = method(*given)
            return await answer if inspect.isawaitable(answer) else answer

        return call

    for name, method in list(METHODS.items()):
        if method is not get_updates:
            monkeypatch.setitem(METHODS, name, noting(name, method))
    return made


PRESS = ["answercallbackquery", "editmessagetext"]  # it is acknowledged, and its message becomes the next
CODE = ["deletemessage", "sendmessage"]  # the code is taken out of the chat, and answered


def kinds(town: Town) -> list[str]:
    """Name what the bot was handed, in order."""
    return [next(name for name in update if name != "update_id") for update in town.sandbox.telegram.updates]


async def test_both_codes_in_one_message_are_five_updates_and_nine_calls(town: Town, calls: list[str]) -> None:
    """As it was before a paper could have several questions: the commit before them gave the same two lists."""
    ada = town.member("ada")
    await ada.asks(ada.person.types("/vote"))
    await ada.asks(ada.person.presses("I understand"))
    await ada.asks(ada.person.types(ada.pack.codes), "your voting paper")
    await ada.asks(ada.person.presses("South Quay"), "You chose")
    await ada.asks(ada.person.presses("Cast my vote"), "Your vote is locked")
    await town.settles()

    assert kinds(town) == ["message", "callback_query", "message", "callback_query", "callback_query"]
    assert [call for call in calls if call not in AT_THE_START] == ["sendmessage", *PRESS, *CODE, *PRESS, *PRESS]


async def test_codes_one_by_one_are_six_updates_and_eleven_calls(town: Town, calls: list[str]) -> None:
    """One message and its answer more, as before."""
    ada = town.member("ada")
    await ada.asks(ada.person.types("/vote"))
    await ada.asks(ada.person.presses("I understand"))
    await ada.asks(ada.person.types(ada.pack.pack_code), ada.pack.word)
    await ada.asks(ada.person.types(ada.pack.vote_code), "your voting paper")
    await ada.asks(ada.person.presses("South Quay"), "You chose")
    await ada.asks(ada.person.presses("Cast my vote"), "Your vote is locked")
    await town.settles()

    assert kinds(town) == ["message", "callback_query", "message", "message", "callback_query", "callback_query"]
    assert [call for call in calls if call not in AT_THE_START] == ["sendmessage", *PRESS, *CODE, *CODE, *PRESS, *PRESS]
