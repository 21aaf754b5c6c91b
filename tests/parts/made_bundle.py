"""A whole bundle made from nothing but the protocol, by somebody who holds every key: what an operator could publish.

Nothing of voting/count is used, so that writer and verifier are judged apart. Everything that is derived is derived
anew from whatever was changed before: an entry, a ballot, a file; signatures too, since the operator has that key.
"""

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from belenios_tool import v7_member_at
from nacl.signing import SigningKey
from trustee_town import a_vote, dealt, tallied

from voting.ballots.agreement import YES, said_of, yes_prefix
from voting.ballots.ballot import Ballot, write_ballot
from voting.ballots.credential import credentials_digest
from voting.ballots.election import Election, Question, describe_paper, make_election
from voting.ballots.group import base_times, hash_to_scalar, random_scalar, write_point
from voting.ballots.mark import key_fingerprint
from voting.ballots.proofs import prove_knowledge
from voting.ballots.tally import Tally, read_tally
from voting.ballots.written import File, write_json, write_proof
from voting.trustees.dealer import Dealt
from voting.trustees.decrypt import make_decryption
from voting.verify import format as form
from voting.verify.page import result_page
from voting.verify.result import Asked, Post, Turnout, result_of

Entry = dict[str, Any]
Edit = Callable[[Any], Any]

KEY = SigningKey(bytes(range(32)))
UUID = "MadeBundLeTest"
OPENS = datetime(2022, 8, 1, 10, tzinfo=UTC)
CLOSES = datetime(2022, 9, 2, 16, tzinfo=UTC)
SECONDS = int(OPENS.timestamp())
OPTIONS = ("North", "South")
VOTES = (0, 1, 0, 0, 1, 0, 0, 0)
BELENIOS = b'{"version":1,"timestamp":"%d"}' % SECONDS
README = b"How to check all this.\n"


def secret_of(pack: int) -> int:
    """The credential's secret of a pack."""
    return hash_to_scalar(f"pack {pack}")


def written(pack: int) -> str:
    """The credential of a pack."""
    return write_point(base_times(secret_of(pack)))


def compact(value: object) -> bytes:
    """JSON as Belenios writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


@functools.cache
def vote_of(election: Election, pack: int, option: int) -> Ballot:
    """A ballot for an option by a pack's credential; the same ballot each time, for making one takes long."""
    return a_vote(election, secret_of(pack), option)


@functools.cache
def decryption_of(election: Election, tally: Tally, index: int) -> bytes:
    """A trustee's decryption; the same each time."""
    return make_decryption(dealt().shares[index - 1], election, tally)


