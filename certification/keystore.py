"""Private keys: held open, never re-read, never shown.

The file store keeps P-256 keys in a folder of mode 0700. Another store (a token) offers the same
four verbs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed


class KeyStore(Protocol):
    """Where signatures come from. ``name`` is the purpose: issuing, seal, tsa, qr."""

    def sign(self, name: str, digest: bytes) -> bytes:
        """An ECDSA signature (DER) over a SHA-256 digest."""

    def public(self, name: str) -> ec.EllipticCurvePublicKey:
        """The public half."""

    def certificate(self, name: str) -> x509.Certificate:
        """The certificate of the key."""

    def names(self) -> list[str]:
        """The keys there are."""


class FileKeyStore:
    """Keys as PEM files, one a purpose, with their certificates beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._certificates: dict[str, x509.Certificate] = {}

    def __repr__(self) -> str:
        return f"FileKeyStore({len(self.names())} keys)"

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.key"))

    def keep(
        self, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> None:
        """Write a new key and its certificate; an existing one is never overwritten."""
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        handle = os.open(self.folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        (self.folder / f"{name}.pem").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )

    def private(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The loaded key; used by the authority of the demo and by nobody else."""
        if name not in self._keys:
            loaded = serialization.load_pem_private_key(
                (self.folder / f"{name}.key").read_bytes(), None
            )
            if not isinstance(loaded, ec.EllipticCurvePrivateKey):
                raise TypeError(f"{name} is not an elliptic key")
            self._keys[name] = loaded
        return self._keys[name]

    def sign(self, name: str, digest: bytes) -> bytes:
        return self.private(name).sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))

    def public(self, name: str) -> ec.EllipticCurvePublicKey:
        return self.private(name).public_key()

    def certificate(self, name: str) -> x509.Certificate:
        if name not in self._certificates:
            self._certificates[name] = x509.load_pem_x509_certificate(
                (self.folder / f"{name}.pem").read_bytes()
            )
        return self._certificates[name]


def key_id(public: ec.EllipticCurvePublicKey) -> bytes:
    """First four bytes of SHA-256 over the public key's SPKI."""
    spki = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).digest()[:4]


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two processes starting at once do not make two sets of keys."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
