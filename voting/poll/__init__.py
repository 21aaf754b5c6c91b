"""The poll: its file, its phases, its delivery window, how it stands. Begin at `polls`.

May import: voting.audit, voting.ballots, voting.trustees.
"""
