"""Field encryption: a value can be read only in its own row.

Layout ``01 | key id (1) | nonce (12) | ciphertext | tag (16)``, AES-256-GCM; the additional data
are the header and ``table.column:primary key``, so a value moved to another row does not open.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import flask
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal import settings


@cache
def _keys(path: str, may_make: bool) -> tuple[dict[int, bytes], int, bytes]:
    file = Path(path)
    if not file.exists():
        if not may_make:
            raise RuntimeError("FIELD_KEYS_FILE is missing")
        file.parent.mkdir(parents=True, exist_ok=True)
        made = {"keys": {"1": secrets.token_hex(32)}, "newest": 1, "index": secrets.token_hex(32)}
        temporary = file.with_suffix(f".{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(made))
        with contextlib.suppress(FileExistsError):
            os.link(temporary, file)  # two processes may start at once: the first one wins
        temporary.unlink()
    data = json.loads(file.read_text())
    keys = {int(number): bytes.fromhex(key) for number, key in data["keys"].items()}
    return keys, int(data["newest"]), bytes.fromhex(data["index"])


def _load() -> tuple[dict[int, bytes], int, bytes]:
    config = flask.current_app.config
    path = config.get("FIELD_KEYS_FILE") or str(config["VAR_DIR"] / "field-keys.json")
    return _keys(path, config["ENVIRONMENT"] != "production")


def seal(text: str, place: str) -> bytes:
    """Encrypt for one place, e.g. ``people.civil_id:<uuid>``."""
    keys, newest, _index = _load()
    head, nonce = bytes((1, newest)), secrets.token_bytes(12)
    return head + nonce + AESGCM(keys[newest]).encrypt(nonce, text.encode(), head + place.encode())


def unseal(blob: bytes, place: str) -> str:
    """Decrypt; ``cryptography.exceptions.InvalidTag`` when the value is not of this place."""
    keys, _newest, _index = _load()
    head, nonce = blob[:2], blob[2:14]
    return AESGCM(keys[blob[1]]).decrypt(nonce, blob[14:], head + place.encode()).decode()


def index(text: str) -> bytes:
    """A keyed hash for finding equal values; guessable by whoever holds its key."""
    return hmac.digest(_load()[2], text.encode(), "sha256")


@settings.register_check
def _field_keys(config: dict[str, Any]) -> Iterable[str]:
    path = config.get("FIELD_KEYS_FILE")
    if not path or not Path(path).exists():
        yield "FIELD_KEYS_FILE names no file"
    elif Path(path).stat().st_mode & 0o077:
        yield "FIELD_KEYS_FILE can be read by others"
