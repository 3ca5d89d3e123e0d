"""Judge a PDF that somebody hands us. Never raises: what cannot be judged is ``unreadable``.

A signature alone is never trusted: the whole file must be covered, nothing added, one seal only,
ours, under a certificate that was good at the time of the timestamp.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from certification.rules import Verdict, worst

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Trust:
    """Whom we believe: our roots, the certificates between, and the lists of the withdrawn."""

    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...]
    revocation_lists: tuple[bytes, ...]


@dataclass(frozen=True)
class Finding:
    """What a file says about itself. ``sealed_at`` is the proven time, aware UTC."""

    verdicts: tuple[Verdict, ...]
    sha256: bytes
    sealed_at: datetime | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        return worst(list(self.verdicts))


def judge(pdf: bytes, trust: Trust, *, now: datetime) -> Finding:
    """Everything that can be said of the file without our register."""
    digest = hashlib.sha256(pdf).digest()
    try:
        return _judge(pdf, trust, now, digest)
    except RecursionError:
        return Finding((Verdict.UNREADABLE,), digest, notes=("RecursionError",))
    except Exception as error:  # any shape of damage is one answer
        return Finding((Verdict.UNREADABLE,), digest, notes=(type(error).__name__,))


def _context(trust: Trust, moment: datetime, *, past: bool) -> ValidationContext:
    return ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(der) for der in trust.roots],
        other_certs=[asn1_x509.Certificate.load(der) for der in trust.intermediates],
        crls=[asn1_crl.CertificateList.load(der) for der in trust.revocation_lists],
        allow_fetching=False,
        revocation_mode="require",
        moment=moment,
        retroactive_revinfo=past,
    )


def _judge(pdf: bytes, trust: Trust, now: datetime, digest: bytes) -> Finding:
    reader = PdfFileReader(BytesIO(pdf), strict=True)
    if reader.encrypted:
        return Finding((Verdict.UNREADABLE,), digest, notes=("encrypted",))
    signatures = reader.embedded_signatures
    if not signatures:
        return Finding((Verdict.UNSIGNED,), digest)
    seal = signatures[0]
    first = validate_pdf_signature(
        seal,
        signer_validation_context=_context(trust, now, past=False),
        ts_validation_context=_context(trust, now, past=False),
    )
    sealed_at = _proven_time(first)
    status = first
    if sealed_at is not None:
        status = validate_pdf_signature(
            PdfFileReader(BytesIO(pdf), strict=True).embedded_signatures[0],
            signer_validation_context=_context(trust, sealed_at, past=True),
            ts_validation_context=_context(trust, now, past=False),
        )
    found = list(_integrity(status, len(signatures)))
    found += _signer(status)
    if not found:
        found.append(
            Verdict.GENUINE_EXACT if sealed_at is not None else Verdict.GENUINE_TIME_UNPROVEN
        )
    return Finding(tuple(found), digest, sealed_at)


def _proven_time(status: Any) -> datetime | None:
    stamp = status.timestamp_validity
    if stamp is not None and stamp.valid and stamp.intact and stamp.trusted:
        at: datetime = stamp.timestamp
        return at
    return None


def _integrity(status: Any, signatures: int) -> list[Verdict]:
    whole = {SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION}
    sound = (
        status.intact
        and status.valid
        and status.coverage in whole
        and status.docmdp_ok is not False
        and signatures == 1
    )
    return [] if sound else [Verdict.ALTERED]


def _signer(status: Any) -> list[Verdict]:
    problem = status.trust_problem_indic
    if problem is None:
        return [] if status.trusted else [Verdict.UNKNOWN_SIGNER]
    name = problem.name if hasattr(problem, "name") else str(problem)
    if name.startswith("REVOKED"):
        return [Verdict.REVOKED_SEAL]
    if "OUT_OF_BOUNDS" in name or "EXPIRED" in name or "NOT_YET_VALID" in name:
        return [Verdict.OUTSIDE_VALIDITY]
    if name in {
        "NO_CERTIFICATE_CHAIN_FOUND",
        "CHAIN_CONSTRAINTS_FAILURE",
        "SIG_CONSTRAINTS_FAILURE",
    }:
        return [Verdict.UNKNOWN_SIGNER]
    return [Verdict.STATUS_UNKNOWN]
