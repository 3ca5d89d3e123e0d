"""Judge an unknown file in a process of its own, with little time and memory.

A crafted file may make a parser run for long; it then ends alone, and the answer is
``unreadable``.
"""

from __future__ import annotations

import hashlib
import pickle
import resource
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from certification import keys
from certification.models import SealedDocument
from certification.queries import Judgement, state_verdict
from certification.rules import Verdict, worst
from certification.verifying import Finding, Trust, judge
from portal.db import db

CPU_SECONDS = 20
MEMORY_BYTES = 768 * 1024 * 1024


def _narrow() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def finding_apart(pdf: bytes, trust: Trust, now: datetime) -> Finding:
    """``verifying.judge`` in a narrow process."""
    unreadable = Finding((Verdict.UNREADABLE,), hashlib.sha256(pdf).digest())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "certification.judging"],
            input=pickle.dumps((pdf, trust, now)),
            capture_output=True,
            timeout=CPU_SECONDS + 10,
            cwd=Path(__file__).parent.parent,
            preexec_fn=_narrow,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return unreadable
    if done.returncode != 0:
        return unreadable
    found = pickle.loads(done.stdout)  # noqa: S301 - written by our own process
    return found if isinstance(found, Finding) else unreadable


def judge_apart(pdf: bytes, now: datetime) -> Judgement:
    """The page's answer for an uploaded file: seal and register, the worse first."""
    finding = finding_apart(pdf, keys.trust(), now)
    document = db.session.scalar(
        select(SealedDocument).where(SealedDocument.sha256 == finding.sha256)
    )
    seal = finding.verdict
    if seal is Verdict.GENUINE_EXACT and document is None:
        seal = Verdict.GENUINE_RESAVED
    state = state_verdict(document, now) if document else None
    return Judgement(
        worst([seal, state] if state else [seal]), seal, state, document, finding.sealed_at
    )


def main() -> None:
    pdf, trust, now = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from our own process
    sys.stdout.buffer.write(pickle.dumps(judge(pdf, trust, now=now)))


if __name__ == "__main__":
    main()
