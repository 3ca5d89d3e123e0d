"""A throw-away authority for the tests, with every kind of misfortune at hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from cryptography.hazmat.primitives import serialization

from certification import authority
from certification.keystore import FileKeyStore
from certification.tsa import Authority
from certification.verifying import Trust

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def make(now: datetime = NOW) -> FileKeyStore:
    return authority.make_demo(
        Path(mkdtemp(prefix="diwan-keys-")), now=now, public_url="https://diwan.example"
    )


@cache
def ours() -> FileKeyStore:
    return make()


def trust(store: FileKeyStore, *lists: bytes) -> Trust:
    found = lists or (
        (store.folder / "issuing.crl").read_bytes(),
        (store.folder / "root.crl").read_bytes(),
    )
    from cryptography import x509

    root = x509.load_pem_x509_certificate((store.folder / "root.pem").read_bytes())
    return Trust(
        roots=(root.public_bytes(serialization.Encoding.DER),),
        intermediates=(store.certificate("issuing").public_bytes(serialization.Encoding.DER),),
        revocation_lists=found,
    )


def tsa(store: FileKeyStore, at: datetime = NOW) -> Authority:
    return Authority(store, lambda: at)


@cache
def plain_pdf() -> bytes:
    from weasyprint import HTML

    return bytes(HTML(string="<h1>LAB-2026-000123</h1><p>12.500</p>").write_pdf())


LATER = NOW + timedelta(hours=1)
