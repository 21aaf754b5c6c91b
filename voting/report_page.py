"""The page of the result that people read and print: one file, no script, nothing fetched."""

from html import escape
from typing import Any, Final

from voting.model import Poll

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f27; --paper: #fff; --line: #c9ced8; --bar: #2f5f8f; --soft: #5a6373; }
@media (prefers-color-scheme: dark) {
 :root { --ink: #eceff4; --paper: #14171d; --line: #3a4150; --bar: #7fb0e0; --soft: #a9b2c2; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
 max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin-bottom: .2rem; } .question { color: var(--soft); margin-top: 0; }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; }
th, td { text-align: right; padding: .5rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } tfoot td, tfoot th { font-weight: 600; }
.bar { display: block; height: .5rem; background: var(--bar); border-radius: .25rem; min-width: 2px; }
dt { color: var(--soft); } dd { margin: 0 0 .6rem; font-weight: 600; } footer { color: var(--soft); margin-top: 2rem; }
@media print { body { margin: 0; max-width: none; } .bar { print-color-adjust: exact; } }
"""


def page(poll: Poll, result: dict[str, Any], justification: str | None) -> str:
    """Write the page; both turnouts are named."""
    most = max((row["votes"] for row in result["options"]), default=0) or 1
    rows = "\n".join(_row(row, most) for row in result["options"])
    note = f"<p>Papers scanned and papers counted differ: {escape(justification)}</p>" if justification else ""
    return f"""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Result: {escape(poll.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(poll.title)}</h1>
<p class="question">{escape(poll.question)}</p>
<table>
<thead><tr><th scope="col">Option</th><th scope="col">Online</th><th scope="col">By post</th>
<th scope="col">Votes</th></tr></thead>
<tbody>
{rows}
</tbody>
<tfoot><tr><th scope="row">All votes</th><td>{result["online"]:,}</td><td>{result["post"]:,}</td>
<td>{result["votes"]:,}</td></tr></tfoot>
</table>
<dl>
<dt>Members who could vote</dt><dd>{result["eligible"]:,}</dd>
<dt>Papers rejected</dt><dd>{result["rejected_papers"]:,}</dd>
<dt>Turnout, counting rejected papers</dt><dd>{result["turnout_with_rejected"]} %</dd>
<dt>Turnout, without rejected papers</dt><dd>{result["turnout_without_rejected"]} %</dd>
</dl>
{note}
<footer>Check this result yourself: README.txt beside this page says how.</footer>
</main>
</body>
</html>
"""


def _row(row: dict[str, Any], most: int) -> str:
    width = round(100 * row["votes"] / most)
    return (
        f'<tr><th scope="row">{escape(row["option"])}<span class="bar" style="width:{width}%"></span></th>'
        f"<td>{row['online']:,}</td><td>{row['post']:,}</td><td>{row['votes']:,}</td></tr>"
    )
