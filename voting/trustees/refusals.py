"""What is refused about trustees and their files, each fact its own class.

    Exception
    └── TrusteeRefusal        one sentence for whoever gave the files
        ├── BadThreshold       so many of so many cannot be
        ├── FileDamaged        not whole, not ours, or changed since it was made
        ├── FileForeign        of another ceremony, key or election
        ├── FileTaken          another file stands where this one goes
        ├── SecretMissing      not the one secret that a trustee's folder holds
        ├── TwoFromOne         one trustee, two different files
        ├── TrusteesMissing    not everybody's file is there
        ├── DealtElsewhere     this trustee dealt to other certificates before
        ├── CommitmentsChanged the commitments are not those the certificate promised
        ├── WrongShare         the complaint: this trustee sent a share that does not fit
        ├── ShareForeign       the share is of another key
        ├── ShareServesAnother the share belongs to another election
        ├── TallyRefused       the share has decrypted another tally
        ├── DecryptionWrong    a decryption that does not prove what it says
        ├── TooFewDecryptions  fewer than the threshold
        └── ResultImpossible   a sum that so many ballots cannot have

A class's docstring is its English sentence; `{names}` in it are filled from the facts it is raised with.
"""


class TrusteeRefusal(Exception):  # noqa: N818 - a refusal is named after the fact
    """A trustee's file cannot be used."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        sentence = " ".join((type(self).__doc__ or "").split())
        super().__init__(sentence.format(**facts))


class BadThreshold(TrusteeRefusal):
    """{threshold} of {trustees} cannot be: 1 to 16 trustees, numbered from 1, and 1 to all of them decrypt."""


class FileDamaged(TrusteeRefusal):
    """{file} is damaged: {problem}."""


class FileForeign(TrusteeRefusal):
    """{file} belongs to another {what}."""


class FileTaken(TrusteeRefusal):
    """{file} is already there and holds something else; nothing was written over it."""


class SecretMissing(TrusteeRefusal):
    """{folder} holds no secret of a trustee, or more than one; `ballotline trustee new` makes it, one in a folder."""


class TwoFromOne(TrusteeRefusal):
    """{file} and {other} are two different files of trustee {trustee}; ask that trustee which one counts."""


class TrusteesMissing(TrusteeRefusal):
    """The {what} of these trustees is missing: {trustees}."""


class DealtElsewhere(TrusteeRefusal):
    """You have already sent shares to other certificates than these; begin a new ceremony, all of you."""


class CommitmentsChanged(TrusteeRefusal):
    """Trustee {trustee} sent other commitments than their certificate promised; begin a new ceremony without {file}."""


class WrongShare(TrusteeRefusal):
    """Trustee {trustee} sent you a wrong share ({problem}); tell all trustees, and begin a new ceremony."""


class ShareForeign(TrusteeRefusal):
    """{share} is a share of another key."""


class ShareServesAnother(TrusteeRefusal):
    """{share} serves the election {uuid}, and a share serves one election only."""


class TallyRefused(TrusteeRefusal):
    """{share} has already decrypted another tally of this election, and a share decrypts one tally only."""


class DecryptionWrong(TrusteeRefusal):
    """{file} is a false decryption of trustee {trustee}: {problem}."""


class TooFewDecryptions(TrusteeRefusal):
    """{given} of the {needed} decryptions needed were given; these trustees have not decrypted: {trustees}."""


class ResultImpossible(TrusteeRefusal):
    """{place} is not a number from 0 to {ballots}, so these decryptions are not of this tally."""
