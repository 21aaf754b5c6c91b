"""What is refused in a ceremony or about a share, each fact its own class.

    voting.ballots.trustee_refusals.TrusteeRefusal
    ├── BadThreshold       so many of so many cannot be
    ├── FileTaken          another file stands where this one goes
    ├── SecretMissing      not the one secret that a trustee's folder holds
    ├── DealtElsewhere     this trustee dealt to other certificates before
    ├── CommitmentsChanged the commitments are not those the certificate promised
    ├── WrongShare         the complaint: this trustee sent a share that does not fit
    ├── ShareForeign       the share is of another key
    ├── ShareServesAnother the share belongs to another election
    └── TallyRefused       the share has decrypted another tally

A class's docstring is its English sentence; `{names}` in it are filled from the facts it is raised with.
"""

from voting.ballots.trustee_refusals import TrusteeRefusal


class BadThreshold(TrusteeRefusal):
    """{threshold} of {trustees} cannot be: 1 to 16 trustees, numbered from 1, and 1 to all of them decrypt."""


class FileTaken(TrusteeRefusal):
    """{file} is already there and holds something else; nothing was written over it."""


class SecretMissing(TrusteeRefusal):
    """{folder} holds no secret of a trustee, or more than one; `ballotline trustee new` makes it, one in a folder."""


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
