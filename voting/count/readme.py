"""README.txt of the bundle: how to check it with two programs, and what each file is."""

from typing import Final

_HEAD: Final = {
    "tally": """This folder is a ballot that is closed and not yet decrypted, with everything needed to check it.

Each trustee decrypts the tally at home, once. The command checks this whole folder itself, shows what is about to be
decrypted, and asks:

    ballotline trustee decrypt FOLDER --share share-1-of-3.json --out decryption-1.json

Read to each other how many credentials were issued before and after the opening, how many ballots there are, and the
last head: everybody must see the same. Send decryption-1.json to the officer.
""",
    "result": """This folder is the published result of a ballot, with everything needed to check it.

result.html is the page to read and print.
""",
}

_CHECK: Final = """
1. Check it with our own program: Python 3.11 or newer, the package "ballotline"

    ballotline verify FOLDER --key FINGERPRINT

That needs no network, no database and no secret. It compares every file with the signed manifest; walks the audit
chain from its first entry and tries every signature; checks every ballot's proofs, signature and credential; multiplies
the ballots and, once there is a result, checks what the trustees decrypted, adds the papers, and works it out again.

One thing cannot be seen from inside: whether somebody made up the whole folder. So the
FINGERPRINT does not stand here: take it from where it was published before the vote, the letters and notices. Whoever
kept a head of the chain while the vote went on compares that too:

    ballotline verify FOLDER --head HEAD.json

If you voted online, you have a mark. It says which ballot is yours and not what is in it. With --codes it asks for the
two codes of your letter, and says whether the ballot cast with them has this mark:

    ballotline verify FOLDER --receipt ABCD-EFGH-JKMN-PQRS --codes

2. Check it with somebody else's program: belenios-tool 3.0 or newer, by Inria (package "belenios-tool" of Debian 13)

    belenios-tool election verify --dir FOLDER/belenios

It checks that the events of the archive follow from each other, that each ballot's credential is on the list, the
product of the ballots, the decryptions and the result. It does not wait for its check of the ballots' own proofs. For
that, cut the archive after its first event, the setup, which is its first {cut} bytes, and give it the ballots one
by one:

    mkdir cut all
    head -c {cut} FOLDER/belenios/{uuid}.bel > cut/{uuid}.bel
    tar -xf FOLDER/belenios/{uuid}.bel -C all
    grep -rl '"credential":' all | while read -r ballot; do
        belenios-tool election verify-ballot --dir cut --ballot "$ballot" || echo "$ballot is not good"
    done

What belenios-tool does not see: papers, when a credential was issued and whether it was voided, the other languages of
the paper, and the second proofs of the decryptions. Belenios's own proof lets a trustee and whoever casts the last
ballot prove a false sum together; the second proof in decryptions.jsonl does not, and only "ballotline verify" checks
it.

What each file is

    poll.json           the poll, its trustees, how many were on the roll and could vote
    paper.json          the voting paper in every language, as every ballot names it
    chain.jsonl         the audit chain: every act of staff and every public change, each signed and bound to the one
                        before; it names every ballot
    heads.jsonl         heads of the chain, signed while the vote went on; whoever kept one can compare it
    credentials.txt     the public half of every letter's codes, in the order of its digits; the entry that issued it,
                        and the one that voided it, or "-"
    postal.json         papers received, rejected (they count for one turnout, not for any option) and set aside
                        unopened, and the count of papers by question and option
    belenios/{uuid}.bel
                        election, trustees, credentials and every ballot, as belenios-tool reads them
{result}    lines.txt           a short digest of every line of these files, to tell which line was changed
    manifest.json       length and SHA-256 of every file; manifest.sig is its signature
"""

_NUMBERS: Final = """
How questions are named, and how to read their numbers

A question and an option have the names of the paper's first language; paper.json has them in every language. They
stand in the paper's order everywhere, also where each member saw the options begin at another place. belenios-tool
knows them by this order alone: its result is one list of numbers a question, one number an option, and where a
question allows a blank vote, the blank votes come first. In postal.json they are named "(blank)".
{numbers}"""

_COUNTED: Final = """
In result.json and on result.html each question has its own votes, online, by post and together:

    options             the votes of each option; "elected" stands there only where the question says how many seats
                        there are: so many options with the most votes are elected
    blank               blank votes; null where the question allows none
    voters              how many answered: online every ballot answers every question, also by choosing nothing where
                        that is allowed; by post as many papers as were received, or as the count shows at least
    tied                options with the same number of votes for the last seats, none of which is elected; without
                        seats, those with the same number at the top

Where several options may be chosen, the votes of a question do not add up to its voters, and every percentage is of
the voters, not of the votes. Turnout is of the whole paper: a member votes once, on all questions.
"""

_RESULT: Final = """    decryptions.jsonl   what each trustee decrypted, with two proofs of each sum
    result.json         the result
    result.html         the same to read and print
"""


def readme(stage: str, *, uuid: str, cut: int) -> str:
    """Write it for a stage and an election; the archive as far as its setup is its first `cut` bytes."""
    result, counted = (_RESULT, _COUNTED) if stage == "result" else ("", "")
    return _HEAD[stage] + _CHECK.format(uuid=uuid, cut=cut, result=result) + _NUMBERS.format(numbers=counted)
