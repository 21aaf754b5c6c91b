"""The postman: claims deliveries, sends them, settles what was heard; begin at `postman`.

May import: messages.notices, messages.ledger, messages' root, and voting.
"""
