"""Published definitions by version: read once, kept while the process lives."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import select

from portal.db import db
from services.definition import Definition
from services.loading import body_of, from_body, sha256, shipped
from services.models import ServiceVersion

_known: dict[UUID, Definition] = {}


def definition_of(version_id: UUID) -> Definition:
    """The definition an application or draft is pinned to."""
    if version_id not in _known:
        version = db.session.get_one(ServiceVersion, version_id)
        _known[version_id] = from_body(version.body)
    return _known[version_id]


@cache
def _digest(service: str) -> str:
    return sha256(body_of(shipped()[service]))


def current_version(service: str, now: datetime) -> ServiceVersion:
    """The version new drafts begin with; published when it is seen for the first time."""
    digest = _digest(service)
    found = db.session.scalar(
        select(ServiceVersion).where(
            ServiceVersion.service == service, ServiceVersion.sha256 == digest
        )
    )
    if found is None:
        found = ServiceVersion(
            service=service, sha256=digest, body=body_of(shipped()[service]), published_at=now
        )
        db.session.add(found)
        db.session.flush()
    return found
