"""What a rule says no to, each fact its own class.

    Exception
    ├── Refusal            a rule says no: show it to whoever asked
    │   ├── PollRefusal     the poll is not there, not open, still open
    │   ├── CodeRefusal     what was typed is not a code that works
    │   ├── VoteRefusal     this member cannot vote, or not again
    │   └── StaffRefusal    this act needs another person, state or file
    └── Fault              we broke: log it, say sorry

A class's docstring is its English sentence; `{names}` in it are filled from the keyword facts it is
raised with. `key` (the name in snake_case) finds the sentence in other languages.
"""

import re
from typing import ClassVar


class Fault(Exception):  # noqa: N818 - the house word for "we broke"
    """Something of ours broke; the message is for the log, never for a member."""


class Refusal(Exception):  # noqa: N818 - the house word for "a rule says no"
    """That cannot be done."""

    key: ClassVar[str] = "refusal"

    def __init_subclass__(cls) -> None:
        """Give every refusal the key of its text."""
        cls.key = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        sentence = " ".join((type(self).__doc__ or "").split())
        super().__init__(sentence.format(**facts))


class PollRefusal(Refusal):
    """The poll does not allow that now."""


class NoPoll(PollRefusal):
    """There is no poll here yet; make one with `ballotline init POLL.toml`."""


class PollExists(PollRefusal):
    """This database already holds the poll {poll_id}; use another database for another poll."""


class PollFileWrong(PollRefusal):
    """The poll file {file} cannot be used: {problem}."""


class PollNotOpen(PollRefusal):
    """Voting is not open now; it runs from {opens_at} to {closes_at}."""


class PollAlreadyOpen(PollRefusal):
    """The poll is already {phase}."""


class PollStillOpen(PollRefusal):
    """The poll is still {phase}; close it first."""


class PollNotReady(PollRefusal):
    """The poll cannot open yet: {missing}."""


class NobodyHasToAgree(PollRefusal):
    """A dealer made this election key, so no trustee has to say yes to the election."""


class PacksMissing(PollRefusal):
    """{members} members who may vote have no pack: `ballotline packs issue`; or open with --despite-missing-packs."""


class PollOver(PollRefusal):
    """The poll is already {phase}; that cannot be done any more."""


class ForeignSecrets(PollRefusal):
    """The secrets file is not the one this poll was made with; restore it from your backup."""


class CodeRefusal(Refusal):
    """That code cannot be used."""


class UnknownPackCode(CodeRefusal):
    """That pack code is not one of ours."""


class WrongVoteCode(CodeRefusal):
    """That vote code does not belong to this pack code."""


class PackVoid(CodeRefusal):
    """This pack was replaced; only the newest pack works."""


class PackLockedOut(CodeRefusal):
    """Too many wrong vote codes were tried with this pack; staff have to unlock it."""


class ChatLockedOut(CodeRefusal):
    """Too many wrong pack codes came from this chat today; try again tomorrow or ask staff."""


class VoteRefusal(Refusal):
    """That vote cannot be cast."""


class NotEligible(VoteRefusal):
    """This member may not vote in this poll: {reason}."""


class UnknownOption(VoteRefusal):
    """There is no such option on this voting paper."""


class UnknownIntent(VoteRefusal):
    """That voting paper is not one of ours, or not this chat's."""


class PaperGone(VoteRefusal):
    """That voting paper was put aside, or lay open for too long; nothing was counted. Give your codes once more."""


class NotByThisWay(VoteRefusal):
    """The poll file's [ways] takes no votes by this way; there are the others."""


class RuleChanged(VoteRefusal):
    """The rule has changed since this voting paper was opened; read it, and then cast your vote."""


class AlreadyVoted(VoteRefusal):
    """This member has already voted; the first vote stands."""


class StaffRefusal(Refusal):
    """That cannot be done now."""


class UnknownMember(StaffRefusal):
    """{member_no} is not on the roll."""


class MemberHasPack(StaffRefusal):
    """{member_no} already has a pack, so they stay on the roll; `ballotline roll lapse` takes the right to vote."""


