"""Sign up, sign in, second factor, and the way back when something is lost."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import flask
import pyotp
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import delete, func, select, update

from portal import audit, vault
from portal.actor import Actor
from portal.db import db, keep_anyway
from portal.identity import messages, operations, passwords, sessions
from portal.identity.credentials import (
    Authenticator,
    OneTimeCode,
    Purpose,
    RecoveryCode,
    SignUp,
)
from portal.identity.models import Person, SessionRow
from portal.text.civil_id import born_on

SIGN_UP_LIVES = timedelta(minutes=30)
CODE_LIVES = timedelta(minutes=10)
LINK_LIVES = 30 * 60
TRIES = 5
#: After a loss the account stays at level 1 this long, so that its owner can object.
HELD = timedelta(hours=72)
STEP = 30


@dataclass(frozen=True)
class Asked:
    """What somebody signing up tells of herself."""

    civil_id: str
    name_ar: str
    name_en: str
    email: str
    mobile: str
    password_hash: str


def _hash(ident: UUID, code: str) -> bytes:
    return vault.index(f"{ident}:{code}")


def _digits() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def person_of(civil_id: str) -> Person | None:
    return db.session.scalar(select(Person).where(Person.civil_id_index == vault.index(civil_id)))


def ask_for_account(asked: Asked, *, language: str, now: datetime) -> SignUp:
    """Send a code to the e-mail given. A number that has an account already answers alike."""
    ident, code = uuid4(), _digits()
    known = person_of(asked.civil_id)
    row = SignUp(
        id=ident,
        sealed=vault.seal(json.dumps(asdict(asked)), f"sign_ups.sealed:{ident}"),
        code_hash=_hash(ident, code),
        dead=known is not None,
        ends_at=now + SIGN_UP_LIVES,
    )
    db.session.add(row)
    if known is None:
        messages.confirm_email(asked.email, code, language=language, now=now)
    else:
        messages.account_exists(known, now=now)
    db.session.flush()
    return row


def _right(row: SignUp | OneTimeCode, code: str, now: datetime) -> bool:
    """Whether the code opens the row; a wrong try is counted whatever becomes of the request."""
    if row.used_at is not None or row.ends_at < now or row.tries >= TRIES:
        return False
    if hmac.compare_digest(row.code_hash, _hash(row.id, code)):
        return True
    kind, ident = type(row), row.id
    keep_anyway(
        lambda: db.session.execute(
            update(kind).where(kind.id == ident).values(tries=kind.tries + 1)
        )
    )
    return False


def confirm_account(row: SignUp, code: str, *, language: str, now: datetime) -> Person | None:
    """Make the account and enter it at level 1; None when the code does not open it."""
    if not _right(row, code, now) or row.dead:
        return None
    asked = Asked(**json.loads(vault.unseal(row.sealed, f"sign_ups.sealed:{row.id}")))
    if person_of(asked.civil_id) is not None:
        return None
    row.used_at = now
    person = Person(
        id=uuid4(),
        name_ar=asked.name_ar,
        name_en=asked.name_en,
        born_on=born_on(asked.civil_id),
        email=asked.email,
        email_confirmed_at=now,
        mobile=asked.mobile,
        password_hash=asked.password_hash,
        proven_level=1,
        language=language,
        created_at=now,
    )
    person.civil_id = asked.civil_id
    db.session.add(person)
    db.session.flush()
    audit.record(
        "portal.identity.signed_up", on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=1), now=now, about=person.id,
    )  # fmt: skip
    operations.enter(person, level=1, factor="password", now=now)
    return person


def reach(person: Person, level: int, now: datetime) -> int:
    """The level a session of hers may have: no more than was proven, 1 while a loss is new."""
    if person.proof_held_until is not None and person.proof_held_until > now:
        return 1
    return min(level, person.proven_level)


def sign_in(civil_id: str, password: str, *, now: datetime) -> Person | None:
    """Enter with number and password, at level 1; None, as slowly, when they do not fit."""
    person = person_of(civil_id)
    if not passwords.fits(person.password_hash if person else None, password) or person is None:
        return None
    operations.enter(person, level=1, factor="password", now=now)
    return person


def authenticator_of(person_id: UUID) -> Authenticator | None:
    """The TOTP app in use."""
    return db.session.scalar(
        select(Authenticator).where(
            Authenticator.person_id == person_id,
            Authenticator.confirmed_at.is_not(None),
            Authenticator.removed_at.is_(None),
        )
    )


def begun_authenticator(person_id: UUID) -> Authenticator | None:
    """The TOTP app being set up."""
    return db.session.scalar(
        select(Authenticator)
        .where(
            Authenticator.person_id == person_id,
            Authenticator.confirmed_at.is_(None),
            Authenticator.removed_at.is_(None),
        )
        .order_by(Authenticator.created_at.desc())
        .limit(1)
    )


def begin_authenticator(person_id: UUID, *, now: datetime) -> None:
    """A new secret for an app; one being set up before is thrown away."""
    db.session.execute(
        delete(Authenticator).where(
            Authenticator.person_id == person_id, Authenticator.confirmed_at.is_(None)
        )
    )
    ident = uuid4()
    db.session.add(
        Authenticator(
            id=ident,
            person_id=person_id,
            sealed_secret=vault.seal(pyotp.random_base32(), f"authenticators.secret:{ident}"),
            created_at=now,
        )
    )


def _step(app: Authenticator, code: str, now: datetime) -> int | None:
    """The 30 s step whose code this is (one early or late allowed), if it was not used yet."""
    totp = pyotp.TOTP(app.secret)
    newest = int(now.timestamp()) // STEP
    for step in (newest - 1, newest, newest + 1):
        if step > app.last_step and hmac.compare_digest(totp.at(step * STEP), code):
            return step
    return None


def confirm_authenticator(person: Person, code: str, *, now: datetime) -> list[str] | None:
    """Take the app into use; answers ten recovery codes, told this once. None: a wrong code."""
    app = begun_authenticator(person.id)
    step = _step(app, code, now) if app else None
    if app is None or step is None:
        return None
    db.session.execute(
        update(Authenticator)
        .where(Authenticator.person_id == person.id, Authenticator.confirmed_at.is_not(None))
        .values(removed_at=now)
    )
    app.confirmed_at, app.last_step = now, step
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [secrets.token_hex(5) for _each in range(10)]
    db.session.add_all(
        RecoveryCode(person_id=person.id, code_hash=_hash(person.id, code)) for code in codes
    )
    audit.record(
        "portal.identity.factor_added", on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=1), now=now, about=person.id, data={"kind": "totp"},
    )  # fmt: skip
    messages.factor_added(person, now=now)
    operations.enter(person, level=reach(person, 2, now), factor="totp", now=now)
    return codes


def second_factor(person: Person, code: str, *, now: datetime) -> bool:
    """Raise the session to level 2 by a code of the app, or by a recovery code."""
    app = authenticator_of(person.id)
    if app is None:
        return False
    if (step := _step(app, code, now)) is not None:
        taken = db.session.execute(
            update(Authenticator)
            .where(Authenticator.id == app.id, Authenticator.last_step < step)
            .values(last_step=step)
        )
        if taken.rowcount == 1:  # type: ignore[attr-defined]
            operations.enter(person, level=reach(person, 2, now), factor="totp", now=now)
            return True
    used = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person.id,
            RecoveryCode.code_hash == _hash(person.id, code.lower().replace("-", "")),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        return False
    messages.recovery_code_used(person, left=codes_left(person.id), now=now)
    operations.enter(person, level=reach(person, 2, now), factor="recovery_code", now=now)
    return True


def codes_left(person_id: UUID) -> int:
    """Recovery codes not used yet."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
        )
        or 0
    )


