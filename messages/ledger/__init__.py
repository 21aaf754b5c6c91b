"""The ledger of deliveries: one notice, one member, one channel. Begin at `outbox`.

May import: messages.channels, messages.words.
"""
