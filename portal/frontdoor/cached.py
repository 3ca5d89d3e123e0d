"""Public pages: the same for everybody, so they are made once and handed out again.

A cached page touches no session and asks the database nothing; language comes from the URL. The
store is per process and emptied when what the page shows has changed (``version``).
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any, ParamSpec

import flask
from werkzeug.wrappers import Response

P = ParamSpec("P")
_store: dict[tuple[str, str], tuple[float, bytes, str]] = {}
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
        if found is None or found[0] < now or flask.current_app.testing:
            response = flask.make_response(view(*args, **kwargs))
            if response.status_code != 200:
                return response
            body = response.get_data()
            etag = hashlib.sha256(body).hexdigest()[:20]
            if len(_store) >= LARGEST:
                _store.clear()
            _store[key] = found = (now + FRESH, body, etag)
        return _answer(found[1], found[2])

    return wrapped


def _answer(body: bytes, etag: str) -> Response:
    if etag in flask.request.if_none_match:
        response = Response(status=304)
    else:
        response = flask.current_app.response_class(body, mimetype="text/html")
    response.set_etag(etag)
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


def forget() -> None:
    """Throw the made pages away: what they show has changed."""
    _store.clear()
