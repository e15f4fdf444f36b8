"""A person at the panel: Debian's chromium without a screen, which reaches loopback only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from shop import until

OPTIONS = (
    "--headless",
    "--no-sandbox",  # which root cannot have
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1280,1600",
)
OFFLINE = {"SE_OFFLINE": "true", "SE_AVOID_STATS": "true", "no_proxy": "127.0.0.1,localhost"}
PAGE_SECONDS = 60

MISSING = "chromium or chromedriver is missing"
HOW_TO_INSTALL = "sudo apt-get install chromium chromium-driver, then make test-real"


def require_programs() -> tuple[str, str]:
    """Return the paths of the browser and its driver.

    Without them the test is skipped with one line for all such tests, but fails where CI is set.
    """
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if found[0] and found[1]:
        return found[0], found[1]
    if os.environ.get("CI", "") not in ("", "0", "false"):
        pytest.fail(f"{MISSING}, and CI never skips the browser tests")
    pytest.skip(f"{MISSING}. To run the browser tests: {HOW_TO_INSTALL}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give all tests that lack the browser one place, so that they are one line at the end."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and MISSING in report.longrepr[2]:
        report.longrepr = ("browser tests", None, report.longrepr[2])
    return report


@contextmanager
def chromium(panel: str, folder: Path) -> Iterator[Browser]:
    """With a fresh profile; screenshots go to ``folder``."""
    program, driver_program = require_programs()
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for option in OPTIONS:
        options.add_argument(option)
    with patch.dict(os.environ, OFFLINE), TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = webdriver.Chrome(options, Service(driver_program))
        driver.set_page_load_timeout(PAGE_SECONDS)
        try:
            yield Browser(driver, panel, folder)
        finally:
            driver.quit()


class Browser:
    """What is on a page is asked in one piece of script: a page may change at any moment."""

    def __init__(self, driver: webdriver.Chrome, panel: str, folder: Path) -> None:
        self._driver, self._panel, self._folder = driver, panel, folder

    @property
    def path(self) -> str:
        return self._driver.current_url.removeprefix(self._panel)

    def open(self, path: str) -> None:
        self._driver.get(f"{self._panel}{path}")

    def shoot(self, name: str) -> None:
        self._driver.save_screenshot(str(self._folder / f"{name}.png"))

    # --- looking -------------------------------------------------------------------------------

    def texts(self, css: str) -> list[str]:
        """Of all that is there and not hidden."""
        seen = "filter(e => e.checkVisibility()).map(e => e.innerText.trim())"
        return list(self._run(f"return [...document.querySelectorAll(arguments[0])].{seen}", css))

    def text(self, css: str) -> str:
        return "\n".join(self.texts(css))

    def wait(self, css: str, words: str) -> str:
        """The text once the words are in it."""
        return until(lambda: found if words in (found := self.text(css)) else "", f"{css}: {words}")

    def fields(self, attribute: str) -> dict[str, str]:
        """A property of each field that can be seen, by its name."""
        seen = "filter(e => e.name && e.checkVisibility()).map(e => [e.name, e[arguments[0]]])"
        return dict(self._run(f"return [...document.forms[0].elements].{seen}", attribute))

    def refused(self) -> list[str]:
        """The fields that this browser does not send as they are."""
        wrong = "[...document.querySelectorAll('input:invalid')].map(e => e.name)"
        return list(self._run(f"return {wrong}"))

    def beside(self, field: str) -> str:
        """The error that stands at a field."""
        return str(
            self._run(
                "const field = document.getElementsByName(arguments[0])[0].closest('.field');"
                "return field.querySelector('.error')?.innerText ?? ''",
                field,
            )
        )

    def style(self, css: str, name: str) -> str:
        script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        return str(self._run(script, css, name))

    def events(self, words: str) -> str:
        """The raw events on a job's page, once the words are among them."""

        def look() -> str:
            self.click('[data-ui="#page-event"]')  # again, should the page not have been alive yet
            found = self.text("#event")
            return found if words in found else ""

        return until(look, f"#event: {words}")

    def count(self, css: str) -> int:
        return int(self._run("return document.querySelectorAll(arguments[0]).length", css))

    def value(self, expression: str) -> Any:
        return self._run(f"return {expression}")

    def complaints(self) -> list[str]:
        """What the console tells of errors and of the page's policy since the last call."""
        told = self._driver.get_log("browser")
        return [
            f"{each['level']} {each['message']}"
            for each in told
            if each["level"] == "SEVERE" or "Content Security" in each["message"]
        ]

    # --- doing ---------------------------------------------------------------------------------

    def fill(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            field = self._driver.find_element(By.NAME, name)
            field.clear()
            field.send_keys(value)

    def insert(self, markup: str) -> None:
        """Let markup become part of the page, as ``innerHTML`` does."""
        self._run("document.body.insertAdjacentHTML('beforeend', arguments[0])", markup)

    def click(self, css: str) -> None:
        self._driver.find_element(By.CSS_SELECTOR, css).click()

    def follow(self, css: str) -> None:
        """Click what leads to another page, and be there."""
        self._run("window.left = true")
        self.click(css)
        until(lambda: not self._run("return window.left"), f"{css} leads to a page")

    def send(self, *, unchecked: bool = False) -> None:
        """``unchecked``: as from a browser that knows nothing of our fields' rules."""
        if unchecked:
            self._run("document.forms[0].noValidate = true")
        self.follow("form button")

    def _run(self, script: str, *arguments: Any) -> Any:
        return self._driver.execute_script(script, *arguments)
