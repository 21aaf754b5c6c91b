"""The page of the result that people read and print: one file, no script, nothing fetched.

It follows from poll.json, result.json and postal.json alone, to the byte; so `verify` writes it again and compares.
"""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from voting.verify.result import percent, standing_said

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f27; --paper: #fff; --line: #c9ced8; --bar: #2f5f8f; --soft: #566072; }
@media (prefers-color-scheme: dark) {
 :root { --ink: #eceff4; --paper: #14171d; --line: #3a4150; --bar: #7fb0e0; --soft: #aab3c3; } }
* { box-sizing: border-box; }
body { font: 1.05rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink);
 background: var(--paper); max-width: 46rem; margin: 2.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
.question { color: var(--soft); font-size: 1.15rem; margin: 0 0 1.6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: right; padding: .55rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child { text-align: left; padding-left: 0; font-weight: 600; min-width: 7.5rem; }
td, thead th { white-space: nowrap; }
thead th { color: var(--soft); font-weight: 400; } .votes { font-weight: 700; }
tfoot th, tfoot td { border-bottom: 0; border-top: 2px solid var(--ink); font-weight: 700; }
.bar { display: block; height: .55rem; margin-top: .35rem; background: var(--bar); border-radius: .2rem;
 min-width: 2px; }
dl { display: grid; grid-template-columns: 1fr auto; gap: .35rem 1.5rem; margin: 0;
 font-variant-numeric: tabular-nums; }
dt { color: var(--soft); } dd { margin: 0; text-align: right; font-weight: 600; }
.note { margin-top: 1.5rem; border-left: .3rem solid var(--bar); padding: .1rem 0 .1rem 1rem; }
footer { color: var(--soft); margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; }
code { font-size: .95em; overflow-wrap: anywhere; }
@media (max-width: 30rem) { body { font-size: 1rem; } th, td { padding: .5rem .35rem; } }
@media print {
 :root { --ink: #000; --paper: #fff; --line: #999; --bar: #444; --soft: #333; }
 @page { margin: 2cm; } body { margin: 0; max-width: none; padding: 0; font-size: 11pt; }
 .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; } tr, dl, .note { break-inside: avoid; } }
"""
_TURNOUT: Final = {
    "eligible": "Members who could vote",
    "votes": "Valid votes",
    "rejected_papers": "Papers received and rejected",
    "ballots_by_later_credentials": "Online votes with a pack issued after the opening",
    "turnout_without_rejected": "Turnout, valid votes only",
    "turnout_with_rejected": "Turnout, rejected papers included",
}
_WAYS: Final = {"online": "Every online vote", "post": "Every vote by post"}


def result_page(poll: Mapping[str, Any], result: Mapping[str, Any], justification: str | None) -> bytes:
    """Write the page for what poll.json and result.json say, and why scans and paper count differ, if they do."""
    questions = "\n".join(
        _question(asked, found) for asked, found in zip(poll["questions"], result["questions"], strict=True)
    )
    turnout = "\n".join(f"<dt>{words}</dt><dd>{_figure(result[name])}</dd>" for name, words in _TURNOUT.items())
    title = escape(poll["title"])
    return f"""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Result: {title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{questions}
<h2>Turnout</h2>
<dl>
{turnout}
</dl>
{"".join(_notes(poll, justification))}<footer>
<p>Anybody can check this result: <code>README.txt</code> beside this page says how. Online votes were encrypted when
they were cast and added up without being opened; only the sums were decrypted, by the trustees together.</p>
<p>Fingerprint of this election: <code>{escape(poll["fingerprint"])}</code>. Compare it with the one that
was published before the vote.</p>
</footer>
</main>
</body>
</html>
""".encode()


def _question(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Write one question: its table, and what has to be said of it."""
    question, voters = escape(found["question"]), found["voters"]
    lines = [(option["option"], option, bool(option.get("elected"))) for option in found["options"]]
    lines += [] if found["blank"] is None else [("Blank votes", found["blank"], False)]
    most = max(votes["votes"] for _, votes, _ in lines) or 1
    rows = "\n".join(_row(name, votes, voters["votes"], most, elected=elected) for name, votes, elected in lines)
    whole = "All valid votes" if _one_each(asked) else "Members who voted"
    return f"""<p class="question">{question}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Votes: {question}">
<table>
<caption>Votes by option</caption>
<thead>
<tr><th scope="col">Option</th><th scope="col">Online</th><th scope="col">By post</th>
<th scope="col">Votes</th><th scope="col">Share</th></tr>
</thead>
<tbody>
{rows}
</tbody>
<tfoot>
<tr><th scope="row">{whole}</th><td>{_figure(voters["online"])}</td>
<td>{_figure(voters["post"])}</td><td>{_figure(voters["votes"])}</td><td></td></tr>
</tfoot>
</table>
</div>
{"".join(map(_note, _said(asked, found)))}"""


def _one_each(asked: Mapping[str, Any]) -> bool:
    return bool(asked["least"] == asked["most"] == 1)


def _figure(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{escape(value)} %"


def _row(name: str, votes: Mapping[str, Any], voters: int, most: int, *, elected: bool) -> str:
    figures = "".join(f"<td>{_figure(votes[how])}</td>" for how in ("online", "post"))
    mark = " <strong>elected</strong>" if elected else ""
    return f"""<tr><th scope="row"><span>{escape(name)}{mark}</span>
<span class="bar" style="width:{100 * votes["votes"] // most}%" aria-hidden="true"></span></th>
{figures}<td class="votes">{_figure(votes["votes"])}</td><td>{_figure(percent(votes["votes"], voters))}</td></tr>"""


def _said(asked: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Say who is elected and what is tied, what the shares are of, and where a sum tells how everybody voted."""
    said = []
    if not _one_each(asked):
        allowed = f"up to {asked['most']} options" if asked["least"] != asked["most"] else f"{asked['most']} options"
        said.append(f"Each member could choose {allowed}. Shares are of the members who voted, not of the votes.")
    said += [escape(sentence) for sentence in standing_said(found, asked["seats"])]
    lines = [*found["options"], *([] if found["blank"] is None else [found["blank"]])]
    for way, words in _WAYS.items():
        if found["voters"][way] and found["voters"][way] in {line[way] for line in lines}:
            same = "was for the same option" if _one_each(asked) else "has the same option in it"
            said.append(f"{words} {same}, and a result cannot hide that.")
    return said


def _notes(poll: Mapping[str, Any], justification: str | None) -> list[str]:
    notes = []
    if justification is not None:
        words = "The number of papers counted differs from the number scanned as received. The reason given:"
        notes.append(_note(words, justification))
    if poll["kind"] == "dealer":
        words = "The key of this election was made by a dealer: for that moment one machine could decrypt alone."
        notes.append(_note(words))
    return notes


def _note(words: str, more: str | None = None) -> str:
    second = "" if more is None else f"<p>{escape(more)}</p>\n"
    return f'<div class="note">\n<p>{words}</p>\n{second}</div>\n'
