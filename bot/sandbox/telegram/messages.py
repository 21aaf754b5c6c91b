"""The Bot API's methods about messages: sent, edited, deleted."""

from typing import Any, Final

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.keyboards import NO_MARKUP, Markup, parse_markup
from bot.sandbox.telegram.markup import clean, found_in, parse_html, utf16_length
from bot.sandbox.telegram.model import Chat, Json, Message
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.world import TEXT_MAX, TelegramWorld

CAPTION_MAX: Final = 1024
DELETE_MAX: Final = 100

Result = Json | bool | int | list[Any]


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
