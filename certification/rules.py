"""What may be said of a paper: named verdicts, the worst first, three colours, plain words."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


class Verdict(enum.StrEnum):
    """In order of gravity; the first that holds is shown first."""

    UNREADABLE = "unreadable"
    UNSIGNED = "unsigned"
    ALTERED = "altered"
    UNKNOWN_SIGNER = "unknown_signer"
    REVOKED_SEAL = "revoked_seal"
    OUTSIDE_VALIDITY = "outside_validity"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    PERMIT_EXPIRED = "permit_expired"
    STATUS_UNKNOWN = "status_unknown"
    GENUINE_TIME_UNPROVEN = "genuine_time_unproven"
    GENUINE_RESAVED = "genuine_resaved"
    GENUINE_EXACT = "genuine_exact"


ORDER = list(Verdict)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The gravest of several findings."""
    return min(verdicts, key=ORDER.index)


def colour(verdict: Verdict) -> str:
    """``good``: genuine · ``warn``: cannot say, or no longer in force · ``bad``: not genuine."""
    if verdict in {Verdict.GENUINE_EXACT, Verdict.GENUINE_RESAVED}:
        return "good"
    if verdict in {
        Verdict.STATUS_UNKNOWN,
        Verdict.GENUINE_TIME_UNPROVEN,
        Verdict.PERMIT_EXPIRED,
        Verdict.SUPERSEDED,
    }:
        return "warn"
    return "bad"


@dataclass(frozen=True)
class Words:
    """How a verdict is told: one sentence, and what to do."""

    sentence: Any
    advice: Any


WORDS = {
    Verdict.UNREADABLE: Words(
        _l("This file cannot be read."), _l("Ask the holder for the original file.")
    ),
    Verdict.UNSIGNED: Words(
        _l("This file carries no seal."),
        _l("A print or a copy proves nothing by itself: verify by its number and code."),
    ),
    Verdict.ALTERED: Words(
        _l("Not genuine: this file was changed after it was sealed."),
        _l("Do not accept it. Ask the holder for the original file."),
    ),
    Verdict.UNKNOWN_SIGNER: Words(
        _l("Not ours: the seal on this file is not a seal of this State."),
        _l("Do not accept it as a paper of the State."),
    ),
    Verdict.REVOKED_SEAL: Words(
        _l("The seal key was withdrawn before this file was sealed."),
        _l("Do not accept it. The agency issues a new paper."),
    ),
    Verdict.OUTSIDE_VALIDITY: Words(
        _l("The seal was made outside the time its certificate is valid."), _l("Do not accept it.")
    ),
    Verdict.WITHDRAWN: Words(
        _l("Withdrawn: the agency took this paper back."),
        _l("It has no effect any more. Ask the holder or the agency."),
    ),
    Verdict.SUPERSEDED: Words(
        _l("Replaced: a newer paper stands in its place."), _l("Ask the holder for the newer one.")
    ),
    Verdict.PERMIT_EXPIRED: Words(
        _l("Genuine, but its time has ended."), _l("Ask whether it was renewed.")
    ),
    Verdict.STATUS_UNKNOWN: Words(
        _l("The seal is sound, but whether the paper is still in force is not known."),
        _l("Verify again when you have a network."),
    ),
    Verdict.GENUINE_TIME_UNPROVEN: Words(
        _l("The seal is sound, but its time is not proven."),
        _l("Verify by number and code as well."),
    ),
    Verdict.GENUINE_RESAVED: Words(
        _l("Genuine. The file was saved again by a program, its content is unchanged."),
        _l("Nothing to do."),
    ),
    Verdict.GENUINE_EXACT: Words(
        _l("Genuine, and exactly the file that was issued."), _l("Nothing to do.")
    ),
}
