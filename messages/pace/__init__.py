"""How fast: a provider's limit is met and never exceeded. Begin at `pacer`.

May import: voting.
"""
