"""A second verifier, written after docs/ballots.md: nothing of ours, nothing but the standard library.

It is short and slow. What it leaves out: where each kind of entry may stand, two people, and the page.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import stranger_group as g
from stranger_group import Point, Refused, insist, read, write

__all__ = ["Refused", "verify"]

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
POLL_SET = ("poll_initialised", "poll_changed", "rule_changed", "trustees_set", "poll_opened", "roll_closed")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def b64(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def canonical(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()


def readable(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def mark(digest: bytes) -> str:
    number, digits = int.from_bytes(digest[:10], "big") % 31**16, ""
    for _ in range(16):
        number, digit = divmod(number, 31)
        digits = ALPHABET[digit] + digits
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def list_digest(credentials: list[str]) -> str:
    return sha("\n".join(sorted(credentials)).encode())


@dataclass
class Chain:
    """What the chain says."""

    poll: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["kind"] in kinds]

    def last(self, kind: str) -> dict[str, Any]:
        return dict(self.of(kind)[-1]["body"])

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.poll["signing_key"])


def verify(folder: Path, fingerprint: str) -> dict[str, Any]:
    """Check a bundle; give the votes by option, online."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    chain = _chain(folder)
    _files(folder, manifest, chain)
    _heads(folder, chain)
    insist((folder / "poll.json").read_bytes() == readable(chain.poll), "poll.json is what the chain makes")
    events = list(_events(folder / "belenios" / f"{chain.poll['uuid']}.bel", chain))
    setup = json.loads(events[0][1][-1])
    insist(
        [sha(data) for data in events[0][1][:3]] == [setup[name] for name in ("election", "trustees", "credentials")],
        "Setup",
    )
    election_bytes, trustees_bytes, listed = events[0][1][:3]
    election = _election(folder, chain, election_bytes)
    keys, y = _trustees(chain, trustees_bytes)
    insist(write(y) == election["public_key"], "the election's key is the trustees'")
    text = f"{b64(election_bytes)}|{sha(trustees_bytes)}|{chain.key.hex()}"
    found = mark(hashlib.sha256(text.encode()).digest())
    insist(found == chain.last("poll_opened")["fingerprint"] == fingerprint, "the fingerprint")
    ballots = [data[0] for kind, data in events if kind == "Ballot"]
    issued, voided = _credentials(folder, chain)
    sums, used = _ballots(chain, election, election_bytes, y, ballots, issued, voided)
    due = [one for one in issued if one not in voided or one in used]
    insist(listed == compact(due), "the archive's list of credentials")
    tally = _tally(chain, events, sums, len(ballots))
    _postal(folder, chain)
    if manifest["stage"] == "tally":
        return {"ballots": len(ballots), "tally": sha(tally)}
    result = _decryptions(folder, chain, events, election, b64(election_bytes), keys, tally, len(ballots))
    return _result(folder, chain, result, sum(issued[one] > chain.of("poll_opened")[0]["seq"] for one in used))


def _chain(folder: Path) -> Chain:
    chain, previous = Chain(), bytes(32)
    for number, line in enumerate((folder / "chain.jsonl").read_bytes().splitlines(), 1):
        entry = json.loads(line)
        insist(canonical(entry) == line and entry["seq"] == number, f"entry {number} is canonical and in its place")
        words = {name: entry[name] for name in ("seq", "at", "actor", "kind", "body")}
        digest = hashlib.sha256(canonical(words) + previous).digest()
        insist(digest.hex() == entry["hash"], f"the hash of entry {number}")
        if entry["kind"] in POLL_SET:
            before = (chain.poll.get("uuid"), chain.poll.get("signing_key"))
            chain.poll |= entry["body"]
            now = (chain.poll["uuid"], chain.poll["signing_key"])
            insist(number == 1 or before == now, "uuid and signing key never change")
        message = f"ballotline entry 1|{chain.poll['uuid']}|{number}|{previous.hex()}|{digest.hex()}"
        g.check_ed25519(chain.key, message.encode(), bytes.fromhex(entry["signature"]))
        chain.entries.append(entry)
        previous = digest
    return chain


