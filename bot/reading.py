"""Joins the floors where voting/ needs something that messages/ knows."""

from messages.words import phone


def read_phone(raw: str, country: str | None) -> tuple[str | None, str | None]:
    """Read a number from the roll: E.164, or None and the reason's key."""
    read = phone.read_phone(raw, country)
    return read.e164, read.reason
