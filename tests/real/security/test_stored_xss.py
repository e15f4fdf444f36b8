"""Markup of buyers and authors on the panel's pages, in a real browser: nothing of it acts.

One job for each way in which texts reach a page, and in each of them all attacks.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from browser import Browser, chromium
from markup_attacks import ALL, ATTACKS
from shop import Hired, Panel, Shop, until

from masumi_sumi.cli.panel import HEADER, login
from masumi_sumi.cli.stack import Stack
from masumi_sumi.runtime.operators import BUYERS_ROLE

pytestmark = pytest.mark.timeout(400)

ENDS = ("html", "markdown", "text", "dict")
FORBIDDEN = (
    "iframe, object, embed, base, meta[http-equiv=refresh], math, form form, form[action*=evil],"
    " link[href*=evil], [formaction], [name=approved], main style, main script, #timeline script,"
    " main svg animate, video, a[href^=javascript], a[href^=data], img[src='/logout'], img[src=x]"
)
HANDLERS = """[...document.querySelectorAll('*')].filter(
    e => [...e.attributes].some(a => a.name.startsWith('on'))).map(e => e.outerHTML)"""
SHOWN = "<img src=x onerror="
"""How the first attack looks where a text is shown as the text that it is."""


@dataclass(frozen=True)
class Jobs:
    """Of strangers."""

    unpaid: Hired
    ended: dict[str, Hired]
    failed: Hired
    asking: Hired

    @property
    def all(self) -> list[Hired]:
        return [self.unpaid, *self.written]

    @property
    def written(self) -> list[Hired]:
        """Those that have an execution: an unpaid job has none yet."""
        return [*self.ended.values(), self.failed, self.asking]


@pytest.fixture(scope="module")
def hostile(stack: Stack) -> Shop:
    stack.deploy(["tests.real.security.hostile:fast_app"])
    return Shop(stack, "hostile")


@pytest.fixture(scope="module")
def jobs(hostile: Shop, shop: Shop) -> Jobs:
    unpaid = hostile.hire("/paid", word=ALL)
    made = {end: hostile.hire("/say", word=ALL, end=end) for end in (*ENDS, "error", "lock")}
    for end in ENDS:
        hostile.wait(made[end], "completed")
    hostile.wait(made["error"], "failed")
    hostile.wait(made["lock"], "awaiting_input")
    return Jobs(unpaid, {end: made[end] for end in ENDS}, made["error"], made["lock"])


@dataclass(frozen=True)
class User:
    """A role of the panel that is no operator."""

    name: str
    id: str
    http: httpx.Client


@pytest.fixture(scope="module")
def user(stack: Stack, panel: Panel) -> User:
    """Her name is an attack as well."""
    url = stack.urls["panel"]
    name, password = f"Eve {ATTACKS[0]} {secrets.token_hex(4)}", secrets.token_hex(16)
    email = f"{secrets.token_hex(4)}@example.com"
    facts = {"name": name, "email": email, "password": password}
    made = panel.http.post("/role/", json=facts)
    assert made.status_code == 201, made.text
    headers = {HEADER: login(url, name, password)}
    http = httpx.Client(base_url=url, headers=headers, timeout=60.0, trust_env=False)
    return User(name, str(made.json()["id"]), http)


@pytest.fixture(scope="module")
def browser(
    stack: Stack, jobs: Jobs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """An operator, logged in."""
    with chromium(stack.urls["panel"], tmp_path_factory.mktemp("xss")) as browser:
        name, password = stack.panel_login
        browser.open("/")
        browser.fill({"name": name, "password": password})
        browser.send()
        assert_inert(browser)
        yield browser


def assert_inert(browser: Browser) -> None:
    """Nothing ran, nothing is there that could act, and the policy had nothing to stop."""
    assert browser.value("document.documentElement.dataset.ran ?? null") is None
    assert browser.value(HANDLERS) == []
    assert browser.count(FORBIDDEN) == 0
    assert [told for told in browser.complaints() if "favicon" not in told] == []


def open_stdio(browser: Browser) -> str:
    """Return what the tab of printed lines shows; the page may not heed the first click yet."""

    def click_and_read() -> str:
        browser.click('[data-ui="#page-stdio"]')
        shown = browser.text("#stdio")
        return shown if shown.count(SHOWN) > 1 else ""

    return until(click_and_read, "the tab of printed lines")


def flow_url(panel: Panel, ending: str) -> str:
    listed = panel.http.get("/flow", params={"pp": 500, "q": "Hostile"}).json()["items"]
    return str(next(flow["url"] for flow in listed if flow["url"].endswith(ending)))


# --- each page ------------------------------------------------------------------------------------


def test_input_in_the_timeline_is_text(browser: Browser, jobs: Jobs) -> None:
    browser.open("/admin/timeline/view")

    listed = browser.wait(f"li[name='{jobs.failed.id}'] .inputs", SHOWN)

    assert "onfocus" in listed
    assert "Hostile <img" in browser.wait(f"li[name='{jobs.failed.id}'] .summary", SHOWN)
    browser.wait("#end-of-file", "item")
    assert browser.count(f"li[name='{jobs.unpaid.id}']") == 0  # nobody has paid for it
    assert_inert(browser)


def test_an_unpaid_job_on_its_status_page_does_nothing(browser: Browser, jobs: Jobs) -> None:
    browser.open(f"/admin/status/view/{jobs.unpaid.id}")

    browser.wait("#status-grid .status", "payment")

    assert browser.text("h3 .summary") == "Hostile and paid"
    assert browser.count("#inputs img, main svg") == 0
    assert_inert(browser)


def test_the_timeline_still_searches_selects_and_changes_its_theme(browser: Browser) -> None:
    browser.open("/admin/timeline/view")
    browser.wait("#end-of-file", "item")
    browser.fill({"search": "no such job at all"})
    browser.wait("#end-of-file", "(0 item)")
    browser.click("#close-icon")
    browser.wait("#timeline", "Hostile")
    theme = browser.value("document.body.className")
    browser.click("#mode")
    assert browser.value("document.body.className") != theme
    assert_inert(browser)


@pytest.mark.parametrize("end", ENDS)
def test_a_result_on_its_status_page_does_nothing(browser: Browser, jobs: Jobs, end: str) -> None:
    browser.open(f"/admin/status/view/{jobs.ended[end].id}")
    browser.wait("#status-grid .status", "finished")
    browser.wait("#final", "End")
    assert "Hostile <img" in browser.text("h3 .summary")
    if end in ("text", "dict"):
        assert SHOWN in browser.text("#final")
    output = browser.wait("#output", "Text")
    assert SHOWN in output[output.index("Text") :]

    assert open_stdio(browser).count(SHOWN) > 1  # what was printed, and debug
    assert SHOWN in browser.text("#page-stdio .inputs")
    assert SHOWN in browser.events("finished")
    assert_inert(browser)


@pytest.mark.parametrize("end", ENDS)
def test_a_result_as_a_document_does_nothing(browser: Browser, jobs: Jobs, end: str) -> None:
    browser.open(f"/outputs/html/{jobs.ended[end].id}")

    page = browser.wait("main", "ABOUT THIS DOCUMENT")

    assert f"Author {SHOWN}" in page
    assert browser.text("#runtime").startswith("00:")
    assert_inert(browser)


def test_markup_that_is_harmless_is_still_shown_as_markup(browser: Browser, jobs: Jobs) -> None:
    browser.open(f"/admin/status/view/{jobs.ended['html'].id}")
    browser.wait("#output", "HTML")

    assert "HTML" in browser.texts("#output h4")


def test_an_error_is_text(browser: Browser, jobs: Jobs) -> None:
    browser.open(f"/admin/status/view/{jobs.failed.id}")
    browser.wait("#status-grid .status", "error")
    assert f"Error {SHOWN}" in browser.wait("#final", SHOWN)
    assert_inert(browser)
    browser.open(f"/outputs/html/{jobs.failed.id}")
    browser.wait("main", "ABOUT THIS DOCUMENT")
    assert_inert(browser)


def test_a_question_and_its_form_do_nothing(browser: Browser, jobs: Jobs) -> None:
    browser.open(f"/admin/status/view/{jobs.asking.id}")
    browser.wait("#awaiting", "awaiting input")
    assert_inert(browser)

    browser.follow("#awaiting a")

    assert_form_is_inert(browser)
    assert "Review" in browser.texts("form h4")


def test_an_authors_form_and_its_errors_do_nothing(
    browser: Browser, jobs: Jobs, panel: Panel
) -> None:
    browser.open(f"/inputs{flow_url(panel, '/hostile/-/')}")
    assert_form_is_inert(browser)

    browser.send(unchecked=True)

    assert f"Word {SHOWN}" in browser.beside("word")
    assert f"All of it {SHOWN}" in browser.text(".error-container")
    assert_form_is_inert(browser)
    browser.follow("form a.button")


def assert_form_is_inert(browser: Browser) -> None:
    page = browser.text("form")
    for kind in ("Label", "Option", "Act", "Back", "Send"):
        assert f"{kind} {SHOWN}" in page, kind
    assert f"text {ALL}".split("\n")[0] in next(iter(browser.fields("name")))
    assert browser.fields("placeholder")
    assert_inert(browser)


def test_an_app_that_answers_no_form_is_shown_as_text(browser: Browser, panel: Panel) -> None:
    browser.open("/inputs/-/127.0.0.1/1/nowhere/-/")
    assert "The app answered no form" in browser.text("h1")
    assert_inert(browser)


def test_flows_in_the_list_are_text(browser: Browser) -> None:
    browser.open("/admin/flow")
    listed = browser.wait("#flow-container", "Hostile and paid")

    assert f"Hostile {SHOWN}" in listed
    assert f"Description {SHOWN}" in listed
    assert f"tag {SHOWN}" in listed
    assert_inert(browser)


def test_the_dashboard_shows_texts_of_strangers_and_users_as_texts(
    browser: Browser, jobs: Jobs, user: User, panel: Panel
) -> None:
    answer = user.http.post(flow_url(panel, "/say"), json={"word": ALL, "end": "error"})
    assert answer.status_code == 200, answer.text
    browser.open("/admin/dashboard")
    table = browser.wait("#running-agents-table", user.name)
    assert f"Hostile {SHOWN}" in table
    assert browser.wait("#running-agents-table", "buyers")
    assert_inert(browser)

    browser.click('[data-ui="#tab-errors"]')
    failed = f"#errors-container article[data-error='{jobs.failed.id}']"
    browser.wait(failed, "User: ")
    browser.click(failed)
    browser.wait("#error-detail-content pre", SHOWN)
    assert_inert(browser)

    browser.open("/admin/dashboard")
    for tab in ("timeline", "stats"):
        browser.click(f'[data-ui="#tab-{tab}"]')
    browser.wait("#status-table-body", "%")
    assert_inert(browser)


def test_the_control_page_works_under_the_policy(browser: Browser) -> None:
    browser.open("/admin/routes")
    browser.wait("main", "Status Information")
    assert_inert(browser)


# --- the policy -----------------------------------------------------------------------------------

PAGES = ("/admin/flow", "/admin/timeline/view", "/admin/dashboard", "/admin/routes")


@pytest.mark.parametrize("path", PAGES)
def test_each_page_brings_a_strict_policy_with_a_nonce_of_its_own(panel: Panel, path: str) -> None:
    policies = [panel.http.get(path).headers["content-security-policy"] for _ in range(2)]

    first, second = (dict(_parse(policy)) for policy in policies)

    assert first["script-src"].startswith("'nonce-")
    assert first["script-src"] != second["script-src"]
    assert first["script-src-attr"] == "'none'"
    for name in ("default-src", "base-uri", "object-src"):
        assert first[name] == "'none'"
    for name in ("connect-src", "form-action", "frame-ancestors"):
        assert first[name] == "'self'"


def _parse(policy: str) -> Iterator[tuple[str, str]]:
    for directive in policy.split(";"):
        name, _, sources = directive.strip().partition(" ")
        yield name, sources


def test_injected_markup_is_stopped_by_the_policy_alone(browser: Browser) -> None:
    """What would happen if a text reached a page as markup all the same."""
    browser.open("/admin/timeline/view")
    for attack in ATTACKS[:16]:
        browser.insert(attack)
    browser.wait("body", "link")
    assert browser.value("document.documentElement.dataset.ran ?? null") is None
    assert any("Content Security Policy" in told for told in browser.complaints())


# --- programs -------------------------------------------------------------------------------------


def test_programs_still_get_the_texts_as_they_are(jobs: Jobs, hostile: Shop, panel: Panel) -> None:
    status = panel.status(jobs.ended["text"].id)
    assert status["final"] == hostile.kinds(jobs.ended["text"].id, "final")[0].message
    assert ALL in hostile.result(jobs.ended["text"])
    assert panel.timeline()[jobs.failed.id]["inputs"]["dict"]["word"] == ALL
    raw = panel.http.get(f"/outputs/raw/{jobs.ended['html'].id}")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert "html" not in raw.headers["content-type"]


# --- whose they are -------------------------------------------------------------------------------


def test_strangers_jobs_belong_to_a_role_that_is_no_operator_and_has_no_login(
    jobs: Jobs, panel: Panel, stack: Stack
) -> None:
    folder = stack.settings.data_dir / "execution" / BUYERS_ROLE
    assert all((folder / job.id).is_dir() for job in jobs.written)
    assert not (folder / jobs.unpaid.id).exists()
    role = panel.http.get(f"/role/{BUYERS_ROLE}").json()
    assert (role["name"], role["active"]) == ("buyers", False)
    listed = panel.http.get("/role/").json()
    assert BUYERS_ROLE in [each["id"] for each in listed]


def test_operators_see_strangers_jobs(jobs: Jobs, panel: Panel) -> None:
    assert panel.status(jobs.unpaid.id)["status"] == "payment"
    written = {job.id for job in jobs.written}
    assert written <= panel.timeline().keys()
    page = panel.http.get("/timeline", params={"pp": 500, "mode": "next"}).json()
    assert written <= {item["fid"] for item in page["items"]["append"]}
    for job in jobs.ended.values():
        assert panel.status(job.id)["status"] == "finished"
        assert panel.http.get(f"/outputs/html/{job.id}").status_code == 200
        assert panel.http.get(f"/outputs/raw/{job.id}").status_code == 200
        assert panel.http.get(f"/files/{job.id}/in").json() == []
        assert panel.http.get(f"/api/dashboard/execution/{job.id}/details").status_code == 200
    lock = panel.status(jobs.asking.id)["locks"][0]
    assert panel.http.get(f"/lock/{jobs.asking.id}/{lock}").status_code == 200


def test_an_ordinary_user_neither_sees_nor_controls_strangers_jobs(
    jobs: Jobs, panel: Panel, user: User, hostile: Shop
) -> None:
    own = user.http.post(flow_url(panel, "/say"), json={"word": "mine", "end": "text"}).json()
    fid = own["result"]
    until(lambda: user.http.get(f"/outputs/status/{fid}").status_code == 200, "her own job")
    lock = panel.status(jobs.asking.id)["locks"][0]
    strangers = {job.id for job in jobs.all}

    listed = user.http.get("/timeline/list", params={"pp": 500}).json()["items"]
    ids = {item["fid"] for item in listed}
    assert fid in ids
    assert not ids & strangers
    agents = user.http.get("/api/dashboard/running-agents").json()["agents"]
    assert not {agent["fid"] for agent in agents} & strangers
    for job in (jobs.unpaid, jobs.asking, jobs.ended["text"]):
        for path in _views(job.id):
            assert user.http.get(path).status_code == 404, path
        assert user.http.get(f"/files/{job.id}/in").json() == []
        assert user.http.delete(f"/outputs/{job.id}").status_code == 404
        body = {"fid": [job.id]}
        assert user.http.request("DELETE", "/outputs/", json=body).status_code == 404
    for path in (f"/lock/{jobs.asking.id}/{lock}", f"/inputs/lock/{jobs.asking.id}/{lock}"):
        assert user.http.get(path).status_code == 404
        assert user.http.post(path, json={"word": "yes"}).status_code == 404
    assert hostile.status(jobs.asking)["status"] == "awaiting_input"


def _views(job_id: str) -> list[str]:
    return [
        f"/outputs/status/{job_id}",
        f"/outputs/stream/{job_id}",
        f"/outputs/main/{job_id}?extended=false",
        f"/outputs/stdio/{job_id}",
        f"/api/dashboard/execution/{job_id}/details",
        f"/api/dashboard/execution/{job_id}/files",
    ]


def test_an_operator_ends_strangers_jobs_alone_and_in_a_list(
    jobs: Jobs, panel: Panel, hostile: Shop
) -> None:
    assert panel.http.delete(f"/outputs/{jobs.unpaid.id}").status_code == 204
    body = {"fid": [jobs.asking.id, jobs.ended["dict"].id]}
    assert panel.http.request("DELETE", "/outputs/", json=body).status_code == 204

    gone = {jobs.unpaid.id, jobs.asking.id, jobs.ended["dict"].id}
    assert not panel.timeline().keys() & gone
    for job in (jobs.unpaid, jobs.asking):
        assert "cancelled" in str(hostile.wait(job, "failed"))


def test_a_job_of_the_operators_own_stays_his(panel: Panel, stack: Stack) -> None:
    url = flow_url(panel, "/say")
    fid: Any = panel.http.post(url, json={"word": "mine", "end": "text"}).json()["result"]
    until(lambda: panel.http.get(f"/outputs/status/{fid}").status_code == 200, "his own job")

    assert fid in panel.timeline()
    assert not (stack.settings.data_dir / "execution" / BUYERS_ROLE / fid).exists()
