"""A notice, from its draft to its report. Begin at `notices`.

May import: messages.ledger, messages.words.
"""
