"""Draw papers: Arabic first, PDF/A-3, one whole font family, nothing fetched from anywhere.

Drawing takes long and is done in the worker. The font is Amiri as Debian ships it: a split web
font prints wrong digits though text extraction looks right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import flask
import segno
from flask_babel import force_locale
from weasyprint import HTML
from weasyprint.urls import URLFetcher


class OnlyItself(URLFetcher):
    """Reads what stands in the paper itself (``data:``) and nothing else."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), fail_on_errors=True)


def qr_svg(text: str) -> str:
    """The code as a data address of an SVG picture, error level M."""
    return str(
        segno.make_qr(text, error="m", boost_error=False).svg_data_uri(border=4, dark="#000")
    )


def render_pdf(template: str, *, lang: str, digits: str, **context: Any) -> bytes:
    """A PDF/A-3 of a template, in one language, with the digits the reader chose."""
    app = flask.current_app
    with app.test_request_context(f"/{lang}/"):
        flask.g.lang = lang
        flask.g.digits = digits
        with force_locale(lang):
            html = flask.render_template(template, **context)
        return bytes(HTML(string=html, url_fetcher=OnlyItself()).write_pdf(pdf_variant="pdf/a-3u"))


def draw_paper(
    *,
    title: Mapping[str, str],
    agency: Mapping[str, str],
    rows: Sequence[tuple[Mapping[str, str], Any]],
    text: Mapping[str, str] | None = None,
    lang: str = "ar",
    digits: str = "western",
    template: str = "certification/paper.html",
    public_url: str = "",
    **more: Any,
) -> Callable[[dict[str, Any]], bytes]:
    """How ``seal_document`` draws: rows of (label, value) under a title, with number and code."""

    def draw(given: dict[str, Any]) -> bytes:
        issued: datetime = given["issued_at"]
        return render_pdf(
            template,
            lang=lang,
            digits=digits,
            title=title,
            agency=agency,
            rows=rows,
            text=text,
            number=given["number"],
            print_code=given["print_code"],
            qr=qr_svg(given["qr_text"]),
            issued_at=issued,
            is_demo=given["demo"],
            public_url=public_url or flask.current_app.config["PUBLIC_URL"],
            **more,
        )

    return draw
