"""What we say: words, notices, the ledger of deliveries, the pace, the channels.

May import: voting.
Everybody in messages may import: messages.schema, messages.refusals, messages.reach, messages.audience.
"""
