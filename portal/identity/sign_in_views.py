"""Pages of signing up and in, the second factor, and the way back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import flask
import pyotp
import segno
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal import access, limits, registers
from portal.db import db, utc_now
from portal.errors import NotFound, TooMany
from portal.i18n import current_lang, kuwait_date
from portal.identity import passwords, signing_in
from portal.identity.credentials import SignUp
from portal.identity.current import current_actor, current_person, signed_in_session
from portal.identity.forms import (
    CodeForm,
    ForgottenForm,
    NewPasswordForm,
    SignInForm,
    SignUpForm,
)
from portal.identity.models import Person
from portal.identity.views import identity, is_demo, safe_next
from portal.pages import PortalForm, page, redirect_to

DEVICE_COOKIE = "diwan_device"
DEVICE_DAYS = 180
WINDOW = timedelta(minutes=15)


def _devices() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(flask.current_app.config["SECRET_KEY"], salt="device")


def _knows(person: str) -> bool:
    """Whether this browser has signed in to that account before."""
    try:
        known = _devices().loads(
            flask.request.cookies.get(DEVICE_COOKIE, ""), max_age=DEVICE_DAYS * 86_400
        )
    except BadSignature:
        return False
    return person in known


def _remember(person: Person) -> None:
    @flask.after_this_request
    def keep(response: flask.Response) -> flask.Response:
        response.set_cookie(
            DEVICE_COOKIE,
            _devices().dumps([str(person.id)]),
            max_age=DEVICE_DAYS * 86_400,
            httponly=True,
            secure=flask.current_app.config["SESSION_COOKIE_SECURE"],
            samesite="Lax",
        )
        return response


def _guard(number: str) -> None:
    """Slow attackers down: by line and account, by line, and by account from unknown browsers.

    A browser that has signed in before is not counted with the strangers, so nobody is locked out
    of her own account by somebody else's tries.
    """
    line = limits.network_of(flask.request.remote_addr)
    person = signing_in.person_of(number)
    known = person is not None and _knows(str(person.id))
    if limits.count("sign-in.line", line, WINDOW) >= 100:
        raise TooMany
    key = f"{number}:{'known' if known else line}"
    if limits.count("sign-in.pair", key, WINDOW) >= 10:
        raise TooMany
    if not known and limits.count("sign-in.account", number, timedelta(hours=1)) >= 30:
        raise TooMany


def _failed(number: str) -> None:
    line = limits.network_of(flask.request.remote_addr)
    person = signing_in.person_of(number)
    known = person is not None and _knows(str(person.id))
    limits.note("sign-in.line", line)
    limits.note("sign-in.pair", f"{number}:{'known' if known else line}")
    if not known:
        limits.note("sign-in.account", number)


@identity.route("/sign-in", methods=["GET", "POST"])
@access.public
def sign_in() -> Response:
    """Number and password; then the second factor where one is set up."""
    form = SignInForm()
    if form.validate_on_submit():
        _guard(form.number)
        person = signing_in.sign_in(form.number, form.password.data, now=utc_now())
        if person is not None:
            _remember(person)
            if signing_in.authenticator_of(person.id):
                return redirect_to("identity.step_up", next=safe_next(), level=2)
            return flask.redirect(safe_next(), 303)
        _failed(form.number)
        form.password.errors = (_("The number and the password do not fit together."),)
    return page("identity/sign_in.html", form=form, next=safe_next(), offers_demo=is_demo())


@identity.route("/sign-up", methods=["GET", "POST"])
@access.public
def sign_up() -> Response:
    """Ask for an account."""
    form = SignUpForm()
    if form.validate_on_submit():
        limits.limit("sign-up", limits.network_of(flask.request.remote_addr), times=20, per=WINDOW)
        asked = signing_in.Asked(
            civil_id=form.number,
            name_ar=form.name_ar.data,
            name_en=form.name_en.data,
            email=form.email.data,
            mobile=form.telephone,
            password_hash=passwords.make(form.password.data),
        )
        row = signing_in.ask_for_account(asked, language=current_lang(), now=utc_now())
        return redirect_to("identity.confirm_account", sign_up_id=row.id)
    return page("identity/sign_up.html", form=form)


@identity.route("/sign-up/<uuid:sign_up_id>", methods=["GET", "POST"])
@access.public
def confirm_account(sign_up_id: UUID) -> Response:
    """The code that came by mail makes the account."""
    row = db.session.get(SignUp, sign_up_id)
    if row is None or row.used_at is not None:
        raise NotFound
    form = CodeForm()
    if form.validate_on_submit():
        person = signing_in.confirm_account(row, form.typed, language=current_lang(), now=utc_now())
        if person is not None:
            _remember(person)
            return redirect_to("identity.show_security")
        form.code.errors = (_("This code does not open the account. Look at the newest mail."),)
    return page("identity/confirm_account.html", form=form, offers_demo=is_demo())


@identity.route("/step-up", methods=["GET", "POST"])
@access.signed_in(level=1)
def step_up() -> Response:
    """The second factor, when a page needs a higher level; else what is missing for it."""
    needed = flask.request.args.get("level", 2, type=int)
    now = utc_now()
    app = signing_in.authenticator_of(current_person.id)
    reach = signing_in.reach(current_person, 2, now)
    form = CodeForm()
    if app is not None and form.validate_on_submit():
        limits.limit("second-factor", str(current_person.id), times=10, per=WINDOW)
        if signing_in.second_factor(current_person, form.typed, now=now):
            return flask.redirect(safe_next(), 303)
        form.code.errors = (_("This code is wrong, or was used already. Wait for the next one."),)
    return page(
        "identity/step_up.html",
        form=form,
        asks=app is not None and (needed <= reach or current_actor().level < reach),
        has_app=app is not None,
        proven=current_person.proven_level,
        held_until=current_person.proof_held_until,
        needed=needed,
        now=now,
        next=safe_next(),
        offers_demo=is_demo(),
    )


@identity.get("/account/security")
@access.signed_in(level=1)
def show_security() -> Response:
    """What protects the account, and what is still missing."""
    person_id = current_person.id
    return page(
        "identity/show_security.html",
        person=current_person,
        app=signing_in.authenticator_of(person_id),
        left=signing_in.codes_left(person_id),
        session=signed_in_session(),
    )


@identity.post("/account/authenticator")
@access.signed_in(level=1)
def begin_authenticator() -> Response:
    """Start with an app. One in use is replaced only from a session that has proven it."""
    if signing_in.authenticator_of(current_person.id) and current_actor().level < 2:
        return redirect_to(
            "identity.step_up", level=2, next=flask.url_for("identity.show_security")
        )
    signing_in.begin_authenticator(current_person.id, now=utc_now())
    return redirect_to("identity.add_authenticator")


@identity.route("/account/authenticator/new", methods=["GET", "POST"])
@access.signed_in(level=1)
def add_authenticator() -> Response:
    """The square to scan, the key as text, and the first code."""
    begun = signing_in.begun_authenticator(current_person.id)
    if begun is None:
        return redirect_to("identity.show_security")
    form = CodeForm()
    if form.validate_on_submit():
        codes = signing_in.confirm_authenticator(current_person, form.typed, now=utc_now())
        if codes is not None:
            return page("identity/show_recovery_codes.html", codes=codes)
        form.code.errors = (_("This code does not belong to the key below. Try the next one."),)
    uri = pyotp.TOTP(begun.secret).provisioning_uri(
        name=current_person.email or "Diwan", issuer_name="Diwan"
    )
    square = segno.make(uri, error="m").svg_inline(scale=5, border=3, svgclass="qr")
    secret = begun.secret
    return page(
        "identity/add_authenticator.html",
        form=form,
        square=Markup(square),  # noqa: S704  # made here from a key of ours
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    )


@identity.route("/account/prove", methods=["GET", "POST"])
@access.signed_in(level=1)
def prove_identity() -> Response:
    """A code to the phone in the register of persons proves that the Civil ID is hers."""
    now = utc_now()
    actor = current_actor()
    form = CodeForm()
    if flask.request.method == "POST" and "send" in flask.request.form:
        limits.limit("prove", str(current_person.id), times=5, per=timedelta(hours=1))
        record = registers.look_up(
            "civil.person", person_id=current_person.id, organisation_id=None,
            today=kuwait_date(now), reason="portal.identity.prove", by=actor,
        )  # fmt: skip
        mobile = record.get("mobile") if record else None
        if not mobile or record.get("civil_id") != current_person.civil_id:
            return page("identity/prove_identity.html", form=None, missing=True, sent=False)
        signing_in.send_registered_code(current_person, mobile, now=now)
        return redirect_to("identity.prove_identity", sent="yes")
    if form.validate_on_submit():
        if signing_in.prove_identity(current_person, form.typed, now=now):
            flask.flash(_("Your identity is proven."))
            return redirect_to("identity.show_security")
        form.code.errors = (_("This code is wrong or too old. Have a new one sent."),)
    return page(
        "identity/prove_identity.html",
        form=form,
        missing=False,
        sent="sent" in flask.request.args or form.is_submitted(),
        offers_demo=is_demo(),
    )


@identity.route("/forgotten", methods=["GET", "POST"])
@access.public
def forget_password() -> Response:
    """A link for a new password, to the confirmed mail; the answer is the same for all."""
    form = ForgottenForm()
    if form.validate_on_submit():
        line = limits.network_of(flask.request.remote_addr)
        limits.limit("forgotten", line, times=20, per=WINDOW)
        if limits.count("forgotten.account", form.number, timedelta(hours=1)) < 5:
            limits.note("forgotten.account", form.number)
            signing_in.send_password_link(form.number, now=utc_now())
        return page("identity/password_link_sent.html", offers_demo=is_demo())
    return page("identity/forget_password.html", form=form)


@identity.route("/new-password/<token>", methods=["GET", "POST"])
@access.public
def set_password(token: str) -> Response:
    """A new password by the mailed link."""
    person = signing_in.person_of_link(token)
    if person is None:
        return page("identity/link_is_old.html", status=410)
    form = NewPasswordForm()
    form.about = [person.civil_id or "", *person.name_en.split(), *person.name_ar.split()]
    if form.validate_on_submit():
        signing_in.set_password(person, form.password.data, now=utc_now())
        flask.flash(_("The password is set. Sign in with it."))
        return redirect_to("identity.sign_in")
    return page("identity/set_password.html", form=form)


@identity.route("/account/lost-factors", methods=["GET", "POST"])
@access.signed_in(level=1)
def lose_factors() -> Response:
    """The phone and the recovery codes are gone."""
    form = PortalForm()
    if form.validate_on_submit():
        until = signing_in.lose_authenticator(current_person, now=utc_now())
        return page("identity/factors_are_lost.html", until=until)
    return page("identity/lose_factors.html", form=form)


@identity.route("/not-me/<token>", methods=["GET", "POST"])
@access.public
def object_to_loss(token: str) -> Response:
    """ "This was not me": stop a loss that somebody else reported."""
    form = PortalForm()
    if form.validate_on_submit():
        if not signing_in.object_to_loss(token, now=utc_now()):
            return page("identity/link_is_old.html", status=410)
        return page("identity/loss_is_stopped.html")
    return page("identity/object_to_loss.html", form=form)
