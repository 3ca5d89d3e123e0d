"""Papers people hand in: kept whole, shown to who decides, offered again when asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    from portal.files import models

    app.logger.debug("files: %s", models.StoredFile.__tablename__)
