"""Codes are checked, votes locked, attempts recorded; begin at `clerk`.

May import: voting.poll, voting.sealing, voting.codes, voting.audit, voting.store and voting's root.
"""
