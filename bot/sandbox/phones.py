"""What the page of phones shows beside the chats: who is who, their letters, and news as it happens."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

Letter = dict[str, Any]
News = dict[str, Any]
NEWS_KEPT_MAX: Final = 1000  # for a page that reads slowly; then the oldest go


@dataclass(frozen=True, slots=True)
class Cast:
    """One person on the page."""

    user_id: int
    name: str
    role: str
    member_no: str | None = None
    phone: str | None = None


class Phones:
    """The page's own knowledge, and its news line."""

    def __init__(self) -> None:
        self.title = "Ballotline"
        self.console_url: str | None = None
        self.cast: list[Cast] = []
        self.letters: dict[str, Letter] = {}
        self._readers: set[asyncio.Queue[News | None]] = set()

    def show(self, cast: Cast) -> None:
        """Put somebody on the page, or in a new role."""
        for position, other in enumerate(self.cast):
            if other.user_id == cast.user_id:
                self.cast[position] = cast
                break
        else:
            self.cast.append(cast)
        self.publish({"type": "person", "person_id": cast.user_id, "chat_id": cast.user_id})

    def role(self, user_id: int) -> Cast | None:
        """Return who somebody is, if shown."""
        return next((cast for cast in self.cast if cast.user_id == user_id), None)

    def deliver(self, letter: Letter) -> None:
        """Keep a letter; whoever it stands for hears of it."""
        self.letters[letter["member_no"]] = letter
        for cast in self.cast:
            if letter is self.letter(cast.user_id):
                self.publish({"type": "letter", "person_id": cast.user_id, "chat_id": None})

    def letter(self, user_id: int) -> Letter | None:
        """Return the letter of somebody: of their member number, or with their user id in it."""
        cast = self.role(user_id)
        if cast and cast.member_no in self.letters:
            return self.letters[cast.member_no]
        return next((letter for letter in self.letters.values() if letter.get("user_id") == user_id), None)

    def publish(self, news: News) -> None:
        """Tell every open page. Costs next to nothing while none is open."""
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(news)

    def text_changed(self, number: str, what: str) -> None:
        """Tell the page that a text reached a number (`sms`), or left it or moved on (`sms_status`)."""
        if not self._readers:
            return
        for cast in self.cast:
            if cast.phone == number:
                self.publish({"type": what, "person_id": cast.user_id, "chat_id": None})

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[News | None]]:
        """Give a queue that fills with news while the block runs; None is its end."""
        reader: asyncio.Queue[News | None] = asyncio.Queue(NEWS_KEPT_MAX)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """End every page's news."""
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(None)
