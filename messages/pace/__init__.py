"""How fast: each provider's limit is met and never exceeded; begin at `pacer`.

May import: messages.schema, and voting.
"""