def _files(folder: Path, manifest: dict[str, Any], chain: Chain) -> None:
    whole = (folder / "manifest.json").read_bytes()
    insist(whole == readable(manifest) and manifest["format"] == "ballotline bundle 2", "the manifest is readable JSON")
    signature = (folder / "manifest.sig").read_text().removesuffix("\n")
    g.check_ed25519(chain.key, b"ballotline bundle manifest 1\n" + whole, bytes.fromhex(signature))
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    insist(there == {*manifest["files"], "manifest.json", "manifest.sig"}, "exactly the files of the manifest")
    for name, said in manifest["files"].items():
        content = (folder / name).read_bytes()
        insist(said == {"bytes": len(content), "sha256": sha(content)}, f"the bytes of {name}")
    last = chain.entries[-1]
    insist(manifest["head"] == {"seq": last["seq"], "hash": last["hash"]}, "the manifest's head")
    insist(last["kind"] == {"tally": "ballots_closed", "result": "counted"}[manifest["stage"]], "where the chain ends")


def _heads(folder: Path, chain: Chain) -> None:
    last = 0
    for line in (folder / "heads.jsonl").read_bytes().splitlines():
        head = json.loads(line)
        insist(canonical(head) == line and head["seq"] > last, "heads ascend")
        last = head["seq"]
        insist(chain.entries[last - 1]["hash"] == head["hash"], "a head is the hash of its entry")
        message = canonical({"head": last, "hash": head["hash"]})
        g.check_ed25519(chain.key, message, bytes.fromhex(head["signature"]))
    insist(last == len(chain.entries), "the end is signed")


def _events(path: Path, chain: Chain) -> Iterator[tuple[str, list[bytes]]]:
    whole, place, data, parent, height = path.read_bytes(), 0, [], "", 0
    seconds = int(datetime.fromisoformat(chain.poll["opens_at"]).timestamp())
    while place < len(whole):
        header = whole[place : place + 512]
        size = int(header[124:135], 8)
        name, content = header[:100].rstrip(b"\0"), whole[place + 512 : place + 512 + size]
        insist(header == _header(name, size, seconds), "a member's header")
        end = place + 512 + -(-size // 512) * 512
        insist(whole[place + 512 + size : end] == bytes(end - place - 512 - size), "a member's padding")
        if place == 0:
            first = compact({"version": 1, "timestamp": str(seconds)})
            insist((name, content) == (b"BELENIOS", first), "the first member")
        elif name == f"{sha(content)}.data.json".encode():
            data.append(content)
        else:
            insist(name == f"{sha(content)}.event.json".encode(), "a member is named by its SHA-256")
            event = json.loads(content)
            due = {**({"parent": parent} if parent else {}), "height": height, "type": event["type"]}
            due |= {"payload": sha(data[-1])} if data else {}
            insist(content == compact(due), "an event follows from the one before")
            yield event["type"], data
            parent, height, data = sha(content), height + 1, []
        place = end
    insist(not data, "nothing stands behind the last event")


def _header(name: bytes, size: int, seconds: int) -> bytes:
    fields = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0%011o\0" % (size, seconds)
    header = (name.ljust(100, b"\0") + fields + b" " * 8 + b"0").ljust(512, b"\0")
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]


def _election(folder: Path, chain: Chain, written: bytes) -> dict[str, Any]:
    election: dict[str, Any] = json.loads(written)
    names = ["version", "description", "name", "group", "public_key", "questions", "uuid"]
    insist(compact(election) == written and list(election) == names, "election.json is compact, in its order")
    insist((election["version"], election["group"], election["uuid"]) == (1, "Ed25519", chain.poll["uuid"]), "election")
    opened = chain.last("poll_opened")
    paper = (folder / "paper.json").read_bytes()
    insist(opened["election"] == b64(written) and opened["paper"] == sha(paper), "what the opening bound")
    insist(election["description"] == f"ballotline paper 1 {sha(paper)}", "election.json binds paper.json")
    said = json.loads(paper)
    insist(canonical(said) == paper, "paper.json is canonical")
    first = said["languages"][0]
    asked = [
        {"answers": [option[first] for option in one["options"]], **({"blank": True} if one["blank"] else {})}
        | {"min": one["least"], "max": one["most"], "question": one["question"][first]}
        for one in said["questions"]
    ]
    insist(election["questions"] == asked and election["name"] == said["title"][first], "the paper's questions")
    return election