def send_registered_code(person: Person, mobile: str, *, now: datetime) -> None:
    """A code to the phone that the register of persons knows, to prove who she is."""
    ident, code = uuid4(), _digits()
    db.session.add(
        OneTimeCode(
            id=ident,
            person_id=person.id,
            purpose=Purpose.REGISTERED_PHONE,
            code_hash=_hash(ident, code),
            ends_at=now + CODE_LIVES,
        )
    )
    messages.registered_code(person, mobile, code, now=now)


def prove_identity(person: Person, code: str, *, now: datetime) -> bool:
    """The code came back from the registered phone: the Civil ID is hers (level 2)."""
    row = db.session.scalar(
        select(OneTimeCode)
        .where(OneTimeCode.person_id == person.id, OneTimeCode.purpose == Purpose.REGISTERED_PHONE)
        .order_by(OneTimeCode.ends_at.desc())
        .limit(1)
    )
    if row is None or not _right(row, code, now):
        return False
    row.used_at = now
    person.proven_level = max(person.proven_level, 2)
    person.mobile_confirmed_at = now
    audit.record(
        "portal.identity.proven", on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=1), now=now, about=person.id, data={"level": 2},
    )  # fmt: skip
    return True


def _links() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(flask.current_app.config["SECRET_KEY"], salt="new-password")