@dataclass
class Made:
    """A poll with packs 1 to 12 issued before the opening, 12 replaced by 13, and 14 issued after it; 8 have voted."""

    stage: str = form.RESULTED
    kind: str = "dealer"
    votes: Sequence[int] = VOTES
    voters: Sequence[int] = (1, 2, 3, 4, 5, 6, 7, 14)  # packs, in the order of the votes; the last three vote later
    first: int = 5  # ballots of the first entry
    before: Sequence[int] = tuple(range(1, 13))  # packs issued before the opening
    replaced: tuple[int, int] | None = (12, 13)
    later: Sequence[int] = (14,)
    options: Sequence[str] = OPTIONS
    members: int = 20
    eligible: int = 18
    received: int = 3
    rejected: int = 1
    papers: Sequence[int] = (2, 1)
    justification: str | None = None
    deciders: Sequence[int] = (1, 3)  # trustees who decrypt
    trustees: Dealt = field(default_factory=dealt)
    key: SigningKey = KEY
    head_every: int = 4
    # What is changed on the way; everything after it is derived from what was made of it.
    edit_paper: Edit | None = None
    edit_election: Edit | None = None
    edit_ballots: Edit | None = None  # (entry number, ballot's JSON), in their order
    edit_tally: Edit | None = None
    edit_decryptions: Edit | None = None
    edit_entries: Edit | None = None
    edit_members: Edit | None = None  # of the archive, before names and hashes: see `Made.events`
    edit_archive: Edit | None = None  # its bytes
    edit_files: Edit | None = None  # by name
    edit_heads: Edit | None = None
    edit_manifest: Edit | None = None

    def write(self, folder: Path) -> Path:
        """Write the bundle into a folder, over what is there."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / form.ARCHIVES).mkdir(parents=True)
        for name, content in self.files().items():
            (folder / name).write_bytes(content)
        return folder

    # ---- what is voted on

    @property
    def questions(self) -> list[Entry]:
        """What is asked, as paper and poll have it."""
        return [
            {
                "question": {"en": "Who?", "cy": "Pwy?"},
                "options": [{"en": option, "cy": option} for option in self.options],
                "least": 1,
                "most": 1,
                "blank": False,
                "order": "fixed",
                "seats": None,
            }
        ]

    @functools.cached_property
    def paper(self) -> bytes:
        """Paper.json."""
        value = {
            "format": "ballotline paper 1",
            "uuid": UUID,
            "languages": ["en", "cy"],
            "title": {"en": "Leader", "cy": "Arweinydd"},
            "questions": self.questions,
            "rule": {"en": "One vote.", "cy": "Un bleidlais."},
            "opens_at": SECONDS * 1_000_000,
            "closes_at": int(CLOSES.timestamp()) * 1_000_000,
            "key": self.kind,
        }
        return form.canonical(_edited(self.edit_paper, value))

    @functools.cached_property
    def election(self) -> Election:
        """Election.json."""
        facts = {
            "uuid": UUID,
            "name": "Leader",
            "description": describe_paper(self.paper),
            "key": self.trustees.trustees.election_key,
            "questions": [Question("Who?", tuple(self.options), 1, 1)],
        }
        return make_election(**_edited(self.edit_election, facts))

    @property
    def fingerprint(self) -> str:
        """What is published before the vote."""
        return key_fingerprint(self.election.hash, self.trustees.trustees.data, bytes(self.key.verify_key))

    def yes(self, index: int) -> str:
        """A trustee's yes to this election."""
        trustees, share = self.trustees.trustees, self.trustees.shares[index - 1]
        named = said_of(self.election, trustees, bytes(self.key.verify_key))
        proof = prove_knowledge(share.secret, yes_prefix(index, trustees, named), random_scalar())
        return write_json({"format": YES, "index": index, **named, "proof": write_proof(proof)})

    # ---- ballots and sums

    @functools.cached_property
    def made(self) -> list[Ballot]:
        """A ballot for each vote."""
        return [vote_of(self.election, pack, vote) for pack, vote in zip(self.voters, self.votes, strict=True)]

    @functools.cached_property
    def ballots(self) -> list[tuple[int, bytes]]:
        """Ballots' JSON in the archive's order: by entry (the first, the second), then by their SHA-256."""
        whole = [(0 if place < self.first else 1, write_ballot(ballot)) for place, ballot in enumerate(self.made)]
        return list(_edited(self.edit_ballots, sorted(whole, key=lambda one: (one[0], sha256(one[1])))))

    @functools.cached_property
    def tally(self) -> bytes:
        """The encrypted tally."""
        return bytes(_edited(self.edit_tally, tallied(self.election, self.made)))

    @functools.cached_property
    def decryptions(self) -> list[bytes]:
        """Each trustee's decryption."""
        tally = read_tally(File("tally", self.tally), self.election)
        return list(_edited(self.edit_decryptions, [decryption_of(self.election, tally, i) for i in self.deciders]))

    @functools.cached_property
    def result(self) -> list[int]:
        """What the decryptions come to; or what was voted, when they come to nothing."""
        return [sum(vote == option for vote in self.votes) for option in range(len(self.options))]

    # ---- the chain

    @functools.cached_property
    def story(self) -> list[Entry]:
        """What happened, one entry after another, not linked and signed yet."""
        trustees = self.trustees.trustees
        entries = [
            _entry("poll_initialised", "setup (command line)", self._poll()),
            _entry("window_set", "setup (command line)", {"first_day": "2022-08-01"}),
            _entry("staff_invited", "setup (command line)", {"role": "officer", "invitation": "00"}),
            _entry("staff_enrolled", "Gwen (chat)", {"staff": 1, "name": "Gwen", "role": "officer"}),
            _entry("staff_enrolled", "Huw (chat)", {"staff": 2, "name": "Huw", "role": "support"}),
            _entry("roll_imported", "Gwen (command line)", {"eligible": self.eligible}),
            _entry(
                "trustees_set",
                "Gwen (command line)",
                {
                    "trustees": len(trustees.keys),
                    "threshold": trustees.threshold,
                    "trustees_sha256": trustees.digest,
                    "key": write_point(trustees.election_key),
                    "kind": self.kind,
                },
            ),
            *self._yes_entries(),
            _entry("packs_issued", "Gwen (command line)", _issue(self.before)),
            _entry("poll_opened", "Gwen (command line)", self._opening(), at=OPENS),
            self._locked(0),
        ]
        if self.replaced is not None:
            old, new = self.replaced
            entries += [
                _entry("pack_replacement_asked", "Gwen (chat)", {}),
                _entry("pack_replacement_approved", "Huw (console)", {}),
                _entry("pack_replaced", "Huw (command line)", {**_issue([new]), "voided": [written(old)]}),
            ]
        if self.later:
            entries.append(_entry("packs_issued", "Gwen (command line)", _issue(self.later)))
        entries += [
            self._locked(1),
            _entry("papers_imported", "Huw (command line)", _papers(self.received, 0, 1)),
            _entry("rule_changed", "Gwen (chat)", {"rule": {"en": "One.", "cy": "Un."}, "rule_version": 2}),
            _entry("poll_closed", "system", {}, at=CLOSES),
            _entry("papers_imported", "Huw (command line)", _papers(0, self.rejected, 0), at=CLOSES),
            _entry("postal_counted", "Gwen (command line)", self._postal_count(), at=CLOSES),
            _entry(
                "roll_closed", "Gwen (command line)", {"members": self.members, "eligible": self.eligible}, at=CLOSES
            ),
            _entry("ballots_closed", "Gwen (command line)", self._closing(), at=CLOSES),
        ]
        if self.stage == form.RESULTED:
            entries += [
                _entry("console_opened", "Gwen (console)", {}, at=CLOSES),
                _entry("counted", "Gwen (command line)", self._counted(), at=CLOSES),
            ]
        return [entry for entry in entries if entry["body"].get("ballots") != []]

    def _poll(self) -> Entry:
        return {
            "id": "leader-2022",
            "uuid": UUID,
            "title": "Leader",
            "questions": self.questions,
            "opens_at": OPENS.isoformat(),
            "closes_at": CLOSES.isoformat(),
            "timezone": "Europe/London",
            "languages": ["en", "cy"],
            "rule": {"en": "One vote.", "cy": "Un bleidlais."},
            "rule_version": 1,
            "signing_key": bytes(self.key.verify_key).hex(),
        }

    def _yes_entries(self) -> list[Entry]:
        if self.kind != "ceremony":
            return []
        of = len(self.trustees.trustees.keys)
        bodies = [{"trustee": index, "yes": self.yes(index)} for index in range(1, of + 1)]
        return [_entry("trustee_agreed", "Gwen (command line)", body) for body in bodies]

    def _opening(self) -> Entry:
        return {
            "opens_at": OPENS.isoformat(),
            "closes_at": CLOSES.isoformat(),
            "election": self.election.hash,
            "paper": sha256(self.paper),
            "trustees": self.trustees.trustees.digest,
            "fingerprint": self.fingerprint,
        }

    def _locked(self, number: int) -> Entry:
        named = sorted(sha256(raw) for entry, raw in self.ballots if entry == number)
        return _entry("votes_locked", "system", {"n": len(named), "ballots": named}, at=OPENS)

    def _postal_count(self) -> Entry:
        votes = [["Who?", option, count] for option, count in zip(self.options, self.papers, strict=True)]
        return {"version": 1, "votes": votes, "scanned": self.received, "justification": self.justification}

    def _closing(self) -> Entry:
        everything = [*self.before, *(self.replaced or ())[1:], *self.later]
        digest = credentials_digest(written(pack) for pack in everything)
        return {"n": len(self.ballots), "tally": sha256(self.tally), "credentials": digest}

    def _counted(self) -> Entry:
        lines = b"".join(one + b"\n" for one in self.decryptions)
        return {"result": sha256(form.readable(self.result_facts())), "decryptions": sha256(lines)}

    def result_facts(self) -> Entry:
        """Result.json."""
        return result_of(
            "leader-2022",
            [Asked(Question("Who?", tuple(self.options), 1, 1))],
            [self.result],
            Post(self.received, self.rejected, [self.papers]),
            Turnout(len(self.made), sum(pack not in self.before for pack in self.voters), self.eligible),
        )

    @functools.cached_property
    def entries(self) -> list[Entry]:
        """The chain, linked and signed."""
        entries = _edited(self.edit_entries, self.story)
        previous = form.GENESIS
        for seq, entry in enumerate(entries, start=1):
            entry.setdefault("seq", seq)
            words = {name: entry[name] for name in ("seq", "at", "actor", "kind", "body")}
            digest = form.entry_hash(words, previous)
            signature = self.key.sign(form.entry_message(UUID, seq, previous, digest)).signature
            entry.setdefault("hash", digest.hex())
            entry.setdefault("signature", signature.hex())
            previous = digest
        return list(entries)

    @property
    def merged(self) -> Entry:
        """Poll.json."""
        poll: Entry = {}
        for entry in self.entries:
            if entry["kind"] in form.POLL_SET:
                poll |= entry["body"]
        return poll

    @property
    def shown(self) -> Entry:
        """What the page needs of the poll, whatever the chain has made of it."""
        texts = {name: str(self.merged.get(name, "")) for name in ("title", "kind", "fingerprint")}
        poll = self._poll()
        steady = {name: poll[name] for name in ("questions", "languages", "opens_at", "closes_at", "timezone")}
        return texts | steady

    def heads(self) -> bytes:
        """Heads of a few entries, the last among them."""
        last = len(self.entries)
        chosen = [seq for seq in range(1, last + 1) if seq == last or seq % self.head_every == 0]
        heads = [(seq, self.entries[seq - 1]["hash"]) for seq in chosen]
        return b"".join(head_line(seq, digest, self.key) for seq, digest in _edited(self.edit_heads, heads))

    # ---- the archive

    @property
    def credentials(self) -> dict[str, tuple[int, int | None]]:
        """Every credential, the entry that issued it and the one that voided it."""
        found: dict[str, tuple[int, int | None]] = {}
        groups = iter(
            [*([self.before] if self.before else []), *([self.replaced[1:]] if self.replaced else []), self.later]
        )
        for seq, entry in enumerate(self.entries, start=1):
            if entry["kind"] in {form.PACKS_ISSUED, form.PACK_REPLACED}:
                found |= {written(pack): (seq, None) for pack in next(groups, ())}
                for old in entry["body"].get("voided", []):
                    found[old] = (found[old][0], seq) if old in found else (seq, seq)
        return dict(sorted(found.items()))

    def events(self) -> list[tuple[str, list[bytes]]]:
        """The archive's events: kind, and data, of which the last is the payload."""
        cast = {written_credential(raw) for _, raw in self.ballots}
        listed = [one for one, (_, ended) in self.credentials.items() if ended is None or one in cast]
        parts = [self.election.written, self.trustees.trustees.data, compact(listed)]
        named = dict(zip(("election", "trustees", "credentials"), map(sha256, parts), strict=True))
        number = len(self.ballots)
        tallies = {"num_tallied": number, "total_weight": number, "encrypted_tally": sha256(self.tally)}
        events = [
            ("Setup", [*parts, compact(named)]),
            *(("Ballot", [raw]) for _, raw in self.ballots),
            ("EndBallots", []),
            ("EncryptedTally", [self.tally, compact(tallies)]),
        ]
        if self.stage == form.RESULTED:
            for index, content in zip(self.deciders, self.decryptions, strict=False):
                published = compact(json.loads(content).get("decryption"))
                events.append(
                    ("PartialDecryption", [published, compact({"owner": index, "payload": sha256(published)})])
                )
            events.append(("Result", [compact({"result": [self.result]})]))
        return list(_edited(self.edit_members, events))

    @functools.cached_property
    def archive(self) -> bytes:
        """The archive."""
        whole = [v7_member_at("BELENIOS", BELENIOS, SECONDS)]
        parent = ""
        for height, (kind, data) in enumerate(self.events()):
            whole += [v7_member_at(f"{sha256(content)}.data.json", content, SECONDS) for content in data]
            named = {"parent": parent} if parent else {}
            payload = {"payload": sha256(data[-1])} if data else {}
            event = compact({**named, "height": height, "type": kind, **payload})
            parent = sha256(event)
            whole.append(v7_member_at(f"{parent}.event.json", event, SECONDS))
        return bytes(_edited(self.edit_archive, b"".join(whole)))

    # ---- the files

    def files(self) -> dict[str, bytes]:
        """Every file by its name."""
        postal = {
            "received": self.received,
            "rejected": self.rejected,
            "set_aside": 1,
            "votes": [list(self.papers)],
            "justification": self.justification,
        }
        lines = [
            f"{one} {issued} {'-' if ended is None else ended}\n" for one, (issued, ended) in self.credentials.items()
        ]
        files = {
            form.POLL: form.readable(self.merged),
            form.PAPER: self.paper,
            form.CHAIN: b"".join(form.canonical(entry) + b"\n" for entry in self.entries),
            form.HEADS: self.heads(),
            form.CREDENTIALS: "".join(lines).encode(),
            form.POSTAL: form.readable(postal),
            form.README: README,
        }
        if self.stage == form.RESULTED:
            result = self.result_facts()
            files |= {
                form.DECRYPTIONS: b"".join(one + b"\n" for one in self.decryptions),
                form.RESULT: form.readable(result),
                form.PAGE: result_page(self.shown, result, self.justification),
            }
        files[form.archive_name(UUID)] = self.archive
        return signed(_edited(self.edit_files, files), self.stage, self.key, self.edit_manifest)


