"""A copy of the whole poll while it is held, and a poll from such a copy. Begin at `making` and `restoring`.

May import: voting.audit, voting.packs, voting.poll, voting.store.
"""
