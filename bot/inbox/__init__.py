"""What providers handed over: stored, claimed in each chat's order, done. Begin at `inbox`.

May import: messages.
"""
