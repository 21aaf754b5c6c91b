"""Who may vote; begin at `roll`.

May import: voting.poll, voting.audit, voting.store and voting's root.
"""
