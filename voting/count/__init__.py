"""The count, and the bundle it publishes. Begin at `count`.

May import: voting.post, voting.sealing, voting.verify.
"""