def signed(
    files: dict[str, bytes], stage: str, key: SigningKey = KEY, edit_manifest: Edit | None = None
) -> dict[str, bytes]:
    """Add lines.txt, manifest and signature to the files as they are."""
    rows = [
        row
        for name in form.TEXTS[stage]
        if name in files
        for row in form.line_rows(name, files[name].splitlines(keepends=True))
    ]
    files.setdefault(form.LINES, b"".join(rows))
    names = [name for name in form.listed(stage, UUID) if name in files]
    measured = {name: (len(files[name]), sha256(files[name])) for name in names}
    head = json.loads(files[form.HEADS].splitlines()[-1]) if files[form.HEADS] else {"seq": 0, "hash": ""}
    poll = json.loads(files[form.POLL])
    poll = {name: poll.get(name, "") for name in ("id", "uuid")}
    manifest = form.manifest_of(stage, poll, (head["seq"], head["hash"]), measured)
    files[form.MANIFEST] = form.readable(_edited(edit_manifest, manifest))
    files[form.SIGNATURE] = key.sign(form.manifest_message(files[form.MANIFEST])).signature.hex().encode() + b"\n"
    return files


def head_line(seq: int, digest: str, key: SigningKey = KEY) -> bytes:
    """A signed head."""
    signature = key.sign(form.head_message(seq, bytes.fromhex(digest))).signature.hex()
    return form.canonical({"seq": seq, "hash": digest, "signature": signature}) + b"\n"


def written_credential(raw: bytes) -> str:
    """The credential in a ballot's JSON."""
    return str(json.loads(raw).get("credential", ""))


def sha256(content: bytes) -> str:
    """A SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def entry_of(entries: Sequence[Entry], kind: str, number: int = 0) -> Entry:
    """An entry of this kind."""
    return [entry for entry in entries if entry["kind"] == kind][number]


def _entry(kind: str, actor: str, body: Entry, at: datetime = OPENS) -> Entry:
    return {"at": int(at.timestamp()) * 1_000_000, "actor": actor, "kind": kind, "body": body}


def _issue(packs: Sequence[int]) -> Entry:
    credentials = credentials_digest(written(pack) for pack in packs)
    return {"packs": len(packs), "print_sha256": "00" * 32, "credentials": credentials}


def _papers(received: int, rejected: int, set_aside: int) -> Entry:
    return {"n_received": received, "n_rejected": rejected, "n_set_aside": set_aside}


def _edited(edit: Edit | None, value: Any) -> Any:
    if edit is None:
        return value
    changed = edit(value)
    return value if changed is None else changed
