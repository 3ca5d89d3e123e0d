"""A change of language in the middle of a form loses nothing and decides nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from sqlalchemy import func, select

from portal import Portal
from portal.db import db
from portal.identity import demo
from portal.operating import load_demo
from services.models import Draft
from tests.conftest import sign_in
from tests.journeys.test_browser import address, chromium  # noqa: F401  # fixtures
from tests.page_check import CheckingClient

ASKED = "services/PAM-900/apply/purpose"


def test_what_was_typed_stays_without_javascript(app: Portal, browser: CheckingClient) -> None:
    with app.app_context():
        load_demo()
    sign_in(browser, demo.person_id("rajesh"))
    first = browser.get(f"/ar/{ASKED}")
    assert f'formaction="/en/{ASKED}"' in first.get_data(as_text=True)
    switched = browser.post(
        f"/en/{ASKED}",
        data={"purpose": "bank", "addressed_to": "بنك الخليج", "switch_language": "en"},
    )
    html = switched.get_data(as_text=True)
    assert switched.status_code == 200
    assert "بنك الخليج" in html
    assert 'id="errors"' not in html
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Draft)) == 0


@pytest.mark.browser
def test_the_header_link_keeps_it_too(chromium: Browser, address: str) -> None:  # noqa: F811
    page = chromium.new_context().new_page()
    page.goto(f"{address}/ar/services/MOSA-001/entitled")
    field = page.locator("main input[type=radio]").nth(1)
    ident = field.get_attribute("id")
    field.check()
    page.locator(".lang").click()
    page.wait_for_url("**/en/**")
    assert page.locator(f"#{ident}").is_checked()
    page.context.close()
