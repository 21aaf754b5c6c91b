"""Codes are checked, votes locked, attempts and cases recorded. Begin at `clerk`.

May import: voting.poll, voting.ballots, voting.codes.
"""
