"""participation"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    """Nothing to add yet."""
