"""Labour: what permits do to the employer's approved need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    from sectors.labour.need import NeedAfterPermits

    app.extensions["registers"] = NeedAfterPermits(app.extensions["registers"])
