"""Verify a paper: by number and code, by its file, or offline by its square code."""

from __future__ import annotations

from datetime import timedelta

import flask
from werkzeug.wrappers import Response

from certification import keys, queries
from certification.forms import NumberForm, UploadForm
from certification.judging import judge_apart
from certification.rules import WORDS, colour
from portal import access, limits
from portal.db import utc_now
from portal.pages import page

certification = flask.Blueprint(
    "certification", __name__, template_folder="templates", static_folder=None
)

TIMES, PER = 20, timedelta(minutes=10)


def _slow_down(kind: str) -> None:
    limits.limit(kind, limits.network_of(flask.request.remote_addr), times=TIMES, per=PER)


def _show(judgement: queries.Judgement) -> Response:
    return page(
        "certification/show_verdict.html",
        judgement=judgement,
        words=WORDS[judgement.verdict],
        seal_words=WORDS[judgement.seal] if judgement.seal else None,
        kind=colour(judgement.verdict),
        is_demo=keys.is_demo(),
    )


@certification.get("/verify")
@access.public
def choose_language() -> Response:
    """The address printed on papers."""
    return flask.redirect(flask.url_for("certification.verify", lang="ar"), 302)


@certification.route("/<lang:lang>/verify", methods=["GET", "POST"])
@access.public
def verify() -> Response:
    """By the number and code printed on the paper."""
    form = NumberForm()
    if form.validate_on_submit():
        _slow_down("certification.verify.number")
        found = queries.by_number_and_code(form.number.data, form.code.data, utc_now())
        if found is not None:
            return _show(found)
        flask.g.unknown = True
        return page(
            "certification/verify.html", form=form, upload=UploadForm(), unknown=True, status=422
        )
    return page("certification/verify.html", form=form, upload=UploadForm(), unknown=False)


@certification.post("/<lang:lang>/verify/file")
@access.public
def verify_file() -> Response:
    """By the file: its seal, and our register."""
    form = UploadForm()
    if form.validate_on_submit():
        _slow_down("certification.verify.upload")
        data = form.file.data.read()
        return _show(judge_apart(data, utc_now()))
    return page(
        "certification/verify.html", form=form, number=NumberForm(), upload=form, unknown=False
    )


@certification.get("/certification/<any(issuing, root):name>.crl")
@access.public
def show_revocation_list(name: str) -> Response:
    """The list of withdrawn certificates, where certificates say it is."""
    body = (keys.store().folder / f"{name}.crl").read_bytes()
    return flask.Response(body, mimetype="application/pkix-crl")
