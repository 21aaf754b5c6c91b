"""Inline buttons as Telegram takes them."""

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.said import Said


def keyboard(said: Said) -> InlineKeyboardMarkup | None:
    """Give a message's buttons: an https address opens, anything else is pressed."""
    rows = [row for row in said.rows if row]
    return InlineKeyboardMarkup([[_button(*button) for button in row] for row in rows]) if rows else None


def _button(label: str, action: str) -> InlineKeyboardButton:
    if action.startswith("https://"):
        return InlineKeyboardButton(label, url=action)
    return InlineKeyboardButton(label, callback_data=action)
