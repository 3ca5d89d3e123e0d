"""Files of ours: named by content, small on the line, never asked for twice."""

from __future__ import annotations

import brotli
import pytest
from flask.testing import FlaskClient

from portal import Portal, assets


def test_a_marked_file_is_kept_for_a_year_and_compressed(app: Portal, client: FlaskClient) -> None:
    with app.test_request_context():
        address = assets.asset("css/diwan.css")
    plain = client.get(address)
    small = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert small.headers["Content-Encoding"] == "br"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert brotli.decompress(small.data) == plain.data
    assert len(small.data) < len(plain.data) / 3
    assert "Set-Cookie" not in plain.headers


def test_a_refused_encoding_is_not_sent(app: Portal, client: FlaskClient) -> None:
    with app.test_request_context():
        address = assets.asset("css/diwan.css")
    answer = client.get(address, headers={"Accept-Encoding": "br;q=0, gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"


def test_a_plain_name_is_asked_again_and_answered_short(client: FlaskClient) -> None:
    first = client.get("/static/img/mark.svg")
    again = client.get("/static/img/mark.svg", headers={"If-None-Match": first.headers["ETag"]})
    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["../config.py", "css/nothing.css", "%2e%2e/__init__.py", ""])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_page_cannot_name_a_file_that_is_not_there(app: Portal) -> None:
    with app.test_request_context(), pytest.raises(KeyError):
        assets.asset("css/other.css")


def test_one_changed_file_changes_every_address(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    assets.tree.cache_clear()
    before = assets.tree()[0]
    (tmp_path / "a.css").write_text("b{}")
    assets.tree.cache_clear()
    after = assets.tree()[0]
    assets.tree.cache_clear()
    assert before != after