def _signed(value: Any, public: Point | None = None) -> Any:
    message = json.loads(value["message"])
    insist(compact(message).decode() == value["message"], "a signed text is compact")
    key = public or read(message["verification"])
    g.check_knowledge(value["signature"], key, f"sigmsg|{value['message']}|", "a signed text")
    return message


def _trustees(chain: Chain, written: bytes) -> tuple[list[Point], Point]:
    value = json.loads(written)
    insist(compact(value) == written and value[0][0] == "Pedersen" and len(value) == 1, "trustees.json")
    parts = value[0][1]
    certs = [_signed(one) for one in parts["certs"]]
    publics = [read(one["verification"]) for one in certs]
    for place, one in enumerate(certs, 1):
        context = {"group": "Ed25519", "size": len(certs), "threshold": parts["threshold"], "index": place}
        insist(one["context"] == context and bool(read(one["encryption"])), "a certificate's place")
    commitments = [
        [read(point) for point in _signed(one, public)["coefexps"]]
        for one, public in zip(parts["coefexps"], publics, strict=True)
    ]
    insist(all(len(one) == parts["threshold"] for one in commitments), "as many commitments as the threshold")
    for own, public, signature in zip(commitments, publics, parts["signatures"], strict=True):
        text = compact({"certs": parts["certs"], "coefexps": [write(point) for point in own]}).decode()
        g.check_knowledge(signature, public, f"sigmsg|certs_sig|{text}|", "all certificates")
    keys = []
    for place, one in enumerate(parts["verification_keys"], 1):
        key = read(one["public_key"])
        made = g.product([g.times(place**power, point) for own in commitments for power, point in enumerate(own)])
        insist(g.same(key, made), "a trustee's key is what all committed to")
        g.check_knowledge(one["pok"], key, f"pok|Ed25519|{write(key)}|", "a trustee's secret")
        g.check_knowledge(one["signature"], publics[place - 1], f"sigmsg|{write(key)}|", "a trustee's key")
        keys.append(key)
    y = g.product([own[0] for own in commitments])
    named = chain.last("trustees_set")
    due = {"trustees": len(keys), "threshold": parts["threshold"], "trustees_sha256": sha(written), "key": write(y)}
    insist(due.items() <= named.items() and chain.last("poll_opened")["trustees"] == sha(written), "trustees_set")
    return keys, y


def _credentials(folder: Path, chain: Chain) -> tuple[dict[str, int], dict[str, int]]:
    issued: dict[str, int] = {}
    voided: dict[str, int] = {}
    for line in (folder / "credentials.txt").read_text().splitlines():
        match = re.fullmatch(r"([0-9a-f]{64}) ([0-9]+) (-|[0-9]+)", line)
        insist(match is not None and match[1] > max(issued, default=""), "credentials ascend")
        assert match is not None
        issued[match[1]] = int(match[2])
        voided |= {} if match[3] == "-" else {match[1]: int(match[3])}
    said = {one: entry["seq"] for entry in chain.of("pack_replaced") for one in entry["body"]["voided"]}
    insist(said == voided, "the chain voids the same")
    entries = chain.of("packs_issued", "pack_replaced")
    insist({entry["seq"] for entry in entries} >= set(issued.values()), "every credential was issued by an entry")
    for entry in entries:
        own = [one for one, seq in issued.items() if seq == entry["seq"]]
        due = (entry["body"]["packs"], entry["body"]["credentials"])
        insist((len(own), list_digest(own)) == due, "what an entry issued")
    insist(chain.last("ballots_closed")["credentials"] == list_digest(list(issued)), "all credentials")
    return issued, voided


