"""Secret letters between trustees: signed, then encrypted to one recipient (Belenios specification, 4.6.1 and 4.6.3).

ElGamal carries g^s; the letter's key is SHA-256(`key|` g^s), its cipher XSalsa20-Poly1305 with a random nonce.
Only the cipher differs from the specification (AES-CCM there): these letters are never published.
"""

import hashlib

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from voting.ballots.group import Point, base_times, minus, plus, random_scalar, read_point, times, write_point
from voting.ballots.refusals import FieldWrong
from voting.ballots.signing import check_signed, read_signed, signed
from voting.ballots.written import read_fields, read_json, read_same, read_text, write_json

_OVERHEAD_DIGITS = 2 * (SecretBox.NONCE_SIZE + SecretBox.MACBYTES)


def send(signing_key: int, recipient: Point, message: str) -> dict[str, str]:
    """Sign a text for this recipient's encryption key, and encrypt it so that only they can read it."""
    channel = write_json({"recipient": write_point(recipient), "message": message})
    return _encrypt(recipient, write_json(signed(signing_key, channel).fields()))


def receive(decryption_key: int, sender: Point, letter: object, field: str) -> str:
    """Give the text that the owner of the verification key `sender` wrote to us.

    Raises FieldWrong, PointWrong or ProofWrong if it is damaged, signed by somebody else or meant for somebody else.
    """
    opened = read_signed(read_json(_decrypt(decryption_key, letter, field), field), field)
    check_signed(opened, sender, field)
    recipient, message = read_fields(read_json(opened.message, field), ("recipient", "message"), field)
    read_same(recipient, write_point(base_times(decryption_key)), f"{field}.recipient")
    return read_text(message, field)


def read_letter(letter: object, field: str) -> tuple[Point, Point, bytes]:
    """Give alpha, beta and the encrypted bytes of a letter that is whole as far as strangers can see."""
    alpha, beta, data = read_fields(letter, ("alpha", "beta", "data"), field)
    text = read_text(data, f"{field}.data")
    try:
        encrypted = bytes.fromhex(text)
    except ValueError:
        encrypted = b""
    if len(text) <= _OVERHEAD_DIGITS or encrypted.hex() != text:
        raise FieldWrong(f"{field}.data", problem="it must be an encrypted text in lower-case digits")
    return read_point(alpha, f"{field}.alpha"), read_point(beta, f"{field}.beta"), encrypted


def _encrypt(recipient: Point, text: str) -> dict[str, str]:
    one, two = random_scalar(), random_scalar()
    carried = base_times(two)
    return {
        "alpha": write_point(base_times(one)),
        "beta": write_point(plus(times(one, recipient), carried)),
        "data": bytes(_box(carried).encrypt(text.encode("ascii"))).hex(),
    }


def _decrypt(decryption_key: int, letter: object, field: str) -> bytes:
    alpha, beta, encrypted = read_letter(letter, field)
    try:
        return _box(minus(beta, times(decryption_key, alpha))).decrypt(encrypted)
    except CryptoError:
        raise FieldWrong(field, problem="it cannot be decrypted") from None


def _box(carried: Point) -> SecretBox:
    return SecretBox(hashlib.sha256(f"key|{write_point(carried)}".encode("ascii")).digest())
