"""Take a file in: judged by its content, never by its name."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import undefer

from portal import audit
from portal.actor import Actor
from portal.db import db
from portal.errors import DomainError, Forbidden
from portal.files.models import StoredFile
from portal.text import clean_typed

MEDIA = {"pdf": "application/pdf", "jpeg": "image/jpeg", "png": "image/png"}


class BadFile(DomainError):
    """The file cannot be taken; the message says what to send instead."""

    status = 422


def type_of(content: bytes) -> str | None:
    """``pdf``, ``jpeg`` or ``png`` by the first and last bytes; None for anything else."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return "pdf"
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content[-64:]:
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in content[-64:]:
        return "png"
    return None


def keep(
    content: bytes,
    *,
    name: str,
    kind: str,
    types: Collection[str],
    max_bytes: int,
    by: Actor,
    now: datetime,
) -> StoredFile:
    """Keep the file for its owner, in the caller's transaction; the same one twice is one.

    Errors: BadFile (empty, too large, another type than allowed), Forbidden.
    """
    if by.person_id is None:
        raise Forbidden
    if not content:
        raise BadFile(_("Choose a file."))
    if len(content) > max_bytes:
        raise BadFile(_("The file is too large: at most %(mb)s MB.", mb=max_bytes // 1_000_000))
    found = type_of(content)
    if found is None or found not in types:
        raise BadFile(
            _("This kind of file is not accepted. The kinds accepted stand above the field.")
        )
    digest = hashlib.sha256(content).digest()
    known = db.session.scalar(
        select(StoredFile).where(
            StoredFile.owner_id == by.person_id,
            StoredFile.organisation_id.is_(by.on_behalf_of)
            if by.on_behalf_of is None
            else StoredFile.organisation_id == by.on_behalf_of,
            StoredFile.kind == kind,
            StoredFile.sha256 == digest,
        )
    )
    if known is not None:
        return known
    stored = StoredFile(
        id=uuid4(),
        owner_id=by.person_id,
        organisation_id=by.on_behalf_of,
        kind=kind,
        name=clean_typed(name).replace("/", "_").replace("\\", "_")[-120:] or "file",
        media_type=MEDIA[found],
        size=len(content),
        sha256=digest,
        content=content,
        stored_at=now,
    )
    db.session.add(stored)
    db.session.flush()
    audit.record(
        "portal.file.stored", on=f"portal.file:{stored.id}", by=by, now=now, about=by.person_id
    )
    return stored


def earlier(by: Actor, kinds: Collection[str]) -> Sequence[StoredFile]:
    """Papers of these types given before, newest first."""
    query = select(StoredFile).where(
        StoredFile.owner_id == by.person_id, StoredFile.kind.in_(kinds)
    )
    if by.on_behalf_of is None:
        query = query.where(StoredFile.organisation_id.is_(None))
    else:
        query = query.where(
            or_(StoredFile.organisation_id == by.on_behalf_of, StoredFile.organisation_id.is_(None))
        )
    return db.session.scalars(query.order_by(StoredFile.stored_at.desc()).limit(100)).all()


def files_by_id(ids: Collection[UUID]) -> dict[UUID, StoredFile]:
    """Name, type and size of files, without their content."""
    rows = db.session.scalars(select(StoredFile).where(StoredFile.id.in_(ids)))
    return {row.id: row for row in rows}


def with_content(file_id: UUID) -> StoredFile | None:
    return db.session.scalar(
        select(StoredFile).options(undefer(StoredFile.content)).where(StoredFile.id == file_id)
    )
