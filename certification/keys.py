"""The portal's keys as settings name them, opened once a process."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import flask
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certification import authority
from certification.keystore import FileKeyStore, key_id
from certification.tsa import Authority
from certification.verifying import Trust
from portal import settings
from portal.db import utc_now


@cache
def _open(folder: str, public_url: str) -> FileKeyStore:
    return authority.make_demo(Path(folder), now=utc_now(), public_url=public_url)


def store() -> FileKeyStore:
    """The keys; a demo makes its own at first use."""
    config = flask.current_app.config
    folder = config.get("KEY_DIR") or config["VAR_DIR"] / "demo-keys"
    if config["ENVIRONMENT"] == "production":
        return FileKeyStore(Path(folder))
    return _open(str(folder), config["PUBLIC_URL"])


def timestamps() -> Authority:
    return Authority(store(), utc_now)


def is_demo() -> bool:
    """Whether papers are sealed by demo keys and must say so."""
    return authority.DEMO_MARK in store().certificate("seal").subject.rfc4514_string()


def qr_key_id() -> bytes:
    return key_id(store().public("qr"))


def qr_keys() -> dict[bytes, ec.EllipticCurvePublicKey]:
    return {qr_key_id(): store().public("qr")}


def trust() -> Trust:
    """Our roots and the newest lists of withdrawn certificates."""
    keys = store()
    root = x509.load_pem_x509_certificate((keys.folder / "root.pem").read_bytes())
    return Trust(
        roots=(root.public_bytes(serialization.Encoding.DER),),
        intermediates=(keys.certificate("issuing").public_bytes(serialization.Encoding.DER),),
        revocation_lists=(
            (keys.folder / "issuing.crl").read_bytes(),
            (keys.folder / "root.crl").read_bytes(),
        ),
    )


@settings.register_check
def _production_keys(config: dict[str, Any]) -> Iterable[str]:
    folder = config.get("KEY_DIR")
    if not folder or not Path(folder).is_dir():
        yield "KEY_DIR names no folder of seal keys"
        return
    path = Path(folder)
    if path.stat().st_mode & 0o077:
        yield "KEY_DIR can be read by others"
    if (path / "complete").exists():
        yield "KEY_DIR holds demo keys"
    if (path / "root.key").exists():
        yield "KEY_DIR holds the root's private key"
    for file in path.glob("*.key"):
        if file.stat().st_mode & 0o077:
            yield f"{file.name} can be read by others"
