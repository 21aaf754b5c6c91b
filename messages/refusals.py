"""What a rule about notices says no to; what a refusal is stands in voting.refusals."""

from voting.refusals import StaffRefusal


class AudienceUnknown(StaffRefusal):
    """There is no audience called {audience}.

    There are all, not_dispatched, overdue, not_voted, area:X and language:X.
    """


class NoticeUnknown(StaffRefusal):
    """There is no notice {notice_id}."""


class NoticeKindUnknown(StaffRefusal):
    """There is no kind of notice called {kind}."""


class NoticeChanged(StaffRefusal):
    """Notice {notice_id} was changed meanwhile; look at it again."""


class NoticeNotThere(StaffRefusal):
    """Notice {notice_id} is {state} now, so that cannot be done with it."""


class NoticeEnded(StaffRefusal):
    """Notice {notice_id} has ended ({state})."""


class NotApproved(StaffRefusal):
    """Notice {notice_id} goes to {members} members, so a second person has to approve it first."""


class NoticeOutgrown(StaffRefusal):
    """Notice {notice_id} was approved for {approved} members and would now go to {members}; submit it again."""


class NoticeTextMissing(StaffRefusal):
    """The notice has no text in {language}."""


class NoticeTextTooLong(StaffRefusal):
    """The text message in {language} has {characters} characters; at most {characters_max} can be sent."""


class NoticeTooLate(StaffRefusal):
    """A notice that may not go after {send_before} could never go any more."""


class ChannelsOff(StaffRefusal):
    """No channel is on, so nothing can be sent."""


class NobodyToTell(StaffRefusal):
    """Nobody is in the audience {audience} now."""


class NoReasonGiven(StaffRefusal):
    """Say why; it is written on the chain."""
