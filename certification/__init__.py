"""Safe dealing: seals papers, and tells anyone whether a paper is genuine and in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.frontdoor.public import HomeCard, register_home_card, register_menu

if TYPE_CHECKING:
    from portal import Portal


def init_app(app: Portal) -> None:
    from certification import cli, jobs, views

    app.register_blueprint(views.certification)
    app.cli.add_command(cli.cli)
    jobs.register()
    register_home_card(
        HomeCard(
            "certification.verify",
            _l("Verify a paper"),
            _l("By its number and code, or by its file"),
            "shield-check",
            40,
        )
    )
    register_menu("certification.verify", _l("Verify"), 40)
