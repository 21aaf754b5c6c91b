"""A copy of the whole poll, a poll from such a copy, and its upgrade. Begin at `making`, `restoring`, `upgrading`.

May import: voting.audit, voting.packs, voting.poll, voting.store.
"""
