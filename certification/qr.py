"""The code printed on a paper: facts, signed, verifiable without a network.

``DW1:`` + base45 of COSE_Sign1 (RFC 9052) under ES256; a CBOR map in deterministic encoding. Its
spaces are characters of base45: nothing may trim them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

PREFIX = "DW1:"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LONGEST = 2000
ISSUER, EXPIRES, ISSUED = 1, 4, 6
NUMBER, SERVICE, HOLDER, ORGANISATION, STATUS_INDEX = -1, -2, -3, -4, -6


class BadCode(ValueError):
    """Not a code of ours, or changed. ``reason`` is a short name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Code:
    """What a sound code says."""

    key_id: bytes
    claims: Mapping[int, Any]


def base45_encode(data: bytes) -> str:
    out = []
    for at in range(0, len(data) - 1, 2):
        value = data[at] * 256 + data[at + 1]
        out += [ALPHABET[value % 45], ALPHABET[value // 45 % 45], ALPHABET[value // 2025]]
    if len(data) % 2:
        out += [ALPHABET[data[-1] % 45], ALPHABET[data[-1] // 45]]
    return "".join(out)


def base45_decode(text: str) -> bytes:
    try:
        values = [ALPHABET.index(char) for char in text]
    except ValueError:
        raise BadCode("base45") from None
    out = bytearray()
    for at in range(0, len(values), 3):
        chunk = values[at : at + 3]
        if len(chunk) == 1:
            raise BadCode("base45")
        total = sum(value * 45**place for place, value in enumerate(chunk))
        size = len(chunk) - 1
        if total >= 256**size:
            raise BadCode("base45")
        out += total.to_bytes(size, "big")
    return bytes(out)


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)


def encode(claims: Mapping[int, Any], *, key_id: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The text of the code. ``sign`` signs a SHA-256 digest (ECDSA, DER)."""
    protected = cbor2.dumps({1: -7, 4: key_id}, canonical=True)
    payload = cbor2.dumps(dict(claims), canonical=True)
    digest = hashlib.sha256(_to_be_signed(protected, payload)).digest()
    r, s = decode_dss_signature(sign(digest))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    message = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True)
    return PREFIX + base45_encode(message)


def _strict(data: bytes) -> Any:
    """CBOR as we write it: read, written again, and equal to the last byte."""
    stream = BytesIO(data)
    try:
        value = cbor2.load(stream)
        if stream.read(1) or cbor2.dumps(value, canonical=True) != data:
            raise BadCode("cbor")
    except BadCode:
        raise
    except Exception:
        raise BadCode("cbor") from None
    return value


def decode(text: str, keys: Mapping[bytes, ec.EllipticCurvePublicKey]) -> Code:
    """What the code says. Errors: BadCode, before anything of it could be believed."""
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        raise BadCode("prefix")
    message = _strict(base45_decode(text[len(PREFIX) :]))
    if not isinstance(message, cbor2.CBORTag) or message.tag != 18:
        raise BadCode("structure")
    parts = message.value
    if not isinstance(parts, list | tuple) or len(parts) != 4 or dict(parts[1]):
        raise BadCode("structure")
    protected, _open, payload, signature = parts
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise BadCode("structure")
    head = _strict(protected)
    if not isinstance(head, Mapping) or set(head) != {1, 4} or head[1] != -7:
        raise BadCode("algorithm")
    key = keys.get(head[4]) if isinstance(head[4], bytes) else None
    if key is None:
        raise BadCode("unknown key")
    if len(signature) != 64:
        raise BadCode("signature")
    der = encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    digest = hashlib.sha256(_to_be_signed(protected, payload)).digest()
    try:
        key.verify(der, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        raise BadCode("signature") from None
    claims = _strict(payload)
    if not isinstance(claims, Mapping):
        raise BadCode("structure")
    return Code(head[4], claims)
