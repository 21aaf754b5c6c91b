"""Alembic's entry: runs on the connection that `voting.store.upgrade` hands over."""

from alembic import context

from voting.store.columns import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
