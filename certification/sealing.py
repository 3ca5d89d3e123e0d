"""Seal a PDF: PAdES with our timestamp, certified so that nothing may be changed afterwards."""

from __future__ import annotations

import hashlib
from datetime import datetime
from io import BytesIO
from typing import Any

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.timestamps.api import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certification.keystore import KeyStore
from certification.tsa import Authority

#: The largest PDF that is sealed, in bytes.
LARGEST = 50 * 1024 * 1024


class SealRefused(RuntimeError):
    """The seal key may not be used now: its certificate has not begun or has ended."""


def _asn1(store: KeyStore, name: str) -> asn1_x509.Certificate:
    der = store.certificate(name).public_bytes(serialization.Encoding.DER)
    made: asn1_x509.Certificate = asn1_x509.Certificate.load(der)
    return made


class SealSigner(Signer):
    """Signs by a key that stays open in the key store."""

    def __init__(self, store: KeyStore, name: str) -> None:
        self._store = store
        self._name = name
        registry = SimpleCertificateStore()
        registry.register(_asn1(store, "issuing"))
        super().__init__(
            signing_cert=_asn1(store, name),
            cert_registry=registry,
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            embed_roots=False,
        )

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if dry_run:
            return bytes(72)
        if digest_algorithm != "sha256":
            raise SealRefused(digest_algorithm)
        return self._store.sign(self._name, hashlib.sha256(data).digest())


class OwnTimestamps(TimeStamper):
    """Asks our own authority, without a network."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return self._authority.answer(req)


def check_usable(store: KeyStore, now: datetime, name: str = "seal") -> None:
    """The library would seal with an ended certificate without a word; we refuse."""
    certificate = store.certificate(name)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SealRefused(f"{name}: certificate is outside its validity")
    if certificate.public_key() != store.public(name):
        raise SealRefused(f"{name}: certificate belongs to another key")


def seal(pdf: bytes, *, store: KeyStore, authority: Authority | None, now: datetime) -> bytes:
    """The sealed file (B-T; B-B when there is no timestamp authority)."""
    if len(pdf) > LARGEST:
        raise SealRefused("too large")
    check_usable(store, now)
    metadata = signers.PdfSignatureMetadata(
        field_name="Seal",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    signer: Any = signers.PdfSigner(
        metadata,
        signer=SealSigner(store, "seal"),
        timestamper=OwnTimestamps(authority) if authority else None,
        new_field_spec=fields.SigFieldSpec("Seal"),
    )
    out = BytesIO()
    signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=out)
    return out.getvalue()
