"""The one place that signs the chain: its key, and the newest head kept outside the database.

The file of the head lies beside the secrets. It is made durable before the transaction that wrote an entry is
acknowledged, so that an older copy of the database, put back in secret, does not match it any more.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from voting.audit.canonical import canonical_json
from voting.kept_file import turn_at
from voting.refusals import Fault
from voting.secrets_file import Secrets


class KeptHeadDamaged(Fault):
    """The file of the last head cannot be read, or our key did not sign it."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} is not a head that this poll's key signed, and no head is signed until it is; write into it what"
            " `ballotline head --json` printed last, from the service's log or from where others keep it"
        )


@dataclass(frozen=True, slots=True)
class Head:
    """The chain up to entry `seq`, whose SHA-256 is `hash`, signed."""

    seq: int
    hash: bytes
    signature: bytes

    @property
    def line(self) -> bytes:
        """Give the head as the bundle's heads are written, with a line feed."""
        words = {"seq": self.seq, "hash": self.hash.hex(), "signature": self.signature.hex()}
        return canonical_json(words) + b"\n"


def entry_message(uuid: str, seq: int, previous: bytes, digest: bytes) -> bytes:
    """Give the bytes that an entry's signature is over; `previous` and `digest` are 32 bytes each."""
    return f"ballotline entry 1|{uuid}|{seq}|{previous.hex()}|{digest.hex()}".encode()


def head_message(seq: int, digest: bytes) -> bytes:
    """Give the bytes that a head's signature is over."""
    return canonical_json({"head": seq, "hash": digest.hex()})


def receipt_message(uuid: str, digest: bytes, entry: int) -> bytes:
    """Give the bytes that the answer to a cast ballot is signed over: whoever keeps it can prove a dropped ballot."""
    return f"ballotline receipt 1|{uuid}|{digest.hex()}|{entry}".encode()


class Signer:
    """Signs entries and heads; keeps the newest head in `file`, or nowhere when there is none."""

    def __init__(self, secrets: Secrets, file: Path | None = None) -> None:
        self._key = SigningKey(secrets.signing_key)
        self.verify_key: VerifyKey = self._key.verify_key
        self.file = file

    @classmethod
    def beside(cls, secrets: Secrets, secrets_file: Path) -> "Signer":
        """Give a signer that keeps its head beside the secrets file."""
        return cls(secrets, secrets_file.with_name(secrets_file.name + ".head"))

    def sign_entry(self, uuid: str, seq: int, previous: bytes, digest: bytes) -> bytes:
        """Sign an entry, 64 bytes."""
        return self._key.sign(entry_message(uuid, seq, previous, digest)).signature

    def sign_head(self, seq: int, digest: bytes) -> Head:
        """Sign a head."""
        return Head(seq, digest, self._key.sign(head_message(seq, digest)).signature)

    def sign_receipt(self, uuid: str, digest: bytes, entry: int) -> bytes:
        """Sign that the ballot with this SHA-256 was taken in by entry `entry`, 64 bytes."""
        return self._key.sign(receipt_message(uuid, digest, entry)).signature

    def kept(self) -> Head | None:
        """Read the head that was kept, None when none was; KeptHeadDamaged."""
        if self.file is None:
            return None
        try:
            return self.read(self.file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as problem:
            raise KeptHeadDamaged(self.file) from problem

    def read(self, line: bytes) -> Head:
        """Read a head as it is written; ValueError when it is none that our key signed."""
        try:
            words = json.loads(line)
            head = Head(int(words["seq"]), bytes.fromhex(words["hash"]), bytes.fromhex(words["signature"]))
            self.verify_key.verify(head_message(head.seq, head.hash), head.signature)
        except (ValueError, KeyError, TypeError, CryptoError) as problem:
            raise ValueError("not a head that this key signed") from problem
        return head

    def keep(self, seq: int, digest: bytes, given_up: bytes | None = None) -> None:
        """Keep the head of entry `seq`, durable at return; a later one that is kept already stays. Blocks.

        Unless that is the head whose hash is `given_up`: two officers said that it is lost.
        """
        if self.file is None:
            return
        with turn_at(self.file) as replace:
            kept = self.kept()
            if kept is None or kept.seq < seq or kept.hash == given_up:
                replace(self.sign_head(seq, digest).line)