class MemberInUse(StaffRefusal):
    """{member_no} already stands in messages or chats, so they stay on the roll; `ballotline roll lapse` it instead."""


class FileUnreadable(StaffRefusal):
    """The file {file} cannot be read: {problem}."""


class RollFileGone(StaffRefusal):
    """Names and addresses are not stored, and the roll file {file} {problem}; name the roll with --roll FILE."""


class PrintFileExists(StaffRefusal):
    """The print file {file} is already there; packs are written to a new file each time."""


class PrintFileUnwritable(StaffRefusal):
    """The print file {file} cannot be written: {problem}."""


class RecipientUnusable(StaffRefusal):
    """{recipient} is not an age public key; it should begin with "age1"."""


class PostalCountWrong(StaffRefusal):
    """The postal count cannot be taken: {problem}."""


class PostalCountDiffers(StaffRefusal):
    """The count has {counted} papers but {scanned} were scanned as received; say why to record it all the same."""


class NeedsSecondPerson(StaffRefusal):
    """{act} needs a second person; {name} cannot do both halves."""


class MemberHasVoted(StaffRefusal):
    """{member_no} has already voted, so the pack cannot be replaced."""


class ReplacementUnknown(StaffRefusal):
    """Nobody has asked to replace the pack of {member_no}."""


class NoLivePack(StaffRefusal):
    """{member_no} has no pack that could be replaced."""


class WindowBackwards(StaffRefusal):
    """The delivery window must end on or after its first day ({first_day} to {last_day})."""


class HourComesTwice(StaffRefusal):
    """{moment} comes twice in {timezone}, where the clocks go back; write {first} or {second}."""


class HourSkipped(StaffRefusal):
    """{moment} never comes in {timezone}, where the clocks go forward; write {before} or {after}."""


class CaseUnknown(StaffRefusal):
    """There is no case {case_id}."""


class CaseSettled(StaffRefusal):
    """Case {case_id} is already settled."""


class ShareRefusal(StaffRefusal):
    """A trustee's share cannot be used."""


class CredentialsForgotten(StaffRefusal):
    """`privacy purge` has forgotten whose each credential was, so no bundle can be written again; use the published."""


class CannotCount(StaffRefusal):
    """The count cannot start: {reason}."""


class SmallPoll(StaffRefusal):
    """{online} ballots and {papers} papers: 1 to 4 of a kind, not 0, can tell who voted how; add --publish-small."""


class DatabaseTooNew(StaffRefusal):
    """The database is from a newer version of Ballotline ({revision}); upgrade the program first."""


class DatabaseUnknown(StaffRefusal):
    """The database holds {found}, not a poll of Ballotline 0.2 or later; it is left as it is, so name another one."""


class DatabaseBehind(StaffRefusal):
    """The database is from an older version of Ballotline; run `ballotline init` or `ballotline run` to upgrade it."""


class DatabaseEmpty(DatabaseBehind):
    """There is nothing in the database yet; `ballotline init POLL.toml` makes its tables and the poll."""


class DatabaseUnreachable(StaffRefusal):
    """The database cannot be opened: {problem}."""


class SecretsMissing(StaffRefusal):
    """The secrets file {file} is missing or unreadable; `ballotline init` makes it, or restore it from your backup."""


class KeyGone(StaffRefusal):
    """What was encrypted in the hour of {hour} can no longer be opened: its key is erased."""


class NoElectionKey(StaffRefusal):
    """This poll has no election key yet; make one with `ballotline keys create`."""


class ShareFolderTaken(StaffRefusal):
    """There is a share already at {file}; choose an empty folder."""


class WrongDay(StaffRefusal):
    """{day} is not a day; write it like 2022-08-01."""


class CaseChanged(StaffRefusal):
    """Somebody changed case {case_id} a moment ago; look at it again first."""


class NothingProposed(StaffRefusal):
    """Nobody has proposed an outcome for case {case_id} yet."""