def _ballots(
    chain: Chain, election: Any, written: bytes, y: Point, ballots: list[bytes], issued: Any, voided: Any
) -> tuple[list[list[tuple[Point, Point]]], set[str]]:
    named = [(digest, entry["seq"]) for entry in chain.of("votes_locked") for digest in entry["body"]["ballots"]]
    insist([digest for digest, _ in named] == [sha(raw) for raw in ballots], "the ballots are those of the chain")
    sums = [[(g.NEUTRAL, g.NEUTRAL)] * (len(one["answers"]) + ("blank" in one)) for one in election["questions"]]
    used: set[str] = set()
    for raw, (digest, seq) in zip(ballots, named, strict=True):
        ballot = json.loads(raw)
        insist(compact(ballot) == raw and b"\\" not in raw, "a ballot is compact")
        found = _ballot(ballot, election, b64(written), y)
        credential = ballot["credential"]
        insist(credential not in used and issued[credential] < seq <= voided.get(credential, seq), "its credential")
        used.add(credential)
        sums = [
            [(g.add(a, c), g.add(b, d)) for (a, b), (c, d) in zip(*pair, strict=True)]
            for pair in zip(sums, found, strict=True)
        ]
        insist(len(digest) == 64, "a digest")
    insist(len({mark(bytes.fromhex(digest)) for digest, _ in named}) == len(ballots), "no mark twice")
    return sums, used


def _ballot(ballot: Any, election: Any, election_hash: str, y: Point) -> list[list[tuple[Point, Point]]]:
    names = ["election_uuid", "election_hash", "credential", "answers", "signature"]
    insist(list(ballot) == names, "a ballot's fields")
    insist((ballot["election_uuid"], ballot["election_hash"]) == (election["uuid"], election_hash), "its election")
    public, unsigned = read(ballot["credential"]), {name: ballot[name] for name in names[:-1]}
    signed = b64(compact(unsigned))
    insist(list(ballot["signature"]) == ["hash", "proof"] and ballot["signature"]["hash"] == signed, "its hash")
    g.check_knowledge(ballot["signature"]["proof"], public, f"sig|{signed}|", "its signature")
    context = f"{election_hash}|{ballot['credential']}"
    pairs = zip(ballot["answers"], election["questions"], strict=True)
    return [_answer(answer, question, y, context) for answer, question in pairs]


def _answer(answer: Any, question: Any, y: Point, context: str) -> list[tuple[Point, Point]]:
    blank = question.get("blank", False)
    names = ["choices", "individual_proofs", "overall_proof", *(["blank_proof"] if blank else [])]
    insist(list(answer) == names, "an answer's fields")
    insist(len(answer["choices"]) == len(answer["individual_proofs"]) == len(question["answers"]) + blank, "lengths")
    found = [(read(one["alpha"]), read(one["beta"])) for one in answer["choices"]]
    for pair, proofs in zip(found, answer["individual_proofs"], strict=True):
        g.check_one_of(proofs, y, [pair, _is(pair, 1)], f"prove|{context}|{_written([pair])}|", "an answer")
    everything = f"{context}|{_written(found)}"
    rest = found[1:] if blank else found
    total = (g.product([a for a, _ in rest]), g.product([b for _, b in rest]))
    allowed = [_is(total, value) for value in range(question["min"], question["max"] + 1)]
    if not blank:
        prefix = f"prove|{everything}|{_written([total])}|"
        g.check_one_of(answer["overall_proof"], y, allowed, prefix, "the sum")
        return found
    g.check_one_of(answer["blank_proof"], y, [found[0], total], f"bproof0|{everything}|", "blank")
    g.check_one_of(answer["overall_proof"], y, [_is(found[0], 1), *allowed], f"bproof1|{everything}|", "the sum")
    return found


def _is(pair: tuple[Point, Point], value: int) -> tuple[Point, Point]:
    return pair[0], g.add(pair[1], g.negated(g.times(value, g.BASE)))


def _written(pairs: list[tuple[Point, Point]]) -> str:
    return ",".join(f"{write(a)},{write(b)}" for a, b in pairs)


