"""Why no backup is made, or none taken."""

from voting.refusals import StaffRefusal


class BackupExists(StaffRefusal):
    """The file {file} is already there; each backup is written to a new file."""


class BackupUnwritable(StaffRefusal):
    """The backup {file} cannot be written: {problem}."""


class BackupFaulty(StaffRefusal):
    """The backup {file} was removed again, for it does not hold: {problem}; `ballotline audit` looks at the poll."""


class BackupUnreadable(StaffRefusal):
    """{file} is not a backup that this program made, or it is damaged: {problem}."""


class BackupOfOtherVersion(StaffRefusal):
    """The backup {file} has schema {revision}, this program {ours}; restore it with the program that made it."""


class UpgradeMidCount(StaffRefusal):
    """The count has begun: finish it with the version that began it, which knows schema {revision}; upgrade then."""


class UpgradeFailed(StaffRefusal):
    """The upgrade failed, the database is as it was ({revision}): {problem}; go on with the version before."""


class IdentityMissing(StaffRefusal):
    """{file} is encrypted; name the file with the age identity that opens it with --identity."""


class IdentityUnusable(StaffRefusal):
    """{file} holds no age identity; it should have a line that begins with AGE-SECRET-KEY-1."""


class IdentityForeign(StaffRefusal):
    """No identity in {identity} opens {file}: it was encrypted to another key, or it is damaged."""


class DatabaseTaken(StaffRefusal):
    """There is something in the database already (table {table}); a backup is restored into an empty place only."""


class SecretsTaken(StaffRefusal):
    """There are other secrets in {file} already; a backup is restored into an empty place only."""


class HeadUnusable(StaffRefusal):
    """{file} is no head that this poll's key signed; it should be what `ballotline head --json` printed."""
