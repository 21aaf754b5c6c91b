"""The postman: claims deliveries, sends them, settles what came of them. Begin at `postman`.

May import: messages.notices, messages.ledger.
"""
