"""Who may vote: the roll and its import. Begin at `roll`.

May import: voting.poll, voting.imports.
"""
