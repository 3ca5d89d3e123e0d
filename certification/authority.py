"""The portal's own certificate authority: root, issuing, and the certificates below it.

Subject names hold Arabic letters and single spaces only, or plain ASCII: names that mix scripts
with digits cannot be read back by all software (see docs/decisions). Each leaf carries where its
revocation list is found.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certification.keystore import FileKeyStore, only_one

_ARABIC = re.compile(r"[\u0621-\u064a]+( [\u0621-\u064a]+)*\Z")
_ASCII = re.compile(r"[A-Za-z][A-Za-z0-9 .\-]*\Z")

DEMO_MARK = "تجريبي"
LEAVES = {
    "seal": "ختم ديوان تجريبي",
    "tsa": "توقيت ديوان تجريبي",
    "qr": "رمز ديوان تجريبي",
}


class NameRefused(ValueError):
    """A subject name that some readers could not read back."""


def check_name(name: str) -> str:
    """The name itself, when every reader can read it back."""
    if not (_ARABIC.match(name) or _ASCII.match(name)):
        raise NameRefused(name)
    return name


def subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KW"),
            x509.NameAttribute(NameOID.COMMON_NAME, check_name(name)),
        ]
    )


def _usage(**on: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def issue(
    name: str,
    public: ec.EllipticCurvePublicKey,
    *,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    start: datetime,
    end: datetime,
    purpose: str,
    public_url: str = "https://diwan.example",
    path_length: int | None = None,
) -> x509.Certificate:
    """One certificate. ``purpose``: root, issuing, seal, tsa or qr."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(name))
        .issuer_name(issuer.subject if issuer else subject(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if purpose in {"root", "issuing"}:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=path_length), critical=True
        ).add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    else:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        ).add_extension(
            _usage(digital_signature=True, content_commitment=purpose == "seal"), critical=True
        )
    if purpose == "tsa":
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
        )
    if purpose != "root":
        where = f"{public_url}/certification/{'root' if purpose == 'issuing' else 'issuing'}.crl"
        builder = builder.add_extension(
            x509.CRLDistributionPoints(
                [x509.DistributionPoint([x509.UniformResourceIdentifier(where)], None, None, None)]
            ),
            critical=False,
        )
    return builder.sign(issuer_key, hashes.SHA256())


def revocation_list(
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    number: int,
    now: datetime,
    days: int = 7,
    revoked: list[tuple[int, datetime, x509.ReasonFlags]] | None = None,
) -> x509.CertificateRevocationList:
    """The list of withdrawn certificates; renewed at half its life even when empty."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now)
        .next_update(now + timedelta(days=days))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    for serial, at, reason in revoked or []:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(at)
            .add_extension(x509.CRLReason(reason), critical=False)
            .build()
        )
    return builder.sign(issuer_key, hashes.SHA256())


def make_demo(folder: Path, *, now: datetime, public_url: str) -> FileKeyStore:
    """All keys of a demo in one go, each subject marked تجريبي; nothing when they exist."""
    with only_one(folder):
        store = FileKeyStore(folder)
        if (folder / "complete").exists():
            return store
        start = now - timedelta(hours=1)

        def years(count: int) -> datetime:
            return start + timedelta(days=365 * count)

        root_key = ec.generate_private_key(ec.SECP384R1())
        root = issue(
            "جذر ديوان تجريبي", root_key.public_key(), issuer=None, issuer_key=root_key,
            start=start, end=years(20), purpose="root", path_length=1,
        )  # fmt: skip
        issuing_key = ec.generate_private_key(ec.SECP256R1())
        issuing = issue(
            "إصدار ديوان تجريبي", issuing_key.public_key(), issuer=root, issuer_key=root_key,
            start=start, end=years(10), purpose="issuing", path_length=0, public_url=public_url,
        )  # fmt: skip
        (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
        (folder / "root.crl").write_bytes(
            revocation_list(root, root_key, number=1, now=start, days=365).public_bytes(
                serialization.Encoding.DER
            )
        )
        store.keep("issuing", issuing_key, issuing)
        for purpose, name in LEAVES.items():
            key = ec.generate_private_key(ec.SECP256R1())
            store.keep(
                purpose,
                key,
                issue(
                    name, key.public_key(), issuer=issuing, issuer_key=issuing_key,
                    start=start, end=years(3), purpose=purpose, public_url=public_url,
                ),
            )  # fmt: skip
        renew_revocation_list(store, now=start)
        (folder / "complete").write_text("demo\n")
        return store


def renew_revocation_list(store: FileKeyStore, *, now: datetime) -> Path:
    """Write a new list under the issuing key, its number one higher than the last."""
    path = store.folder / "issuing.crl"
    number, revoked = 1, []
    if path.exists():
        old = x509.load_der_x509_crl(path.read_bytes())
        number = old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
        revoked = [
            (
                entry.serial_number,
                entry.revocation_date_utc,
                entry.extensions.get_extension_for_class(x509.CRLReason).value.reason,
            )
            for entry in old
        ]
    fresh = revocation_list(
        store.certificate("issuing"), store.private("issuing"), number=number, now=now,
        revoked=revoked,
    )  # fmt: skip
    temporary = path.with_suffix(".new")
    temporary.write_bytes(fresh.public_bytes(serialization.Encoding.DER))
    temporary.replace(path)
    return path
