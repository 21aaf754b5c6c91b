"""The ledger of deliveries: one notice, one member, one channel; begin at `outbox`.

May import: messages.channels, messages.audience, messages' root, and voting.
"""
