"""The Bot API's methods: one small function each, in a table."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.keyboards import NO_MARKUP, Markup, parse_markup
from bot.sandbox.telegram.markup import found_in, parse_html, utf16_length
from bot.sandbox.telegram.model import Chat, Command, Json, Message
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.world import TEXT_MAX, TelegramWorld, clean

CAPTION_MAX: Final = 1024
TOAST_MAX: Final = 200
POLL_SECONDS_MAX: Final = 50.0
POLL_LIMIT_MAX: Final = 100
DELETE_MAX: Final = 100

Result = Json | bool | int | list[Any]
Method = Callable[[TelegramWorld, Params], Result | Awaitable[Result]]


def get_me(world: TelegramWorld, _: Params) -> Result:
    """Who the bot is."""
    return world.bot.as_json() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


async def get_updates(world: TelegramWorld, params: Params) -> Result:
    """Hand over what waits; hold the line until something does."""
    if (allowed := params.tree("allowed_updates")) is not None:
        world.queue.allowed = list(allowed)
    return await world.queue.poll(
        offset=params.integer("offset", 0),
        limit=min(max(params.integer("limit", POLL_LIMIT_MAX), 1), POLL_LIMIT_MAX),
        timeout_seconds=min(float(params.integer("timeout", 0)), POLL_SECONDS_MAX),
    )


def send_message(world: TelegramWorld, params: Params) -> Result:
    """Send a text."""
    chat, markup = _target(world, params)
    content = _words(params, "text", TEXT_MAX)
    if not content["text"]:
        raise bad_request("message text is empty")
    return _sent(world, chat, params, markup, content)


def send_photo(world: TelegramWorld, params: Params) -> Result:
    """Send a picture."""
    chat, markup = _target(world, params)
    file_id, (_, photo) = params.upload(world, "photo")
    return _sent(world, chat, params, markup, _caption(params) | {"photo": photo, "file_id": file_id})


def send_document(world: TelegramWorld, params: Params) -> Result:
    """Send a file."""
    chat, markup = _target(world, params)
    file_id, document = params.upload(world, "document")
    return _sent(world, chat, params, markup, _caption(params) | {"document": document, "file_id": file_id})


def edit_message_text(world: TelegramWorld, params: Params) -> Result:
    """Change a text. Leaving out reply_markup takes the buttons away."""
    chat, message = _mine(world, params)
    content = _words(params, "text", TEXT_MAX)
    if not content["text"]:
        raise bad_request("message text is empty")
    if not message.text:
        raise bad_request("there is no text in the message to edit")
    return _edited(world, chat, message, params, content)


def edit_message_caption(world: TelegramWorld, params: Params) -> Result:
    """Change what stands below a picture or file."""
    chat, message = _mine(world, params)
    if message.text:
        raise bad_request("there is no caption in the message to edit")
    return _edited(world, chat, message, params, _caption(params))


def edit_message_reply_markup(world: TelegramWorld, params: Params) -> Result:
    """Change only the buttons."""
    chat, message = _mine(world, params)
    return _edited(world, chat, message, params, {})


def delete_message(world: TelegramWorld, params: Params) -> Result:
    """Remove one message, the bot's or the person's."""
    chat = world.chat(params.integer("chat_id"))
    world.delete(chat, world.find(chat, params.integer("message_id"), "delete"))
    return True


def delete_messages(world: TelegramWorld, params: Params) -> Result:
    """Remove several; those that are not there are skipped."""
    chat = world.chat(params.integer("chat_id"))
    message_ids = params.tree("message_ids")
    if not isinstance(message_ids, list) or not 1 <= len(message_ids) <= DELETE_MAX:
        raise bad_request("message identifiers are not specified" if not message_ids else "too many messages to delete")
    for message_id in message_ids:
        if message := chat.messages.get(int(message_id)):
            world.delete(chat, message)
    return True


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
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "senddocument": send_document,
    "editmessagetext": edit_message_text,
    "editmessagecaption": edit_message_caption,
    "editmessagereplymarkup": edit_message_reply_markup,
    "deletemessage": delete_message,
    "deletemessages": delete_messages,
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
    "setchatmenubutton": tolerated,
    "sendchataction": tolerated,
    "setmessagereaction": tolerated,
    "pinchatmessage": tolerated,
    "unpinchatmessage": tolerated,
    "unpinallchatmessages": tolerated,
    "setmydefaultadministratorrights": tolerated,
    "logout": tolerated,
    "close": tolerated,
}


def _target(world: TelegramWorld, params: Params) -> tuple[Chat, Markup]:
    return world.open_chat(params.integer("chat_id")), parse_markup(params.tree("reply_markup"))


def _sent(world: TelegramWorld, chat: Chat, params: Params, markup: Markup, content: Json) -> Json:
    if thread := params.given.get("message_thread_id"):
        content["thread_id"] = int(thread)
        if not chat.topics or content["thread_id"] not in chat.messages:
            raise bad_request("message thread not found")
    if reply := params.tree("reply_parameters"):
        found = int(reply["message_id"]) in chat.messages
        if not found and not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        content["reply_to"] = int(reply["message_id"]) if found else None
    return world.message_json(world.post(chat, "bot", markup, **content))


def _mine(world: TelegramWorld, params: Params) -> tuple[Chat, Message]:
    chat = world.open_chat(params.integer("chat_id"))
    return chat, world.find(chat, params.integer("message_id"), "edit")


def _edited(world: TelegramWorld, chat: Chat, message: Message, params: Params, content: Json) -> Json:
    markup = parse_markup(params.tree("reply_markup"))
    if markup is not NO_MARKUP and (markup.keyboard or markup.removes_keyboard):
        raise bad_request("inline keyboard expected")
    edited = world.edit(chat, message, buttons=markup.inline, **content)
    return world.message_json(edited)


def _words(params: Params, name: str, longest: int) -> Json:
    text = params.text(name)
    entities: tuple[Json, ...] = ()
    mode = params.text("parse_mode")
    if mode.lower() == "html":
        text, entities = parse_html(text)
    elif mode:
        raise bad_request("unsupported parse_mode")
    elif given := params.tree("entities"):
        entities = tuple(given)
    text, entities = _trimmed(text, entities)
    if len(text) > longest:
        raise bad_request("message is too long" if name == "text" else "message caption is too long")
    return {name: text, "entities": entities or found_in(text)}


def _trimmed(text: str, entities: tuple[Json, ...]) -> tuple[str, tuple[Json, ...]]:
    """Clean the text and move the entities with what is cut off in front."""
    kept = clean(text)
    if not entities or kept == text:
        return kept, entities
    cut = utf16_length(text) - utf16_length(text.lstrip())
    end = utf16_length(kept)
    moved = []
    for entity in entities:
        start = max(0, entity["offset"] - cut)
        stop = min(end, entity["offset"] + entity["length"] - cut)
        if stop > start:
            moved.append(entity | {"offset": start, "length": stop - start})
    return kept, tuple(moved)


def _caption(params: Params) -> Json:
    content = _words(params, "caption", CAPTION_MAX)
    return content | {"caption": content["caption"] or None}


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
