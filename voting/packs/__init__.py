"""Packs: issued, printed, replaced, and what the mailing house says of them; begin at `packs`.

May import: voting.roll, voting.poll, voting.codes, voting.audit, voting.store and voting's root.
"""
