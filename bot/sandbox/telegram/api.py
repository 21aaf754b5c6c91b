"""The Bot API's methods: one small function each, in a table."""

from collections.abc import Awaitable, Callable
from typing import Final

from bot.sandbox.telegram import messages, mini_app
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.messages import Result
from bot.sandbox.telegram.model import Chat, Command, Json
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.world import TelegramWorld

TOAST_MAX: Final = 200
POLL_SECONDS_MAX: Final = 50.0
POLL_LIMIT_MAX: Final = 100

Method = Callable[[TelegramWorld, Params], Result | Awaitable[Result]]


def get_me(world: TelegramWorld, _: Params) -> Result:
    """Who the bot is."""
    return world.bot.as_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


async def get_updates(world: TelegramWorld, params: Params) -> Result:
    """Hand over the updates that wait; with none, wait until one comes."""
    if (allowed := params.tree("allowed_updates")) is not None:
        world.queue.allowed = list(allowed)
    return await world.queue.poll(
        offset=params.integer("offset", 0),
        limit=min(max(params.integer("limit", POLL_LIMIT_MAX), 1), POLL_LIMIT_MAX),
        timeout_seconds=min(float(params.integer("timeout", 0)), POLL_SECONDS_MAX),
    )


def answer_callback_query(world: TelegramWorld, params: Params) -> Result:
    """End the waiting of a pressed button, perhaps with a line of text."""
    text = params.text("text")
    if len(text) > TOAST_MAX:
        raise bad_request("MESSAGE_TOO_LONG")
    world.answer_press(params.text("callback_query_id"), text or None)
    return True


def get_chat(world: TelegramWorld, params: Params) -> Result:
    """Tell what a chat is."""
    chat = world.chat(params.integer("chat_id"))
    return chat.as_json() | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": NO_GIFTS}


NO_GIFTS: Final = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


def get_chat_member(world: TelegramWorld, params: Params) -> Result:
    """Whether somebody is in a chat; the first of a group made it."""
    chat, user_id = world.chat(params.integer("chat_id")), params.integer("user_id")
    return _member_json(world, chat, user_id)


def get_chat_administrators(world: TelegramWorld, params: Params) -> Result:
    """Who runs a group: the one who made it."""
    chat = world.chat(params.integer("chat_id"))
    if chat.private:
        raise bad_request("there are no administrators in the private chat")
    return [_member_json(world, chat, chat.members[0])] if chat.members else []


def get_chat_member_count(world: TelegramWorld, params: Params) -> Result:
    """How many, the bot included."""
    return len(world.chat(params.integer("chat_id")).members) + 1


def create_forum_topic(world: TelegramWorld, params: Params) -> Result:
    """Open a topic in a group that has them."""
    chat = world.open_chat(params.integer("chat_id"))
    if not chat.topics:
        raise bad_request("the chat is not a forum")
    service = {"forum_topic_created": {"name": params.text("name"), "icon_color": 7322096}}
    message = world.post(chat, "bot", service=service)
    return {
        "message_thread_id": message.message_id,
        "name": params.text("name"),
        "icon_color": 7322096,
    }


def get_file(world: TelegramWorld, params: Params) -> Result:
    """Where to download a file."""
    file_id = params.text("file_id")
    if file_id not in world.files:
        raise bad_request("invalid file_id")
    return {
        "file_id": file_id,
        "file_unique_id": file_id[-16:],
        "file_size": len(world.files[file_id][1]),
        "file_path": f"documents/{file_id}",
    }


def set_my_commands(world: TelegramWorld, params: Params) -> Result:
    """Set the commands menu of a scope and language."""
    commands = params.tree("commands")
    if not isinstance(commands, list):
        raise bad_request("can't parse commands JSON object")
    world.commands[_scope(params)] = [Command(**command) for command in commands]
    return True


def delete_my_commands(world: TelegramWorld, params: Params) -> Result:
    """Take a menu away."""
    world.commands.pop(_scope(params), None)
    return True


def get_my_commands(world: TelegramWorld, params: Params) -> Result:
    """Return the menu of a scope and language."""
    menu = world.commands.get(_scope(params), [])
    return [{"command": command.command, "description": command.description} for command in menu]


def tolerated(world: TelegramWorld, params: Params) -> Result:
    """Accept what changes nothing a test could see; a chat that is named must be there."""
    if "chat_id" in params.given:
        world.open_chat(params.integer("chat_id"))
    return True


METHODS: Final[dict[str, Method]] = {
    "getme": get_me,
    "getupdates": get_updates,
    "sendmessage": messages.send_message,
    "sendphoto": messages.send_photo,
    "senddocument": messages.send_document,
    "editmessagetext": messages.edit_message_text,
    "editmessagecaption": messages.edit_message_caption,
    "editmessagereplymarkup": messages.edit_message_reply_markup,
    "deletemessage": messages.delete_message,
    "deletemessages": messages.delete_messages,
    "answercallbackquery": answer_callback_query,
    "getchat": get_chat,
    "getchatmember": get_chat_member,
    "getchatadministrators": get_chat_administrators,
    "getchatmembercount": get_chat_member_count,
    "createforumtopic": create_forum_topic,
    "getfile": get_file,
    "setmycommands": set_my_commands,
    "deletemycommands": delete_my_commands,
    "getmycommands": get_my_commands,
    "setmydescription": tolerated,
    "setmyshortdescription": tolerated,
    "setmyname": tolerated,
    "setchatmenubutton": mini_app.set_menu_button,
    "getchatmenubutton": mini_app.get_menu_button,
    "sendchataction": tolerated,
    "setmessagereaction": tolerated,
    "pinchatmessage": tolerated,
    "unpinchatmessage": tolerated,
    "unpinallchatmessages": tolerated,
    "setmydefaultadministratorrights": tolerated,
    "logout": tolerated,
    "close": tolerated,
}


def _member_json(world: TelegramWorld, chat: Chat, user_id: int) -> Json:
    if user_id == world.bot.id:
        return {"user": world.bot.as_json(), "status": "member"}
    if user_id not in world.users:
        raise bad_request("member not found")
    user = world.users[user_id].as_json()
    if user_id not in chat.members:
        return {"user": user, "status": "left"}
    if not chat.private and user_id == chat.members[0]:
        return {"user": user, "status": "creator", "is_anonymous": False}
    return {"user": user, "status": "member"}


def _scope(params: Params) -> tuple[str, int | None, str]:
    scope = params.tree("scope") or {"type": "default"}
    chat_id = scope.get("chat_id")
    return scope["type"], None if chat_id is None else int(chat_id), params.text("language_code")
