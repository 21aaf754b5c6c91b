"""What was voted on: poll, paper, election and trustees are one thing, and the chain bound them at the opening."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from voting.ballots.agreement import check_yes
from voting.ballots.election import Election, Question, check_paper, read_election
from voting.ballots.group import write_point
from voting.ballots.mark import key_fingerprint
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.ballots.trustees import Trustees, check_election_key, read_trustees
from voting.ballots.written import File
from voting.verify import format as form
from voting.verify.chain import entries
from voting.verify.page_words import NoLocalTime, local_time
from voting.verify.reading import Bundle, Found, Wrong, insist, parse, written
from voting.verify.result import Asked
from voting.verify.said import Said

KINDS_OF_KEY: Final = ("dealer", "ceremony")
_SHOWN: Final = ("title", "kind", "fingerprint")  # on the page of the result
_TIMES: Final = ("opens_at", "closes_at")  # there too
ORDERS: Final = ("fixed", "rotated")
_TEXTS: Final = ("question", "least", "most", "blank")


@dataclass(slots=True)
class Held:
    """The election and its trustees, once they were read."""

    election: Election
    trustees: Trustees
    asked: tuple[Asked, ...] = ()


def check_poll(bundle: Bundle, said: Said) -> str:
    """Check that the poll is the one that the chain's entries made."""
    found = bundle.json(form.POLL)
    insist(form.POLL, form.readable(found.values), form.readable(said.poll))
    for name in _SHOWN:
        found.text(name)
    if len(found.texts("languages")) > form.LANGUAGES_MAX:
        raise found.wrong(f'"languages" are more than {form.LANGUAGES_MAX}')
    _insist_local(found)
    number = len(found.items("questions"))
    return f"{found.text('id')}, {number} question{'s' * (number != 1)}"


def _insist_local(poll: Found) -> None:
    """Insist that opening and close can be told in the poll's time zone, for the page does."""
    for name in _TIMES:
        try:
            local_time(poll.text(name), poll.text("timezone"))
        except NoLocalTime:
            raise poll.wrong(f'"{name}" is no time in its "timezone"') from None


def check_paper_file(bundle: Bundle, said: Said) -> str:
    """Check that the paper is the one that the opening bound, and says what the poll said then."""
    content = bundle.whole_file(form.PAPER)
    if hashlib.sha256(content).hexdigest() != said.opened.text("paper"):
        raise Wrong(form.PAPER, None, "is not the paper that the chain bound at the opening")
    paper = parse(content, form.PAPER)
    insist(form.PAPER, content, written(form.canonical, paper.values))
    poll = Found(said.at_opening, form.CHAIN)
    languages = paper.texts("languages")
    if not languages or languages != poll.texts("languages"):
        raise paper.wrong('"languages" are not those of the poll')
    due: dict[str, Any] = {
        "uuid": poll.text("uuid"),
        "rule": poll.values.get("rule"),
        "opens_at": said.moment("opens_at"),
        "closes_at": said.moment("closes_at"),
        "key": poll.text("kind"),
    }
    for name, value in due.items():
        if paper.values.get(name) != value:
            raise paper.wrong(f'"{name}" is not that of the poll at the opening')
    return f"{len(languages)} languages"


def questions_of(paper: Found) -> tuple[str, tuple[Asked, ...]]:
    """Give the title and the questions of the paper in its first language; in every other there are as many."""
    languages = paper.texts("languages")
    title = _in_all(paper, paper.values.get("title"), languages, "title")
    questions = []
    for number, value in enumerate(paper.items("questions")):
        field = f"questions[{number}]"
        if not isinstance(value, dict) or not isinstance(value.get("options"), list):
            raise paper.wrong(f'"{field}" is not a question')
        text, least, most, blank = (value.get(name) for name in _TEXTS)
        names = [_in_all(paper, option, languages, f"{field}.options") for option in value["options"]]
        if type(least) is not int or type(most) is not int or type(blank) is not bool:
            raise paper.wrong(f'"{field}" does not say how many options a vote has')
        question = Question(_in_all(paper, text, languages, field), tuple(names), least, most, blank)
        questions.append(Asked(question, _seats(paper, value, field)))
    return title, tuple(questions)


