"""From the sums of the ballots to the result: the tally, decryptions with both proofs, papers, figures, the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from voting.ballots.combination import Combined, combine
from voting.ballots.election import Question
from voting.ballots.group import write_point
from voting.ballots.tally import read_tally
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.ballots.written import File
from voting.verify import format as form
from voting.verify.archive import Archive
from voting.verify.cast import Box
from voting.verify.credentials import Credentials
from voting.verify.events import Events, compact
from voting.verify.page import result_page
from voting.verify.paper import Held
from voting.verify.reading import Bundle, Found, Wrong, insist
from voting.verify.result import Post, Turnout, adds_up, counted_papers, result_of, said_of
from voting.verify.said import Said

DECRYPTIONS_MAX: Final = 16


@dataclass(slots=True)
class Counted:
    """What the count comes to, as far as it could be worked out."""

    tally: bytes = b""
    combined: Combined | None = None
    post: Post | None = None
    ballots: int = 0
    result: dict[str, Any] | None = None


def tally_of(held: Held, box: Box) -> bytes:
    """Write the encrypted tally: the sums of all ballots, by question and answer."""
    sums = ({"alpha": write_point(one.alpha), "beta": write_point(one.beta)} for one in box.sums)
    return compact([list(islice(sums, question.ciphertexts)) for question in held.election.questions])


def check_tally(events: Events, said: Said, held: Held, box: Box, counted: Counted) -> str:
    """Check that the archive closes its ballots and has their sums, which the chain bound before any decryption."""
    tally = tally_of(held, box)
    number = len(box.marks)
    events.event("EndBallots")
    digest = events.exact(tally, "the sum of these ballots")
    named = {"num_tallied": number, "total_weight": number, "encrypted_tally": digest}
    events.event("EncryptedTally", events.exact(compact(named), "the payload of EncryptedTally"))
    closed = said.once[form.BALLOTS_CLOSED]
    if (closed.whole("n"), closed.text("tally")) != (number, digest):
        raise closed.wrong(f"does not close these {number:,} ballots and their sum, {digest}")
    counted.tally, counted.ballots = tally, number
    return digest


def check_decryptions(bundle: Bundle, said: Said, held: Held, box: Box, counted: Counted) -> str:
    """Check the decryptions, both proofs of each, and combine them."""
    files = []
    for line, raw in bundle.lines(form.DECRYPTIONS):
        if line > DECRYPTIONS_MAX:
            raise Wrong(form.DECRYPTIONS, line, "is of more trustees than there can be")
        files.append(File(f"line {line}", raw))
    tally = read_tally(File("the tally", counted.tally), held.election)
    election, trustees = held.election, held.trustees
    try:
        found = combine(files, election=election, trustees=trustees, tally=tally, ballots=len(box.marks))
    except TrusteeRefusal as refusal:
        raise Wrong(form.DECRYPTIONS, None, str(refusal)) from None
    indexes = [one.index for one in found.used]
    if [one.file for one in found.used] != files:
        raise Wrong(form.DECRYPTIONS, None, "has more than are needed, or not in the order of the trustees")
    content = b"".join(file.data + b"\n" for file in files)
    if said.once[form.COUNTED].text("decryptions") != form.sha256(content):
        raise Wrong(form.DECRYPTIONS, None, "is not what the chain has counted with")
    counted.combined = found
    return f"trustees {', '.join(map(str, indexes))} of {len(trustees.keys)}"


def check_archive_end(archive: Archive, events: Events, counted: Counted) -> str:
    """Check that the archive ends with these decryptions and their result, or, before there is one, with the tally."""
    combined = counted.combined
    if combined is not None:
        for one in combined.used:
            named = {"owner": one.index, "payload": events.exact(one.published, f"trustee {one.index}'s decryption")}
            payload = events.exact(compact(named), "the payload of PartialDecryption")
            events.event("PartialDecryption", payload)
        events.event("Result", events.exact(combined.dumps(), "the result of these decryptions"))
    events.end()
    return f"{archive.name} ends there"


def check_post(bundle: Bundle, said: Said, held: Held, counted: Counted) -> str:
    """Check papers and their count against the chain, and one against the other."""
    found = bundle.json(form.POSTAL)
    questions = held.election.questions
    votes = _postal_votes(said, questions)
    due = _postal(said, votes)
    insist(form.POSTAL, form.readable(found.values), form.readable(due))
    received = found.whole("received")
    if min(map(min, votes)) < 0:
        raise found.wrong("counts fewer papers than none")
    if due["justification"] is not None:
        found.text("justification")
    papers = counted_papers(questions, votes, received)
    differs = not all(adds_up(one, numbers, received) for one, numbers in zip(questions, votes, strict=True))
    if differs and not (due["justification"] and found.text("justification").strip()):
        raise found.wrong(f"counts {papers:,} papers of {received:,} received, and does not say why")
    counted.post = Post(received, found.whole("rejected"), votes)
    return f"{papers:,} papers, {found.whole('rejected'):,} rejected, {found.whole('set_aside'):,} set aside"


def _postal_votes(said: Said, questions: Sequence[Question]) -> list[list[int]]:
    """Give the votes on paper by question, as the chain's last count has them."""
    count = said.once.get(form.POSTAL_COUNTED)
    if count is None:
        return [[0] * question.ciphertexts for question in questions]
    lines = count.items("votes")
    if not all(isinstance(line, list) and len(line) == len(("question", "option", "votes")) for line in lines):
        raise count.wrong('"votes" is not a list of questions and options with their votes')
    if [line[:2] for line in lines] != [[one.text, name] for one in questions for name in one.names]:
        raise count.wrong("does not name the poll's questions and options in their order")
    numbers = iter(count.wholes("votes", (line[2] for line in lines)))
    return [list(islice(numbers, question.ciphertexts)) for question in questions]


def _postal(said: Said, votes: list[list[int]]) -> dict[str, object]:
    """Give postal.json as the chain has it."""
    count = said.once.get(form.POSTAL_COUNTED)
    return {
        "received": said.papers["n_received"],
        "rejected": said.papers["n_rejected"],
        "set_aside": said.papers["n_set_aside"],
        "votes": votes,
        "justification": None if count is None else count.values.get("justification"),
    }


def check_result(bundle: Bundle, said: Said, held: Held, credentials: Credentials, counted: Counted) -> str:
    """Work the result out again and compare every line."""
    assert counted.combined is not None  # or this would not be tried
    assert counted.post is not None  # nor then
    roll = said.once[form.ROLL_CLOSED]
    turnout = Turnout(counted.ballots, credentials.used_later, roll.whole("eligible"))
    due = result_of(said.facts.text("id"), held.asked, counted.combined.result, counted.post, turnout)
    if due["votes"] + due["rejected_papers"] > due["eligible"]:
        raise roll.wrong(f"counts {due['eligible']:,} members who could vote, and there are {due['votes']:,} votes")
    content = bundle.whole_file(form.RESULT)
    insist(form.RESULT, content, form.readable(due))
    if said.once[form.COUNTED].text("result") != form.sha256(content):
        raise Wrong(form.RESULT, None, "is not the result on the chain")
    counted.result = due
    return said_of(due)


def check_page(bundle: Bundle, counted: Counted) -> str:
    """Write the page again and compare every byte."""
    assert counted.result is not None  # or this would not be tried
    poll = bundle.json(form.POLL).values
    postal: Found = bundle.json(form.POSTAL)
    justification = postal.values["justification"]
    insist(form.PAGE, bundle.whole_file(form.PAGE), result_page(poll, counted.result, justification))
    return "to the byte"