def _tally(chain: Chain, events: Any, sums: Any, number: int) -> bytes:
    tally = compact([[{"alpha": write(a), "beta": write(b)} for a, b in question] for question in sums])
    kinds = [kind for kind, _ in events]
    insist(kinds[: number + 3] == ["Setup", *["Ballot"] * number, "EndBallots", "EncryptedTally"], "the events' order")
    named = compact({"num_tallied": number, "total_weight": number, "encrypted_tally": sha(tally)})
    insist(events[number + 1][1] == [] and events[number + 2][1] == [tally, named], "the tally is the ballots' product")
    closed = chain.last("ballots_closed")
    insist((closed["n"], closed["tally"]) == (number, sha(tally)), "ballots_closed")
    return tally


def _postal(folder: Path, chain: Chain) -> None:
    counts = chain.of("postal_counted")
    lines = _lines(chain)
    counted = [number for *_, number in counts[-1]["body"]["votes"]] if counts else [0] * sum(map(len, lines))
    votes, at = [], 0
    for names in lines:
        votes.append(counted[at : at + len(names)])
        at += len(names)
    due = {
        name: sum(entry["body"][f"n_{name}"] for entry in chain.of("papers_imported"))
        for name in ("received", "rejected", "set_aside")
    }
    why = counts[-1]["body"]["justification"] if counts else None
    named = [line for names in lines for line in names]
    insist(not counts or [line[:2] for line in counts[-1]["body"]["votes"]] == named, "the papers' options")
    insist((folder / "postal.json").read_bytes() == readable({**due, "votes": votes, "justification": why}), "papers")
    fit = all(_fits(*pair, due["received"]) for pair in zip(chain.poll["questions"], votes, strict=True))
    insist(fit or bool(why), "papers differ for a reason")


def _lines(chain: Chain) -> list[list[list[str]]]:
    """Name every line of a count of papers, by question."""
    first = chain.poll["languages"][0]
    return [
        [
            [one["question"][first], name]
            for name in [*["(blank)"] * one["blank"], *(option[first] for option in one["options"])]
        ]
        for one in chain.poll["questions"]
    ]


def _fits(question: Any, votes: list[int], received: int) -> bool:
    blank = votes[0] if question["blank"] else 0
    options, marked = votes[question["blank"] :], received - blank
    between = question["least"] * marked <= sum(options) <= question["most"] * marked
    return 0 <= blank <= received and between and all(0 <= one <= marked for one in options)


