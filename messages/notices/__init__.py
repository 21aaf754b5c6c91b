"""A notice from its draft to its report; begin at `notices`.

May import: messages.ledger, messages.words, messages' root, and voting.
"""
