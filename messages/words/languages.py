"""Languages by their names, in the reader's own: Welsh is "Welsh" to one, "Cymraeg" to another."""

from babel import Locale, UnknownLocaleError


def language_name(tag: str, reader: str) -> str:
    """Name a language to somebody who reads in `reader`; what nobody knows, as an audience may be typed, stays so."""
    try:
        spoken = Locale.parse(tag.replace("-", "_").split("_")[0])
    except (UnknownLocaleError, ValueError):
        return tag
    return spoken.get_display_name(Locale.parse(reader, sep="-")) or tag
