"""The secrets as they travel: without the key of what people typed in the last hours. This is the one place for it."""

from dataclasses import replace

from voting.hour_keys import HourKeys
from voting.secrets_file import Secrets


def without_hours(secrets: Secrets) -> Secrets:
    """Give the secrets with fresh hours' keys, which open nothing of before: for a backup, and again for a service."""
    return replace(secrets, hours=HourKeys.make())
