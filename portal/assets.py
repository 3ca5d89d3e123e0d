"""Style, script, letters and icons: named by their content, kept by browsers for a year.

Every file lies under one mark of the whole tree (``/static/<mark>/css/diwan.css``), so that what
refers to its neighbour by ``../`` stays right. Bodies are compressed once per process; pictures and
letters are compressed already. An address without the mark answers too, but must be asked again.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import brotli
import flask

from portal import access
from portal.errors import NotFound

ROOT = Path(__file__).parent / "static"
SQUEEZED = {".css", ".js", ".svg", ".json", ".txt", ".webmanifest"}
TYPES = {
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file, as it goes over the line. ``packed``: encoding -> bytes, smallest first."""

    body: bytes
    packed: dict[str, bytes]
    mimetype: str
    etag: str


@cache
def tree() -> tuple[str, dict[str, Asset]]:
    """The mark of the tree (10 hex digits) and its files by name."""
    found: dict[str, Asset] = {}
    whole = hashlib.sha256()
    for path in sorted(ROOT.rglob("*")):
        if not path.is_file():
            continue
        body = path.read_bytes()
        if path.suffix == ".css":
            body = re.sub(rb"/\*.*?\*/|\n\s*", b"", body, flags=re.DOTALL)  # no word needs them
        name = path.relative_to(ROOT).as_posix()
        digest = hashlib.sha256(body).hexdigest()
        whole.update(f"{name}\0{digest}\n".encode())
        packed = {}
        if path.suffix in SQUEEZED:
            packed = {"br": brotli.compress(body), "gzip": gzip.compress(body, mtime=0)}
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        found[name] = Asset(body, packed, kind, digest[:20])
    return whole.hexdigest()[:10], found


def asset(name: str) -> str:
    """The address of a file of ours. Errors: KeyError where a page names one that is not there."""
    mark, files = tree()
    if name not in files:
        raise KeyError(name)
    return flask.url_for("static", filename=f"{mark}/{name}")


def negotiated(response: flask.Response, body: bytes, packed: dict[str, bytes]) -> flask.Response:
    """Put the smallest body into the answer that this reader's browser can open."""
    response.set_data(body)
    for encoding, small in packed.items():
        if flask.request.accept_encodings.quality(encoding) and len(small) < len(body):
            response.set_data(small)
            response.headers["Content-Encoding"] = encoding
            break
    response.headers["Vary"] = "Accept-Encoding"
    return response


@access.public
def serve(filename: str) -> flask.Response:
    """A file of ours, by its marked name or by its plain one."""
    mark, files = tree()
    marked = filename.startswith(f"{mark}/")
    found = files.get(filename.removeprefix(f"{mark}/"))
    if found is None:
        raise NotFound
    flask.g.public_page = True
    response = flask.current_app.response_class(mimetype=found.mimetype)
    response.set_etag(found.etag)
    response.headers["Cache-Control"] = YEAR if marked else "no-cache"
    if found.etag in flask.request.if_none_match:
        response.status_code = 304
        return response
    return negotiated(response, found.body, found.packed)


def init_app(app: flask.Flask) -> None:
    """Serve the files, and let pages name them."""
    app.add_url_rule("/static/<path:filename>", "static", serve)
    app.jinja_env.globals["asset"] = asset
