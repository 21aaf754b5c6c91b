"""The checks in their order, as a table; what rests on a file in which something is wrong is not tried."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from voting.verify import asked as known
from voting.verify import chain, count, paper
from voting.verify import format as form
from voting.verify.archive import Archive, Member
from voting.verify.ballots import ALONE_BALLOTS, Checker, cores
from voting.verify.cast import Ballots, Box, Progress
from voting.verify.credentials import Credentials, check_credentials, check_sizes
from voting.verify.events import Events
from voting.verify.files import Layout
from voting.verify.people import KINDS, Replacements
from voting.verify.reading import Bundle, Findings, printable
from voting.verify.report import Asked, Figures, Report
from voting.verify.said import Said

ARCHIVE: Final = "the archive"  # stands for its name, which has the uuid in it


class Setup(NamedTuple):
    """The archive while it is read, and what its first event has."""

    archive: Archive
    events: Events
    election: bytes
    trustees: bytes
    listed: Member
    held: paper.Held


@dataclass(slots=True)
class State:
    """One bundle being checked, and what the checks have found so far."""

    bundle: Bundle
    layout: Layout
    asked: Asked
    workers: int | None = None
    progress: Progress | None = None
    said: Said = field(default_factory=Said)
    credentials: Credentials = field(default_factory=Credentials)
    box: Box = field(default_factory=Box)
    counted: count.Counted = field(default_factory=count.Counted)
    opened: Setup | None = None
    closing: ExitStack = field(default_factory=ExitStack)

    @property
    def setup(self) -> Setup:
        """The archive's Setup, for checks that rest on it."""
        assert self.opened is not None  # or they would not be tried
        return self.opened


class Step(NamedTuple):
    """One check: its name, the files it rests on, what it does."""

    name: str
    uses: tuple[str, ...]
    act: Callable[[State], str]


def run(state: State, findings: Findings) -> None:
    """Try everything."""
    with state.closing:
        for step in _steps(state):
            files = [state.layout.archive if name == ARCHIVE else name for name in step.uses]
            findings.attempt(step.name, files, partial(step.act, state))


def report_of(state: State, findings: Findings) -> Report:
    """Give what was found."""
    opened = state.opened
    return Report(
        tuple(findings.checks),
        tuple(findings.problems),
        tuple(state.said.lost_heads.values()),
        state.layout.stage,
        Figures() if findings.unreliable([form.CHAIN]) else _figures(state),
        state.counted.result,
        b"" if opened is None else opened.election,
        b"" if opened is None else opened.trustees,
        state.counted.tally,
    )


def _figures(state: State) -> Figures:
    said, credentials = state.said, state.credentials
    trustees = said.once[form.TRUSTEES_SET].values if form.TRUSTEES_SET in said.once else {}
    return Figures(
        poll=printable(str(said.poll.get("id"))),
        fingerprint=printable(str(said.poll.get("fingerprint"))),
        trustees=trustees.get("trustees", 0),
        threshold=trustees.get("threshold", 0),
        credentials_before=len(credentials.issued) - credentials.after_opening,
        credentials_after=credentials.after_opening,
        ballots=len(state.box.marks),
        ballots_by_later_credentials=credentials.used_later,
        head_seq=said.entries,
        head_hash=said.last_hash,
    )


def _steps(state: State) -> Iterator[Step]:
    chain_alone = (form.CHAIN,)
    bound = (form.CHAIN, form.POLL, form.PAPER, ARCHIVE)
    counting = (*bound, form.CREDENTIALS)
    yield Step("The chain is unbroken, signed, and every entry where it may stand", chain_alone, _chain)
    yield Step("The chain's heads are signed", (form.CHAIN, form.HEADS), _heads)
    yield Step("The poll is the chain's", (form.CHAIN, form.POLL), _poll)
    yield Step("The paper is what the chain bound at the opening", (form.CHAIN, form.POLL, form.PAPER), _paper)
    yield Step("Election and trustees are what the chain bound at the opening", bound, _election)
    yield Step("The credentials are the chain's", (form.CHAIN, form.CREDENTIALS), _credentials)
    if state.asked.receipt is not None:
        yield Step("The mark can be looked for", chain_alone, _wanted)
    yield Step("Every ballot is proved, signed, on the chain, and one for its credential", counting, _ballots)
    yield Step("The archive lists the credentials that could vote", counting, _listed)
    yield Step("The encrypted tally is the sum of the ballots", counting, _tally)
    yield Step("The papers are the chain's", (*bound, form.POSTAL), _post)
    if state.layout.stage == form.RESULTED:
        decrypted = (*counting, form.DECRYPTIONS)
        result = (*decrypted, form.POSTAL, form.RESULT)
        yield Step("Enough trustees have decrypted, each with both proofs", decrypted, _decryptions)
        yield Step("The archive ends with their result", decrypted, _archive_end)
        yield Step("The result follows from ballots and papers", result, _result)
        yield Step("The page is the one that follows from the result", (*result, form.PAGE), _page)
    else:
        yield Step("The archive ends with the tally", counting, _archive_end)
    yield Step("There are not more votes than packs, nor more packs than members", (*counting, form.POSTAL), _sizes)
    yield Step("The trustees have agreed to this election", bound, _agreement)
    yield Step("Packs were replaced by two people whom the chain knows", chain_alone, _people)
    yield from _known(state.asked, bound, counting)


