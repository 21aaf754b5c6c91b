"""What is refused about what trustees publish, each fact its own class.

    Exception
    └── TrusteeRefusal        one sentence for whoever gave the files
        ├── FileDamaged        not whole, not ours, or changed since it was made
        ├── FileForeign        of another ceremony, key or election
        ├── TwoFromOne         one trustee, two different files
        ├── TrusteesMissing    not everybody's file is there
        ├── DecryptionWrong    a decryption that does not prove what it says
        ├── TooFewDecryptions  fewer than the threshold
        └── ResultImpossible   a sum that so many ballots cannot have

`voting.trustees.refusals` has those that only a ceremony or a share can meet. A class's docstring is its English
sentence; `{names}` in it are filled from the facts it is raised with.
"""


class TrusteeRefusal(Exception):  # noqa: N818 - a refusal is named after the fact
    """A trustee's file cannot be used."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        sentence = " ".join((type(self).__doc__ or "").split())
        super().__init__(sentence.format(**facts))


class FileDamaged(TrusteeRefusal):
    """{file} is damaged: {problem}."""


class FileForeign(TrusteeRefusal):
    """{file} belongs to another {what}."""


class TwoFromOne(TrusteeRefusal):
    """{file} and {other} are two different files of trustee {trustee}; ask that trustee which one counts."""


class TrusteesMissing(TrusteeRefusal):
    """The {what} of these trustees is missing: {trustees}."""


class DecryptionWrong(TrusteeRefusal):
    """{file} is a false decryption of trustee {trustee}: {problem}."""


class TooFewDecryptions(TrusteeRefusal):
    """{given} of the {needed} decryptions needed were given; these trustees have not decrypted: {trustees}."""


class ResultImpossible(TrusteeRefusal):
    """{place} is not a number from 0 to {ballots}, so these decryptions are not of this tally."""
