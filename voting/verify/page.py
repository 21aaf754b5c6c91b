"""The page of the result that people read and print: one file, every language of the poll, no script, nothing fetched.

It follows from poll.json, result.json and postal.json alone, to the byte; so `verify` writes it again and compares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from voting.verify.page_style import STYLE
from voting.verify.page_words import USUAL, Words, local_time, tag_for, words_in
from voting.verify.result import percent

_TURNOUT: Final = {  # figures of result.json, and the words for them
    "eligible": "eligible",
    "votes": "valid",
    "rejected_papers": "rejected_papers",
    "ballots_by_later_credentials": "ballots_by_later_credentials",
    "turnout_without_rejected": "turnout_without_rejected",
    "turnout_with_rejected": "turnout_with_rejected",
}
_WAYS: Final = ("online", "post")


def result_page(poll: Mapping[str, Any], result: Mapping[str, Any], justification: str | None) -> bytes:
    """Write the page for what poll.json and result.json say, and why scans and paper count differ, if they do."""
    sections = [_section_of(language) for language in poll["languages"]]
    names = [section.words.say("result") for section in sections]
    title = escape(poll["title"])
    written = "\n".join(
        section.written(number, poll, result, justification) for number, section in enumerate(sections, 1)
    )
    several = ' class="several"' if len(sections) > 1 else ""
    return f"""<!doctype html>
<html lang="{sections[0].lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{" / ".join(dict.fromkeys(names))}: {title}</title>
<style>{STYLE}</style>
</head>
<body{several}>
{_links(sections)}<main>
{written}
</main>
</body>
</html>
""".encode()


def _section_of(language: str) -> "_Section":
    tag = tag_for(language)
    return _Section(language, words_in(tag or USUAL), strange=tag is None)


def _links(sections: "list[_Section]") -> str:
    """Write a link to each language where there are several."""
    if len(sections) == 1:
        return ""
    links = "\n".join(
        f'<a href="#language-{number}" lang="{section.lang}">{section.words.say("name")}</a>'
        if not section.strange
        else f'<a href="#language-{number}">{escape(section.language)}</a>'
        for number, section in enumerate(sections, 1)
    )
    return f"<nav>\n{links}\n</nav>\n"


@dataclass(frozen=True, slots=True)
class _Section:
    """The page in one language; a `strange` one has no words of its own here, only its questions and options."""

    language: str
    words: Words
    strange: bool

    @property
    def lang(self) -> str:
        """The language of the words."""
        return self.words.tag if self.strange else escape(self.language)

    def written(
        self, number: int, poll: Mapping[str, Any], result: Mapping[str, Any], justification: str | None
    ) -> str:
        """Write it all."""
        say = self.words.say
        times = {name: local_time(poll[f"{name}_at"], poll["timezone"]) for name in ("opens", "closes")}
        when = {name: self.words.moment(local) for name, local in times.items()}
        questions = "\n".join(
            self._question(asked, found) for asked, found in zip(poll["questions"], result["questions"], strict=True)
        )
        turnout = "\n".join(
            f"<dt>{say(key)}</dt><dd>{self._figure(result[name])}</dd>" for name, key in _TURNOUT.items()
        )
        fingerprint = f"<code>{escape(poll['fingerprint'])}</code>"
        return f"""<section lang="{self.lang}" id="language-{number}">
<h1>{escape(poll["title"])}</h1>
<p class="when">{say("when", timezone=escape(poll["timezone"]), **when)}</p>
{questions}
<h2>{say("turnout")}</h2>
<dl>
{turnout}
</dl>
{"".join(self._notes(poll, justification))}<footer>
<p>{say("check", readme="<code>README.txt</code>")}</p>
<p>{say("fingerprint", fingerprint=fingerprint)}</p>
</footer>
</section>"""

    def _question(self, asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        """Write one question: its table, and what has to be said of it."""
        say, voters = self.words.say, found["voters"]
        question = escape(asked["question"][self.language])
        names = self._names(asked)
        lines = [
            (f"<span{self._own}>{name}</span>", option, bool(option.get("elected")))
            for name, option in zip(names, found["options"], strict=True)
        ]
        lines += [] if found["blank"] is None else [(f"<span>{say('blank')}</span>", found["blank"], False)]
        most = max(votes["votes"] for _, votes, _ in lines) or 1
        rows = "\n".join(
            self._row(name, votes, voters["votes"], most, elected=elected) for name, votes, elected in lines
        )
        whole = say("all_valid" if _one_each(asked) else "voted")
        sums = "".join(f"<td>{self._figure(voters[way])}</td>" for way in (*_WAYS, "votes"))
        return f"""<p class="question"{self._own}>{question}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{say("region", question=question)}">
