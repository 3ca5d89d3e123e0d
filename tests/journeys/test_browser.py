"""Real Chromium: no accessibility faults, no CSP complaint, nothing wider than the phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from portal import Portal
from portal.operating import load_demo

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = ("", "services/", "services/PAM-900", "services/PAM-900/entitled", "verify", "ui",
         "demo/sign-in", "sign-in", "sign-up", "forgotten", "demo/outbox", "pages/privacy", "pages/contact", "services/by/event/work",
         "services/?q=اقامه", "no-such-page")  # fmt: skip
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = Path("/usr/bin/chromium")
    if not path.exists():
        raise RuntimeError("Chromium is missing: install the Debian package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def address(app: Portal) -> Iterator[str]:
    with app.app_context():
        load_demo()
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_public_pages_are_accessible(chromium: Browser, address: str, lang: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page = context.new_page()
    for path in PAGES:
        page.goto(f"{address}/{lang}/{path}")
        found = Axe().run(page, options=AXE).response["violations"]
        assert not found, (path, [(v["id"], v["nodes"][0]["html"][:200]) for v in found])
    context.close()


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_nothing_is_wider_than_a_small_phone(chromium: Browser, address: str, lang: str) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url} {message.text}"))
    for path in PAGES[:-1]:
        page.goto(f"{address}/{lang}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    assert said == []
    context.close()


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_the_first_visit_of_the_home_page_is_small(
    chromium: Browser, address: str, lang: str
) -> None:
    """All that a first visit brings over the line, letters included: at most 80 kB."""
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    line = context.new_cdp_session(page)
    came: list[int] = []
    line.send("Network.enable")
    line.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
    page.goto(f"{address}/{lang}/", wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    assert len(came) >= 4
    assert sum(came) <= 80_000, came
    context.close()
