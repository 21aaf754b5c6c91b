"""Alembic's side of the database: steps from an older schema to this one."""
