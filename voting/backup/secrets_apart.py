"""The secrets as they travel: without the key of what people typed in the last hour. This is the one place for it."""

from dataclasses import replace

from voting import secrets_file
from voting.secrets_file import Secrets


def for_backup(secrets: Secrets) -> Secrets:
    """Give what a backup holds."""
    return replace(secrets, inbox_key=b"")


def for_service(secrets: Secrets) -> Secrets:
    """Give what a service starts with: a fresh key, since nothing closed with the old one came along."""
    return replace(secrets, inbox_key=secrets_file.make().inbox_key)


def are_same(one: Secrets, other: Secrets) -> bool:
    """Tell whether two are of one poll, whatever the hour."""
    return for_backup(one) == for_backup(other)
