"""The result of a bundle: does it follow from the box and the papers, and does the page say the same."""

from html.parser import HTMLParser
from typing import Final

from voting.verify import format as form
from voting.verify.box import Tally
from voting.verify.chain import Said
from voting.verify.reading import Bundle, Wrong, insist

_FETCHING: Final = frozenset({"script", "iframe", "object", "embed", "link", "img", "base", "form"})


def check_poll(bundle: Bundle, said: Said) -> str:
    """Check that the poll is the one that the chain's entries made."""
    found = bundle.json(form.POLL)
    insist(form.POLL, form.readable(found.values), form.readable(said.poll))
    found.text("title"), found.text("question")
    return f"{found.text('id')}, {len(found.texts('options'))} options"


def check_post(bundle: Bundle, said: Said) -> str:
    """Check papers and their count against the chain, and one against the other."""
    found = bundle.json(form.POSTAL)
    options = said.facts.texts("options")
    due = _postal(said, options)
    insist(form.POSTAL, form.readable(found.values), form.readable(due))
    votes, received = found.wholes("votes"), found.whole("received")
    if min(votes) < 0:
        raise found.wrong("counts fewer papers than none")
    if sum(votes) != received and not (due["justification"] and found.text("justification").strip()):
        raise found.wrong(f"counts {sum(votes):,} papers of {received:,} received, and does not say why")
    return f"{sum(votes):,} papers, {found.whole('rejected'):,} rejected, {found.whole('set_aside'):,} set aside"


def _postal(said: Said, options: list[str]) -> dict[str, object]:
    """Give postal.json as the chain has it."""
    count = said.postal_count
    votes: object = [0] * len(options)
    if count is not None:
        pairs = count.values.get("votes")
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):  # noqa: PLR2004 - a pair
            raise count.wrong('"votes" is not a list of options with their votes')
        if [pair[0] for pair in pairs] != options:
            raise count.wrong("does not name the poll's options in their order")
        votes = [pair[1] for pair in pairs]
    return {
        "received": said.papers["n_received"],
        "rejected": said.papers["n_rejected"],
        "set_aside": said.papers["n_set_aside"],
        "votes": votes,
        "justification": None if count is None else count.values.get("justification"),
    }


def check_result(bundle: Bundle, said: Said, tally: Tally) -> str:
    """Work the result out again and compare every line."""
    post = bundle.json(form.POSTAL)
    poll = said.facts
    due = form.result_of(
        poll.text("id"),
        poll.texts("options"),
        online=tally.votes,
        post=post.wholes("votes"),
        rejected=post.whole("rejected"),
        eligible=poll.whole("eligible"),
    )
    content = bundle.whole_file(form.RESULT)
    insist(form.RESULT, content, form.readable(due))
    if said.once[form.COUNTED].text("result") != form.sha256(content):
        raise Wrong(form.RESULT, None, "is not the result on the chain")
    return ", ".join(f"{option['option']} {option['votes']:,}" for option in due["options"])


def check_page(bundle: Bundle) -> str:
    """Check that each marked name and number on the page is the result's, that none is missing and nothing fetched."""
    reader = _PageReader()
    reader.feed(bundle.whole_file(form.PAGE).decode(errors="replace"))
    reader.close()
    poll, postal = bundle.json(form.POLL), bundle.json(form.POSTAL)
    justification = postal.values["justification"]
    due = form.page_facts(poll.values, bundle.json(form.RESULT).values, justification)
    for name, (line, shown) in reader.facts.items():
        if shown != due.get(name):
            raise Wrong(form.PAGE, line, f"does not show what the result says ({name})")
    if missing := due.keys() - reader.facts.keys():
        raise Wrong(form.PAGE, None, f"does not show all of the result ({min(missing)})")
    return f"{len(due)} names and numbers"


class _PageReader(HTMLParser):
    """Takes the text of every element with a `data-fact`, and the line it begins on."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, tuple[int, str]] = {}
        self._name: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a fact; refuse what would run or be fetched."""
        if tag in _FETCHING:
            raise Wrong(form.PAGE, self.getpos()[0], f"has a <{tag}>: the page must stand alone")
        name = dict(attrs).get("data-fact")
        if name is not None:
            if name in self.facts:
                raise Wrong(form.PAGE, self.getpos()[0], f"shows something twice ({name})")
            self._name = name
            self.facts[name] = (self.getpos()[0], "")

    def handle_endtag(self, _tag: str) -> None:
        """End a fact: they hold text only."""
        self._name = None

    def handle_data(self, data: str) -> None:
        """Take text inside a fact."""
        if self._name is not None:
            line, text = self.facts[self._name]
            self.facts[self._name] = (line, text + data)
