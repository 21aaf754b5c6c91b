"""Whether a notice needs a second person, and what an approval is for: words, audience, time and cost, as one hash."""

from typing import Final

from messages.notices.model import Notice
from messages.notices.preview import Preview
from messages.refusals import NotApproved, NoticeChanged, NoticeOutgrown
from messages.words.texts import languages
from voting.audit.canonical import canonical_json, sha256_hex

# An audience moves a little between approval and sending (people link chats, vote); beyond this it is another one.
GROWTH_MAX: Final = 1.1


def approval_hash(notice: Notice) -> str:
    """Hash what would be sent, rendered: another text, audience, time or price is another hash.

    The price is what one member's text costs per language (segments) and what all cost when it was submitted, also
    if those for Telegram went by text.
    """
    content, words = notice.content, notice.words
    return sha256_hex(
        canonical_json(
            {
                "kind": str(content.kind),
                "audience": content.audience,
                "urgent": content.urgent,
                "send_at": content.send_at.isoformat() if content.send_at else None,
                "send_before": content.send_before.isoformat() if content.send_before else None,
                "words": {language: [words.chat(language), words.sms(language)] for language in languages()},
                "segments": dict(notice.segments),
                "members": notice.members,
                "cost": notice.cost,
                "texts_when_held": content.texts_when_held,
                "cost_most": notice.cost_most,
            }
        )
    )


def refuse_unapproved(found: Notice, seen: Preview, *, approve_over: int) -> None:
    """Go on only with what a second person approved, or with what needs nobody's approval.

    NotApproved, NoticeChanged, NoticeOutgrown.
    """
    if found.approved_hash is not None:
        if approval_hash(found) != found.approved_hash:
            raise NoticeChanged(notice_id=found.id)
        if found.members is not None and seen.members > max(found.members * GROWTH_MAX, found.members + 1):
            raise NoticeOutgrown(notice_id=found.id, approved=found.members, members=seen.members)
    elif seen.members > approve_over:
        raise NotApproved(notice_id=found.id, members=seen.members)
