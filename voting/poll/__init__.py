"""The poll: its file, its phases, the delivery window and how it stands; begin at `polls`.

May import: voting.audit, voting.store and voting's root.
"""
