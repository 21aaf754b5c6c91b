"""Checks a bundle alone: no database, no secret, nothing of ours but the protocol.

Written to be read by whoever does not trust us. Every file is compared with the signed manifest, to the line; the audit
chain is walked from its first entry; every signature is tried; every ballot's proofs and signature are checked, and
that a credential stands behind it which was issued before and not void; the ballots are added up again, the trustees'
decryptions checked, the papers added; and the result, its page too, is worked out again. A bundle without a result, as
the trustees get it, is checked as far as it goes. What cannot be known from inside is whether the whole bundle was
made up: compare the fingerprint with the one published before the vote, and heads with those that others kept.

It reads line by line and member by member, so that a bundle of any size fits into little memory, and takes nothing for
granted: a bundle that somebody made up to break it ends as a problem like any other.
"""

from pathlib import Path
from typing import Final

from voting.verify.ballots import WorkerEnded
from voting.verify.cast import Progress
from voting.verify.checking import State, report_of, run
from voting.verify.files import check_files, layout_of
from voting.verify.reading import Bundle, Findings, Wrong
from voting.verify.report import Asked, Check, Figures, Problem, Report

__all__ = ["Asked", "Check", "Figures", "Problem", "Progress", "Report", "WorkerEnded", "verify"]

NOTHING: Final = Asked()


def verify(
    folder: Path, *, asked: Asked = NOTHING, workers: int | None = None, progress: Progress | None = None
) -> Report:
    """Check the bundle in a folder. For what is in it never raises: every fault is a Problem. WorkerEnded.

    `workers` are processes that check ballots, as many as there are cores if it is not said; `progress` is called with
    the number of ballots checked so far, and of all.
    """
    bundle, findings = Bundle(folder), Findings()
    try:
        layout = layout_of(bundle)
    except Wrong as wrong:
        findings.wrong(wrong)
        return Report((), tuple(findings.problems))
    check_files(bundle, findings, layout)
    state = State(bundle, layout, asked, workers, progress)
    run(state, findings)
    return report_of(state, findings)
