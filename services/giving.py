"""Papers of a draft: which are asked for, which were given, which of earlier ones fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.actor import Actor
from portal.db import db
from portal.errors import NotFound
from portal.files import operations as files
from portal.files.models import StoredFile
from services.models import Draft
from services.rules import Assessment, NeededPaper


@dataclass(frozen=True)
class Asked:
    """One paper asked for, what was given for it, and what was given before."""

    paper: NeededPaper
    given: StoredFile | None
    earlier: tuple[StoredFile, ...]


def asked_papers(assessed: Assessment, documents: Mapping[str, Any], by: Actor) -> list[Asked]:
    """The papers of this file, in the definition's order."""
    ids = {UUID(value) for value in documents.values()}
    known = files.files_by_id(ids) if ids else {}
    kinds = {paper.document.document_type for paper in assessed.papers}
    before = files.earlier(by, kinds) if kinds else ()
    found = []
    for paper in assessed.papers:
        given = documents.get(paper.key)
        fitting = tuple(
            file
            for file in before
            if paper.document.reusable and file.kind == paper.document.document_type
        )
        found.append(Asked(paper, known.get(UUID(given)) if given else None, fitting))
    return found


def missing_papers(assessed: Assessment, documents: Mapping[str, Any]) -> list[str]:
    """Keys of required papers that were not given."""
    return [paper.key for paper in assessed.papers if paper.required and paper.key not in documents]


def _paper(assessed: Assessment, key: str) -> NeededPaper:
    found = next((paper for paper in assessed.papers if paper.key == key), None)
    if found is None:
        raise NotFound
    return found


def give(
    draft: Draft,
    assessed: Assessment,
    key: str,
    content: bytes,
    *,
    name: str,
    by: Actor,
    now: datetime,
) -> None:
    """Add a paper to the draft. Errors: BadFile, NotFound."""
    document = _paper(assessed, key).document
    stored = files.keep(
        content, name=name, kind=document.document_type, types=document.types,
        max_bytes=document.max_bytes, by=by, now=now,
    )  # fmt: skip
    draft.documents = {**draft.documents, key: str(stored.id)}
    draft.saved_at = now
    db.session.flush()


def give_again(
    draft: Draft, assessed: Assessment, key: str, file_id: UUID, *, by: Actor, now: datetime
) -> None:
    """Use a paper given earlier. Errors: NotFound for one that does not fit."""
    document = _paper(assessed, key).document
    fitting = {file.id for file in files.earlier(by, {document.document_type})}
    if not document.reusable or file_id not in fitting:
        raise NotFound
    draft.documents = {**draft.documents, key: str(file_id)}
    draft.saved_at = now
    db.session.flush()


def take_back(draft: Draft, key: str, *, now: datetime) -> None:
    """Remove a paper from the draft; it stays among the person's papers."""
    draft.documents = {name: value for name, value in draft.documents.items() if name != key}
    draft.saved_at = now
    db.session.flush()
