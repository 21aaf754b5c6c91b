"""X-Twilio-Signature, written from Twilio's description ("Webhooks security")."""

import base64
import hmac
from collections.abc import Mapping


def sign(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """Return the base64 HMAC-SHA1 of the URL followed by every field's name and value, sorted by name."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()
