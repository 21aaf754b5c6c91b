"""The chain of what happened, and the sums that must hold at every minute. Begin at `chain`.

May import: voting.store.
"""
