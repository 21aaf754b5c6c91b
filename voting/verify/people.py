"""Who did what: packs are replaced by two people, and a signed entry enrolled whoever acts in chat or console."""

import unicodedata
from collections import Counter
from typing import Final

from voting.verify import format as form
from voting.verify.reading import Found

PEOPLE_MAX: Final = 10_000
ACTOR_CHARACTERS_MAX: Final = 1_000
_SHELL: Final = "command line"  # whoever has the machine: they need no enrolment
_WAYS: Final = (_SHELL, "chat", "console")
KINDS: Final = (
    form.STAFF_ENROLLED,
    form.STAFF_REMOVED,
    form.REPLACEMENT_ASKED,
    form.REPLACEMENT_APPROVED,
    form.PACK_REPLACED,
)


def same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's: case, spaces and the form of letters do not matter."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


class Replacements:
    """Walks the entries of `KINDS`; Wrong at the first act that nobody was entitled to."""

    def __init__(self) -> None:
        self.replaced = 0
        self._approved = 0
        self._staff: dict[int, str] = {}
        self._asked: Counter[str] = Counter()
        self._approvals: Counter[str] = Counter()

    def take(self, entry: Found) -> None:
        """Take the next entry."""
        kind, body = entry.text("kind"), entry.found("body")
        if kind == form.STAFF_ENROLLED:
            if len(self._staff) == PEOPLE_MAX:
                raise entry.wrong(f"enrols more than {PEOPLE_MAX:,} people")
            self._staff[body.whole("staff")] = self._short(entry, body.text("name"))
        elif kind == form.STAFF_REMOVED:
            self._staff.pop(body.whole("staff"), None)
        elif kind == form.REPLACEMENT_ASKED:
            self._asked[self._name(entry)] += 1
        elif kind == form.REPLACEMENT_APPROVED:
            self._approve(entry)
        else:
            self._replace(entry, body)

    def _approve(self, entry: Found) -> None:
        """Approve what somebody else asked for; entries do not say whose pack it is, so figures have to do."""
        name = self._name(entry)
        self._approvals[name] += 1
        self._approved += 1
        asked = self._asked.total()
        if self._approved > asked or self._approvals[name] > asked - self._asked[name]:
            raise entry.wrong("approves a new pack that nobody else has asked for")

    def _replace(self, entry: Found, body: Found) -> None:
        self.replaced += 1
        if self.replaced > self._approved:
            raise entry.wrong("replaces a pack, and no second person has approved it")
        if (body.whole("packs"), len(body.items("voided"))) != (1, 1):
            raise entry.wrong("does not replace one pack by one")

    def _name(self, entry: Found) -> str:
        actor = entry.text("actor")
        typed, _, way = actor.removesuffix(")").rpartition(" (")
        if not actor.endswith(")") or way not in _WAYS:
            raise entry.wrong("was not done by a person")
        name = self._short(entry, typed)
        if way != _SHELL and name not in self._staff.values():
            raise entry.wrong("was done by somebody whom no entry had enrolled")
        if len(self._asked.keys() | self._approvals.keys()) > PEOPLE_MAX:
            raise entry.wrong(f"is of more than {PEOPLE_MAX:,} people")
        return name

    @staticmethod
    def _short(entry: Found, name: str) -> str:
        if len(name) > ACTOR_CHARACTERS_MAX:
            raise entry.wrong("names somebody whose name is too long")
        return _plain(name)