def _mark(person: Person) -> str:
    """Changes with the password, so that a link opens once."""
    return vault.index(f"{person.id}:{person.password_hash}").hex()[:16]


def send_password_link(civil_id: str, *, now: datetime) -> None:
    """A link to the confirmed e-mail of that account; nothing happens where there is none."""
    person = person_of(civil_id)
    if person is None or not person.email or person.email_confirmed_at is None:
        return
    token = _links().dumps([str(person.id), _mark(person)])
    messages.password_link(person, token, now=now)


def person_of_link(token: str) -> Person | None:
    """Whose password the link may set; None when it is old, used or forged."""
    try:
        ident, mark = _links().loads(token, max_age=LINK_LIVES)
    except (BadSignature, ValueError):
        return None
    person = db.session.get(Person, UUID(ident))
    return person if person is not None and hmac.compare_digest(_mark(person), mark) else None


def _leave_everywhere(person_id: UUID, now: datetime) -> None:
    db.session.execute(
        update(SessionRow)
        .where(SessionRow.person_id == person_id, SessionRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def set_password(person: Person, password: str, *, now: datetime) -> None:
    """A new password by the mailed link: every session ends, every known channel is told."""
    person.password_hash = passwords.make(password)
    _leave_everywhere(person.id, now)
    audit.record(
        "portal.identity.password_set", on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=1), now=now, about=person.id,
    )  # fmt: skip
    messages.password_changed(person, now=now)


def lose_authenticator(person: Person, *, now: datetime) -> datetime:
    """The phone and the codes are gone: no app, level 1 for 72 hours, every channel is told."""
    db.session.execute(
        update(Authenticator)
        .where(Authenticator.person_id == person.id, Authenticator.removed_at.is_(None))
        .values(removed_at=now)
    )
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    person.proof_held_until = now + HELD
    _leave_everywhere(person.id, now)
    audit.record(
        "portal.identity.factors_lost", on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=1), now=now, about=person.id,
    )  # fmt: skip
    token = URLSafeTimedSerializer(flask.current_app.config["SECRET_KEY"], salt="not-me").dumps(
        str(person.id)
    )
    messages.factors_lost(person, token, until=person.proof_held_until, now=now)
    sessions.sign_out(now)
    return person.proof_held_until


def object_to_loss(token: str, *, now: datetime) -> bool:
    """ "This was not me": every session ends and the password is void until a new one is set."""
    try:
        ident = URLSafeTimedSerializer(flask.current_app.config["SECRET_KEY"], salt="not-me").loads(
            token, max_age=int(HELD.total_seconds())
        )
    except BadSignature:
        return False
    person = db.session.get(Person, UUID(ident))
    if person is None:
        return False
    person.password_hash = None
    person.proof_held_until = now + HELD
    _leave_everywhere(person.id, now)
    audit.record(
        "portal.identity.loss_denied", on=f"portal.person:{person.id}",
        by=Actor(person_id=person.id, level=1), now=now, about=person.id,
    )  # fmt: skip
    return True
