"""Services: what the State offers, applied for, decided and issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.frontdoor.public import (
    Figure,
    HomeCard,
    Subject,
    register_duty,
    register_figures,
    register_home_card,
    register_lead,
    register_menu,
    register_search,
    register_subjects,
)

if TYPE_CHECKING:
    from portal import Portal


def _lead() -> str:
    from portal.text.agencies import all_agencies
    from services.catalogue import listed

    return str(
        _(
            "%(services)s services of %(agencies)s agencies in one place. See what is required "
            "and what it costs before you sign in.",
            services=len(listed()),
            agencies=len(all_agencies()),
        )
    )


def _subjects() -> Sequence[Subject]:
    from portal.i18n import both
    from services.catalogue import LIFE_EVENTS, counts_by_event

    return [
        Subject(flask.url_for("services.list_group", kind="event", name=event), both(words), count)
        for event, words in LIFE_EVENTS.items()
        if (count := counts_by_event()[event])
    ]


def _figures() -> Sequence[Figure]:
    from portal.db import utc_now
    from services.queries import week

    found = week(utc_now())
    if not found.decided:
        return []
    share = f"{found.on_time * 100 // found.decided}%"
    return [
        Figure(
            f"{found.decided:,}",
            ngettext("application decided", "applications decided", found.decided),
        ),
        Figure(share, _("decided within five days")),
    ]


def init_app(app: Portal) -> None:
    from services import jobs, subscribers
    from services.cli import services_cli
    from services.lines import item_line
    from services.views import officer, public
    from services.views.citizen import applicant

    app.cli.add_command(services_cli)
    app.jinja_env.globals["item_line"] = item_line
    app.register_blueprint(applicant)
    app.register_blueprint(officer.desk)
    app.logger.debug("services: %s %s %s", jobs.__name__, subscribers.__name__, public.__name__)
    register_duty(
        "services_desk.list_queue",
        _l("Review desk"),
        10,
        roles=frozenset({"officer", "unit_head"}),
    )
    register_menu("services.list_services", _l("Services"), 10)
    register_menu("services.list_applications", _l("My applications"), 20)
    register_search("services.list_services")
    register_lead(_lead)
    register_subjects(_subjects)
    register_figures(_figures)
    for code, title, text, symbol, order in (
        (
            "PAM-900",
            _l("Statement of status"),
            _l("Issued at once, sealed, verifiable"),
            "stamp",
            10,
        ),
        (
            "PAM-001",
            _l("Work permit for a new worker"),
            _l("For employers, within the approved need"),
            "briefcase",
            20,
        ),
        (
            "PAM-005",
            _l("Renew a work permit"),
            _l("See old and new side by side before you pay"),
            "refresh-cw",
            30,
        ),
        (
            "MOSA-001",
            _l("Family assistance"),
            _l("Worked out before your eyes, decided by two"),
            "hand-heart",
            40,
        ),
    ):
        register_home_card(
            HomeCard("services.show_service", title, text, symbol, order, (("code", code),))
        )
