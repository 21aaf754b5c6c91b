"""How the page of the result looks: on a wide and a narrow screen, light and dark, and on paper."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f27; --paper: #fff; --line: #c9ced8; --bar: #2f5f8f; --soft: #566072; }
@media (prefers-color-scheme: dark) {
 :root { --ink: #eceff4; --paper: #14171d; --line: #3a4150; --bar: #7fb0e0; --soft: #aab3c3; } }
* { box-sizing: border-box; }
body { font: 1.05rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink);
 background: var(--paper); max-width: 46rem; margin: 2.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
.question { font-size: 1.15rem; font-weight: 600; margin: 1.6rem 0 .8rem; }
.when { color: var(--soft); margin: 0; }
nav { display: flex; flex-wrap: wrap; gap: 1.2rem; margin-bottom: 1.5rem; } nav a { color: var(--bar); }
section + section { margin-top: 4rem; border-top: .3rem solid var(--bar); padding-top: 2rem; }
.scroll { overflow-x: auto; }
th strong { display: inline-block; border: 1px solid var(--bar); border-radius: .2rem; padding: 0 .35rem;
 color: var(--bar); font-size: .85em; line-height: 1.35; }
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
@media (min-width: 84rem) {
 body.several { max-width: 92rem; } .several main { display: grid; grid-template-columns: 1fr 1fr; gap: 4rem; }
 section + section { margin-top: 0; border-top: 0; padding-top: 0; } .several nav { display: none; } }
@media (max-width: 30rem) {
 body { font-size: 1rem; } table { font-size: .86rem; } th, td { padding: .5rem .22rem; }
 th:first-child { min-width: 5rem; } thead th { white-space: normal; font-size: .78rem; vertical-align: bottom; } }
@media print {
 :root { --ink: #000; --paper: #fff; --line: #999; --bar: #444; --soft: #333; }
 @page { margin: 2cm; } body { margin: 0; max-width: none; padding: 0; font-size: 11pt; }
 .several main { display: block; } nav { display: none; }
 section + section { break-before: page; margin: 0; border: 0; padding: 0; }
 .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; } tr, dl, .note { break-inside: avoid; } }
"""