def _seats(paper: Found, value: dict[str, Any], field: str) -> int | None:
    """Give how many of the options are elected, and see that their order is one that there is."""
    seats, order = value.get("seats"), value.get("order")
    if order not in ORDERS:
        raise paper.wrong(f'"{field}.order" is none')
    if seats is not None and (type(seats) is not int or not 1 <= seats <= len(value["options"])):
        raise paper.wrong(f'"{field}.seats" is not a number of its options')
    return seats


def _in_all(paper: Found, value: object, languages: list[str], field: str) -> str:
    if not isinstance(value, dict) or set(value) != set(languages):
        raise paper.wrong(f'"{field}" is not there in every language')
    if not all(isinstance(text, str) and text for text in value.values()):
        raise paper.wrong(f'"{field}" is not a text in every language')
    return str(value[languages[0]])


def check_election(bundle: Bundle, said: Said, archive: str, election: bytes, trustees: bytes) -> Held:
    """Check the archive's election and trustees against paper and chain; give them."""
    try:
        found = read_election(election)
        check_paper(found, bundle.whole_file(form.PAPER))
        held = Held(found, read_trustees(File("its trustees", trustees)))
        check_election_key(held.trustees, found)
    except (BallotRefusal, TrusteeRefusal) as refusal:
        raise Wrong(archive, None, f"has another election than this poll's: {refusal}") from None
    paper = parse(bundle.whole_file(form.PAPER), form.PAPER)
    held.asked = _insist_same(found, paper, said)
    _insist_bound(held, said, archive)
    return held


def _insist_same(election: Election, paper: Found, said: Said) -> tuple[Asked, ...]:
    """Insist that the election asks what the paper asks, and the paper what the poll asks."""
    title, asked = questions_of(paper)
    if (election.name, election.questions) != (title, tuple(one.question for one in asked)):
        raise paper.wrong("does not ask what the election in the archive asks")
    poll = said.facts
    if (election.uuid, election.name) != (poll.text("uuid"), poll.text("title")):
        raise poll.wrong("does not ask what the election in the archive asks")
    if written(form.canonical, poll.items("questions")) != form.canonical(paper.items("questions")):
        raise poll.wrong("does not ask what the paper asks")
    return asked


def _insist_bound(held: Held, said: Said, archive: str) -> None:
    """Insist on everything that the opening, and the entry that set the trustees, say of election and trustees."""
    election, trustees, opened, named = held.election, held.trustees, said.opened, said.once.get(form.TRUSTEES_SET)
    if named is None:
        raise opened.wrong("opens a poll whose trustees nobody had named")
    fingerprint = key_fingerprint(election.hash, trustees.data, bytes(said.verify_key))
    if opened.text("election") != election.hash:
        raise Wrong(archive, None, "has another election than the chain bound at the opening")
    if opened.text("trustees") != trustees.digest:
        raise Wrong(archive, None, "has other trustees than the chain bound at the opening")
    if opened.text("fingerprint") != fingerprint:
        raise opened.wrong(f"has another fingerprint than this election, {fingerprint}")
    due = {
        "trustees": len(trustees.keys),
        "threshold": trustees.threshold,
        "trustees_sha256": trustees.digest,
        "key": write_point(trustees.election_key),
    }
    for name, value in due.items():
        if named.values.get(name) != value:
            raise named.wrong(f'"{name}" is not what the trustees have published')


def check_agreement(bundle: Bundle, said: Said, held: Held) -> str:
    """Check that every trustee of a ceremony said yes to exactly this election; a dealer's key is called so."""
    kind = said.facts.text("kind")
    if kind not in KINDS_OF_KEY:
        raise said.once[form.TRUSTEES_SET].wrong('"kind" is neither dealer nor ceremony')
    if kind == "dealer":
        return "a dealer made the key: for that moment one machine could decrypt alone"
    there = set()
    for _, entry in entries(bundle, form.TRUSTEE_AGREED):
        yes = File("a yes", entry.found("body").text("yes").encode(errors="replace"))
        try:
            there.add(
                check_yes(yes, election=held.election, trustees=held.trustees, signing_key=bytes(said.verify_key))
            )
        except TrusteeRefusal:
            continue  # to the poll as it was before it was changed: it proves nothing about this one
    missing = [str(trustee) for trustee in range(1, len(held.trustees.keys) + 1) if trustee not in there]
    if missing:
        raise said.opened.wrong(f"opens the poll without the yes of trustee {', '.join(missing)} to this election")
    return f"{len(there)} trustees said yes to it"
