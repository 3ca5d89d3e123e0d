"""A test client that reads every page as a careful stranger would."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient

_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
    "path",
    "rect",
    "circle",
    "use",
    "line",
    "polyline",
    "polygon",
    "ellipse",
    "stop",
}
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


class Page(HTMLParser):
    """What the checks need of a page: headings, ids, labels, fields, stray code and words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.h1: list[str] = []
        self.title = ""
        self.lang = self.dir = None
        self.feed(html)
        self.close()
        if self.open:
            self.faults.append(f"not closed: {[tag for tag, _ in self.open]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.lang, self.dir = found.get("lang"), found.get("dir")
        if "style" in found or any(name.startswith("on") for name in found):
            self.faults.append(f"inline style or handler on <{tag}>")
        if tag == "style" or (
            tag == "script" and not found.get("src") and found.get("type") != "importmap"
        ):
            self.faults.append(f"inline <{tag}>")
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "label" and found.get("for"):
            self.labels.add(str(found["for"]))
        if tag in {"input", "select", "textarea"} and found.get("type") not in {
            "hidden",
            "submit",
            "button",
        }:
            wrapped = any(parent == "label" for parent, _ in self.open)
            self.fields.append({**found, "_wrapped": "1" if wrapped else None})
        if tag == "h1":
            self.h1.append("")
        if tag not in _VOID:
            self.open.append((tag, found))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {[t for t, _ in self.open[-3:]]}")
            while self.open and self.open[-1][0] != tag:
                self.open.pop()
        if self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self.open]
        if "title" in tags and "svg" not in tags:
            self.title += data
        if "h1" in tags:
            self.h1[-1] += data
        if self.lang == "ar" and not {"script", "title", "svg"} & set(tags):
            self._stray(data, tags)

    def _stray(self, data: str, tags: list[str]) -> None:
        """Latin words in an Arabic page stand in <bdi>, or in an element that says lang=en."""
        if {"bdi", "code", "kbd", "time", "textarea", "option"} & set(tags):
            return
        for _tag, attrs in self.open[1:]:
            if attrs.get("lang") == "en":
                return
        if found := _LATIN_WORD.search(data):
            self.faults.append(f"Latin word {found.group()!r} in an Arabic page: {data.strip()!r}")


def faults_of(html: str) -> list[str]:
    """Everything wrong with a page, in words."""
    page = Page(html)
    found = list(page.faults)
    if page.lang not in {"ar", "en"} or page.dir != ("rtl" if page.lang == "ar" else "ltr"):
        found.append(f"lang={page.lang} dir={page.dir}")
    if len(page.h1) != 1:
        found.append(f"{len(page.h1)} h1")
    elif " ".join(page.h1[0].split()) not in " ".join(page.title.split()):
        found.append(f"title {page.title!r} does not hold the heading {page.h1[0]!r}")
    found += [f"id {name!r} twice" for name, n in Counter(page.ids).items() if n > 1]
    for field in page.fields:
        named = (
            field.get("id") in page.labels
            or field.get("aria-label")
            or field.get("aria-labelledby")
            or field.get("_wrapped")
        )
        if not named:
            found.append(f"field without label: {field.get('name')}")
    if "None" in re.findall(r">\s*(None)\s*<", html):
        found.append("a bare None")
    return found


class CheckingClient(FlaskClient):
    """Fails the test when any HTML answer has a fault."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.status_code not in {301, 302, 303, 308}:
            html = response.get_data(as_text=True)
            found = faults_of(html)
            assert not found, f"{response.request.path}: {found}"
            path = response.request.path
            if path.startswith(("/ar/", "/en/")):
                assert f'lang="{path[1:3]}"' in html
        return response
