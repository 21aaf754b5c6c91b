"""What is true: codes, packs, locks, ballots, the chain and the count. Needs no bot.

May import: voting.store.columns.
Everybody in voting may import: voting.hour_keys, voting.kept_file, voting.local_time, voting.model, voting.refusals,
voting.schema, voting.secrets_file, voting.typed_text.
"""
