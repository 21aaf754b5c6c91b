"""What an approval is for: one hash over the words in every language, the audience, the time and the cost."""

from messages.notices.model import Notice
from messages.words.texts import languages
from voting.audit.canonical import canonical_json, sha256_hex


def approval_hash(notice: Notice) -> str:
    """Hash what would be sent, rendered: another text, audience, time or price is another hash.

    The price is what one member's text costs per language (segments) and what all cost when it was submitted.
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
            }
        )
    )
