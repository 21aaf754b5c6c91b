"""Which button a person's finger finds, by its label."""

from bot.sandbox.telegram.model import Button, Chat, Message


def offered(where: Chat, label: str, message: Message | None) -> tuple[Button, Message | None] | None:
    """Return the newest button whose label contains `label`, and its message: None for a key of the reply keyboard.

    With `message` only that message's buttons count. None when there is no such button now.
    """
    for candidate in [message] if message else reversed(where.visible):
        if button := _with_label(candidate.buttons, label):
            return button, candidate
    if message is None and where.keyboard and (key := _with_label(where.keyboard.rows, label)):
        return key, None
    return None


def key_labels(chat: Chat) -> list[str]:
    """Return the labels of the reply keyboard, row by row."""
    return [key.text for row in chat.keyboard.rows for key in row] if chat.keyboard else []


def _with_label(rows: tuple[tuple[Button, ...], ...], label: str) -> Button | None:
    return next((button for row in rows for button in row if label in button.text), None)