def _known(asked: Asked, bound: tuple[str, ...], counting: tuple[str, ...]) -> Iterator[Step]:
    """Give the checks of what somebody knows from elsewhere."""
    if asked.poll is not None:
        poll_id = asked.poll
        yield Step("It is the poll expected", (form.CHAIN,), lambda state: known.check_poll_id(state.said, poll_id))
    if asked.key is not None:
        key = asked.key
        yield Step("The fingerprint is the one expected", bound, lambda state: known.check_key(state.said, key))
    if asked.head is not None:
        head = asked.head
        yield Step(
            "The chain has the head that was kept",
            (form.CHAIN,),
            lambda state: known.check_head(state.bundle, state.said, head),
        )
    if asked.receipt is not None:
        yield Step("The ballot with this mark is in the archive", (*counting, known.RECEIPT, known.CODES), _receipt)


def _chain(state: State) -> str:
    return chain.check_chain(state.bundle, state.said, state.layout.stage)


def _heads(state: State) -> str:
    return chain.check_heads(state.bundle, state.said)


def _poll(state: State) -> str:
    return paper.check_poll(state.bundle, state.said)


def _paper(state: State) -> str:
    return paper.check_paper_file(state.bundle, state.said)


def _election(state: State) -> str:
    said, name = state.said, state.layout.archive
    seconds = said.moment("opens_at") // form.SECOND
    archive = Archive(name, state.closing.enter_context(state.bundle.opened(name)), seconds)
    events = Events(archive)
    events.begin(seconds)
    election, trustees, listed = events.setup()
    if election.content is None or trustees.content is None:
        raise archive.wrong("is longer than an election can be", election)
    held = paper.check_election(state.bundle, said, name, election.content, trustees.content)
    state.opened = Setup(archive, events, election.content, trustees.content, listed, held)
    return f"fingerprint {said.opened.text('fingerprint')}"


def _credentials(state: State) -> str:
    return check_credentials(state.bundle, state.said, state.credentials)


def _wanted(state: State) -> str:
    state.box.wanted = known.wanted_of(state.asked, state.said.uuid)
    return state.box.wanted.mark


def _ballots(state: State) -> str:
    setup, said = state.setup, state.said
    workers = 1 if said.votes <= ALONE_BALLOTS else state.workers or cores()
    ballots = Ballots(state.bundle, setup.archive, setup.events, said)
    with Checker(setup.held.election, workers) as checker:
        return ballots.take(setup.held, state.credentials, state.box, checker=checker, progress=state.progress)


def _listed(state: State) -> str:
    digest, length = state.credentials.listed_digest()
    listed = state.setup.listed
    if (listed.digest, listed.length) != (digest, length):
        raise state.setup.archive.wrong("is not the list of credentials that could vote", listed)
    return f"{length:,} bytes"


def _tally(state: State) -> str:
    return count.check_tally(state.setup.events, state.said, state.setup.held, state.box, state.counted)


def _post(state: State) -> str:
    return count.check_post(state.bundle, state.said, state.setup.held, state.counted)


def _decryptions(state: State) -> str:
    return count.check_decryptions(state.bundle, state.said, state.setup.held, state.box, state.counted)


def _archive_end(state: State) -> str:
    return count.check_archive_end(state.setup.archive, state.setup.events, state.counted)


def _result(state: State) -> str:
    return count.check_result(state.bundle, state.said, state.setup.held, state.credentials, state.counted)


def _page(state: State) -> str:
    return count.check_page(state.bundle, state.counted)


def _sizes(state: State) -> str:
    return check_sizes(state.said, state.credentials, len(state.box.marks))


def _agreement(state: State) -> str:
    return paper.check_agreement(state.bundle, state.said, state.setup.held)


def _people(state: State) -> str:
    walk = Replacements()
    for _, entry in chain.entries(state.bundle, *KINDS):
        walk.take(entry)
    return f"{walk.replaced:,} replaced"


def _receipt(state: State) -> str:
    assert state.box.wanted is not None  # or this would not be tried
    return known.check_receipt(state.box.wanted, state.credentials)
