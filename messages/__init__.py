"""What we say: words, notices, the delivery ledger, the pace, the channels."""
