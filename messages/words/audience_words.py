"""Whom a notice is for, as staff read it in the chat and in a terminal."""

from messages.words.languages import language_name
from messages.words.texts import text


def audience_text(group: str, value: str, reader: str) -> str:
    """Say a parsed audience's group, and its value if it has one, to somebody who reads in `reader`."""
    label = text("staff", f"audience.{group}", reader)
    return f"{label} {language_name(value, reader) if group == 'language' else value}".strip()
