"""The election key, its shares, and sealed ballots.

May import: voting.audit and voting's root.
"""
