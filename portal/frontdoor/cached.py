"""Public pages: the same for everybody, so they are made once and handed out again.

A cached page touches no session and asks the database nothing; language comes from the URL. The
store is per process and emptied when what the page shows has changed (``version``).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

import brotli
import flask
from werkzeug.wrappers import Response

from portal import assets

P = ParamSpec("P")


@dataclass(frozen=True)
class Made:
    """A page as it was made, with its smaller forms. ``until``: seconds of the monotonic clock."""

    until: float
    body: bytes
    packed: dict[str, bytes]
    etag: str


_store: dict[tuple[str, str], Made] = {}
#: Seconds a page is handed out before it is made again.
FRESH = 60
LARGEST = 2000


def public_page(view: Callable[P, Any]) -> Callable[P, Any]:
    """Cache the page by its full path for a minute, with an ETag; nothing personal may be on it."""

    @functools.wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        flask.g.public_page = True
        key = (flask.current_app.config["SECRET_KEY"], flask.request.full_path)
        found = _store.get(key)
        now = time.monotonic()
        if found is None or found.until < now or flask.current_app.testing:
            response = flask.make_response(view(*args, **kwargs))
            if response.status_code != 200:
                return response
            body = response.get_data()
            etag = hashlib.sha256(body).hexdigest()[:20]
            if len(_store) >= LARGEST:
                _store.clear()
            packed = {"br": brotli.compress(body), "gzip": gzip.compress(body, mtime=0)}
            _store[key] = found = Made(now + FRESH, body, packed, etag)
        return _answer(found)

    return wrapped


def _answer(made: Made) -> Response:
    response = flask.current_app.response_class(mimetype="text/html")
    if made.etag in flask.request.if_none_match:
        response.status_code = 304
        response.headers["Vary"] = "Accept-Encoding"
    else:
        assets.negotiated(response, made.body, made.packed)
    response.set_etag(made.etag)
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


def forget() -> None:
    """Throw the made pages away: what they show has changed."""
    _store.clear()
