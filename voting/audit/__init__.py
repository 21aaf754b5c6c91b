"""The audit log as a chain of hashes, and the sums that must hold at every minute; begin at `chain`.

May import: voting.store and voting's root.
"""