<table>
<caption>{say("caption")}</caption>
<thead>
<tr><th scope="col">{say("option")}</th><th scope="col">{say("online")}</th><th scope="col">{say("post")}</th>
<th scope="col">{say("votes")}</th><th scope="col">{say("share")}</th></tr>
</thead>
<tbody>
{rows}
</tbody>
<tfoot>
<tr><th scope="row">{whole}</th>{sums}<td></td></tr>
</tfoot>
</table>
</div>
{"".join(map(_note, self._said(asked, found)))}"""

    @property
    def _own(self) -> str:
        """Mark a text of the poll whose language is not that of the words around it."""
        return f' lang="{escape(self.language)}"' if self.strange else ""

    def _names(self, asked: Mapping[str, Any]) -> list[str]:
        return [escape(option[self.language]) for option in asked["options"]]

    def _row(self, name: str, votes: Mapping[str, Any], voters: int, most: int, *, elected: bool) -> str:
        figures = "".join(f"<td>{self._figure(votes[way])}</td>" for way in _WAYS)
        mark = f" <strong>{self.words.say('elected')}</strong>" if elected else ""
        share = self._figure(percent(votes["votes"], voters))
        return f"""<tr><th scope="row">{name}{mark}
<span class="bar" style="width:{100 * votes["votes"] // most}%" aria-hidden="true"></span></th>
{figures}<td class="votes">{self._figure(votes["votes"])}</td><td>{share}</td></tr>"""

    def _figure(self, value: int | str) -> str:
        return self.words.number(value) if isinstance(value, int) else self.words.percent(value)

    def _said(self, asked: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
        """Say who is elected and what is tied, what the shares are of, and where a sum tells how everybody voted."""
        say, counted = self.words.say, self.words.counted
        names = dict(zip((option["option"] for option in found["options"]), self._names(asked), strict=False))
        said = []
        if not _one_each(asked):
            allowed = "choose_up_to" if asked["least"] != asked["most"] else "choose_exactly"
            said.append(f"{counted(allowed, asked['most'])} {say('shares')}")
        if asked["seats"] is not None:
            elected = [names[option["option"]] for option in found["options"] if option["elected"]]
            who = f"<span{self._own}>{', '.join(elected)}</span>" if elected else say("nobody")
            said.append(say("elected_for", seats=counted("seats", asked["seats"]), names=who))
        if found["tied"]:
            tied = f"<span{self._own}>{', '.join(names[name] for name in found['tied'])}</span>"
            said.append(say("tie" if asked["seats"] is None else "tie_for_seats", names=tied))
        lines = [*found["options"], *([] if found["blank"] is None else [found["blank"]])]
        alike = "same" if _one_each(asked) else "within"
        told = (way for way in _WAYS if found["voters"][way] and found["voters"][way] in {line[way] for line in lines})
        said.extend(say(f"{alike}_{way}") for way in told)
        return said

    def _notes(self, poll: Mapping[str, Any], justification: str | None) -> list[str]:
        notes = []
        if justification is not None:
            notes.append(_note(self.words.say("papers_differ"), justification))
        if poll["kind"] == "dealer":
            notes.append(_note(self.words.say("dealer")))
        return notes


def _one_each(asked: Mapping[str, Any]) -> bool:
    return bool(asked["least"] == asked["most"] == 1)


def _note(words: str, more: str | None = None) -> str:
    """Write a note; `more` is somebody's own text, in a language that nobody has told."""
    second = "" if more is None else f'<p lang="">{escape(more)}</p>\n'
    return f'<div class="note">\n<p>{words}</p>\n{second}</div>\n'