def _papers(question: Any, votes: list[int], received: int) -> int:
    """How many papers answered a question."""
    if question["least"] == question["most"] == 1:
        return sum(votes)
    blank, options = (votes[0] if question["blank"] else 0), votes[question["blank"] :]
    return max(received, blank + max(options), blank + -(-sum(options) // question["most"]))


def _decryptions(
    folder: Path, chain: Chain, events: Any, election: Any, election_hash: str, keys: Any, tally: bytes, ballots: int
) -> list[list[int]]:
    content = (folder / "decryptions.jsonl").read_bytes()
    insist(chain.last("counted")["decryptions"] == sha(content), "the decryptions are the chain's")
    sums, found = json.loads(tally), []
    for line in content.splitlines():
        one = json.loads(line)
        names = ["format", "uuid", "election_hash", "tally", "index", "decryption", "second_proofs"]
        insist(compact(one) == line and list(one) == names, "a decryption's fields")
        head = ("ballotline decryption 1", election["uuid"], election_hash, sha(tally))
        insist(tuple(one[name] for name in names[:4]) == head, "what is decrypted")
        found.append((one, _factors(one, sums, keys[one["index"] - 1], election_hash)))
    indexes = [one["index"] for one, _ in found]
    insist(indexes == sorted(set(indexes)) and len(indexes) == chain.last("trustees_set")["threshold"], "k, ascending")
    result = [
        [
            _number(read(value["beta"], identity=True), [factors[at][place] for _, factors in found], indexes, ballots)
            for place, value in enumerate(question)
        ]
        for at, question in enumerate(sums)
    ]
    data = [
        [compact(one["decryption"]), compact({"owner": one["index"], "payload": sha(compact(one["decryption"]))})]
        for one, _ in found
    ]
    due = [*(("PartialDecryption", parts) for parts in data), ("Result", [compact({"result": result})])]
    insist(events[ballots + 3 :] == due, "the archive ends with decryptions and result")
    return result


def _factors(one: Any, sums: Any, key: Point, election_hash: str) -> list[list[Point]]:
    parts = one["decryption"]
    insist(list(parts) == ["decryption_factors", "decryption_proofs"], "a decryption's parts")
    found = []
    for question, factors, first, second in zip(sums, *parts.values(), one["second_proofs"], strict=True):
        row = []
        for value, text, proof, other in zip(question, factors, first, second, strict=True):
            alpha, factor = read(value["alpha"], identity=True), read(text, identity=True)
            x = write(key)
            g.check_equality(proof, key, alpha, factor, f"decrypt|{election_hash}|{x}|")
            prefix = f"ballotline decrypt 1|{election_hash}|{x}|{value['alpha']}|{text}|"
            g.check_equality(other, key, alpha, factor, prefix)
            row.append(factor)
        found.append(row)
    return found


def _number(beta: Point, factors: list[Point], indexes: list[int], ballots: int) -> int:
    weighted = []
    for factor, i in zip(factors, indexes, strict=True):
        weight = 1
        for j in indexes:
            weight = weight * (j * pow(j - i, -1, g.Q) if j != i else 1) % g.Q
        weighted.append(g.times(weight, factor))
    opened, guess = g.add(beta, g.negated(g.product(weighted))), g.NEUTRAL
    for number in range(ballots + 1):
        if g.same(opened, guess):
            return number
        guess = g.add(guess, g.BASE)
    raise Refused("a sum is a number of votes")


def _question(
    question: Any, names: list[list[str]], online: list[int], post: list[int], ballots: int, papers: int
) -> dict[str, Any]:
    lines = [{"online": a, "post": b, "votes": a + b} for a, b in zip(online, post, strict=True)]
    blank = lines.pop(0) if question["blank"] else None
    options = [{"option": name, **line} for (_, name), line in zip(names[question["blank"] :], lines, strict=True)]
    seats, ranked = question["seats"], sorted((one["votes"] for one in options), reverse=True)
    last = ranked[(seats or 1) - 1]
    level = [one["option"] for one in options if one["votes"] == last]
    above = [one["option"] for one in options if one["votes"] > last]
    tie = len(above) + len(level) > (seats or 1) and bool(seats or last)
    if seats is not None:
        elected = above if tie else above + level
        options = [{**one, "elected": one["option"] in elected} for one in options]
    return {
        "question": names[0][0],
        "options": options,
        "blank": blank,
        "voters": {"online": ballots, "post": papers, "votes": ballots + papers},
        "tied": level if tie else [],
    }


def _result(folder: Path, chain: Chain, result: list[list[int]], later: int) -> dict[str, Any]:
    postal, roll = json.loads((folder / "postal.json").read_bytes()), chain.last("roll_closed")
    online = chain.last("ballots_closed")["n"]
    questions = [
        _question(one, names, there, here, online, _papers(one, here, postal["received"]))
        for one, names, there, here in zip(chain.poll["questions"], _lines(chain), result, postal["votes"], strict=True)
    ]
    papers = max(one["voters"]["post"] for one in questions)
    votes = online + papers

    def percent(part: int) -> str:
        hundredths = (20_000 * part + roll["eligible"]) // (2 * roll["eligible"])
        return f"{hundredths // 100}.{hundredths % 100:02}"

    due = {
        "poll": chain.poll["id"],
        "questions": questions,
        "online": online,
        "post": papers,
        "votes": votes,
        "rejected_papers": postal["rejected"],
        "eligible": roll["eligible"],
        "ballots_by_later_credentials": later,
        "turnout_with_rejected": percent(votes + postal["rejected"]),
        "turnout_without_rejected": percent(votes),
    }
    content = (folder / "result.json").read_bytes()
    insist(content == readable(due) and chain.last("counted")["result"] == sha(content), "the result follows")
    return due
