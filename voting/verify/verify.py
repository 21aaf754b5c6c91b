"""Checks a published bundle alone: no database, no secret, nothing of ours but the file format.

Written to be read by whoever does not trust us. Every file is compared with the signed manifest, to the line; the audit
chain is walked from its first entry; every signature is tried; every sealed ballot is opened with the published key;
the papers are added; and the result, its page too, is worked out again. What cannot be known from inside is whether
the whole bundle was made up: compare the signing key's fingerprint with the one published before the vote.

It reads line by line, so that a bundle of any size fits into little memory, and takes nothing for granted: a bundle
that somebody made up to break it ends as a problem like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from voting.verify import format as form
from voting.verify.box import Progress, Tally, check_box, check_key, check_openings, check_receipts, find_receipt
from voting.verify.chain import Said, check_chain, check_heads, check_kept
from voting.verify.files import check_files
from voting.verify.reading import Bundle, Check, Findings, Problem, Wrong
from voting.verify.result import check_page, check_poll, check_post, check_result

__all__ = ["Check", "Problem", "Progress", "Verdict", "verify"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was tried, and what is wrong: `ok` when nothing is.

    `fingerprint` names the signing key; `result` is there when it could be worked out; `receipt_found` when a
    receipt was asked for and the list of receipts is as it was published.
    """

    checks: tuple[Check, ...]
    problems: tuple[Problem, ...]
    fingerprint: str = ""
    result: Mapping[str, Any] | None = None
    receipt_found: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether everything was tried and nothing is wrong."""
        return not self.problems and all(check.ok for check in self.checks)


def verify(
    folder: Path,
    *,
    expected_key: str | None = None,
    head: bytes | None = None,
    receipt: str | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Check the bundle in a folder. Never raises for what is in it: every fault is a Problem in the verdict.

    `expected_key` is the fingerprint of the signing key as published before the vote; `head` is one that
    somebody kept, as `ballotline head --json` prints it; `receipt` is looked up in the list of receipts. `progress`
    is called with the number of ballots opened so far.
    """
    if not folder.is_dir():
        return Verdict((), (Problem(str(folder), None, "there is no such folder"),))
    bundle, findings, said, tally = Bundle(folder), Findings(), Said(), Tally()
    check_files(bundle, findings)
    tried = findings.attempt
    tried("The chain is unbroken", [form.CHAIN], partial(check_chain, bundle, said))
    tried("The chain's heads are signed", [form.CHAIN, form.HEADS], partial(check_heads, bundle, said))
    tried("The poll is the chain's", [form.CHAIN, form.POLL], partial(check_poll, bundle, said))
    tried("The election key is the chain's", [form.CHAIN, form.KEY], partial(check_key, bundle, said))
    opened = [form.CHAIN, form.KEY, form.BOX]
    tried("Every ballot in the box opens", opened, partial(check_box, bundle, said, tally, progress))
    tried("Every ballot has a receipt", [*opened, form.RECEIPTS], partial(check_receipts, bundle, said, tally))
    tried("The openings are what is in the box", [*opened, form.OPENINGS], partial(check_openings, bundle, tally))
    tried("The papers are the chain's", [form.CHAIN, form.POSTAL], partial(check_post, bundle, said))
    counted = [*opened, form.POSTAL, form.RESULT]
    tried("The result follows from box and papers", counted, partial(check_result, bundle, said, tally))
    tried("The page shows the result", [*counted, form.POLL, form.PAGE], partial(check_page, bundle))
    if expected_key is not None:
        tried("The signing key is the one expected", [form.CHAIN], partial(_check_expected, said, expected_key))
    if head is not None:
        tried("The chain has the head that was kept", [form.CHAIN], partial(check_kept, bundle, said, head))
    return Verdict(
        tuple(findings.checks),
        tuple(findings.problems),
        _fingerprint(said),
        None if findings.unreliable(counted) else bundle.json(form.RESULT).values,
        None if receipt is None or findings.unreliable([form.RECEIPTS]) else find_receipt(bundle, receipt),
    )


def _check_expected(said: Said, expected: str) -> str:
    fingerprint = _fingerprint(said)
    if not form.same_fingerprint(fingerprint, expected):
        raise Wrong(form.CHAIN, 1, f"names the signing key {fingerprint}, which is not the one expected")
    return fingerprint


def _fingerprint(said: Said) -> str:
    try:
        return form.signing_fingerprint(said.facts.hex("signing_key", form.KEY_BYTES))
    except Wrong:
        return ""
