"""Whether a stranger can start a flow without paying: tried as a stranger would, harmlessly.

The form that is posted is the number 0. An app that lets it through to Kodosumi's own start fails
to read it, before any code of the author's is called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from masumi_sumi.cli.findings import Finding, Verdict
from masumi_sumi.payments.connection import is_here
from masumi_sumi.settings import Settings

TIMEOUT = 10.0
FORM = b"0"
JSON = {"content-type": "application/json"}
NO_LOCK = "/_lock_/doctor/doctor"

CLOSED = frozenset({301, 302, 303, 401, 403, 404, 405, 429})
UNTOLD = frozenset({408, 502, 503, 504})
REDIRECTS = frozenset({307, 308})

GUARD = "deploy its app again with SumiMiddleware (masumi-sumi up or refresh), and look again"
CLOSE = "unset SUMI_ALLOW_DIRECT_LAUNCH, unless nobody but the panel reaches this address"
REFRESH = "masumi-sumi refresh its expose: its app was deployed before flows could want a login"


@dataclass(frozen=True, slots=True)
class Target:
    """A flow at an address. ``sold``: it earns money; ``login``: it asks for a login."""

    id: str
    url: str
    sold: bool = True
    login: bool = False

    @property
    def what(self) -> str:
        return f"flow {self.id or '/'}"


async def try_to_steal(
    targets: Iterable[Target], settings: Settings, http: httpx.AsyncClient | None = None
) -> AsyncIterator[Finding]:
    """A finding for each theft that succeeds, and one for all that were refused."""
    own = http or httpx.AsyncClient(trust_env=False, timeout=TIMEOUT)
    tried = succeeded = 0
    try:
        for target in targets:
            tried += 1
            for finding in await _try(target, settings, own):
                succeeded += 1
                yield finding
    finally:
        if http is None:
            await own.aclose()
    if tried and not succeeded:
        words = f"{tried} attempts to start a flow without paying were refused"
        yield Finding("unpaid starts", "good", words)


def targets_of_app(serve: str, panel: str, flows: Mapping[str, bool]) -> Iterator[Target]:
    """All addresses here of flows by their ids, and whether they are sold. ``panel`` is empty
    where no panel answers.
    """
    place = urlsplit(serve)
    for flow, sold in flows.items():
        app, _, rest = flow.partition("/")
        yield Target(flow, f"{serve}/{flow}".rstrip("/"), sold)
        if not panel:
            continue
        in_panel = f"{panel}/-/{place.hostname}/{place.port}/{app}/-/{rest}".rstrip("/")
        yield from (
            Target(flow, url)
            for url in (in_panel, f"{panel}/mip003/{flow}", f"{panel}/sumi/{flow}")
        )


def direct_launch(settings: Settings) -> Iterator[Finding]:
    """Kodosumi's own panel needs it; beyond loopback it gives everything away."""
    if not settings.allow_direct_launch:
        return
    verdict: Verdict = "beware" if is_here(settings.host) else "bad"
    words = "SUMI_ALLOW_DIRECT_LAUNCH lets whoever reaches Ray Serve start flows without paying"
    yield Finding("direct launch", verdict, words, CLOSE)


async def _try(target: Target, settings: Settings, http: httpx.AsyncClient) -> list[Finding]:
    if target.login:
        found = [await _try_login(target, http)]
    else:
        found = [await _try_start(target, settings, http), await _try_lock(target, settings, http)]
    return [finding for finding in found if finding is not None]


async def _try_start(target: Target, settings: Settings, http: httpx.AsyncClient) -> Finding | None:
    """Both spellings, for servers differ in which of them is a flow's."""
    for url in (target.url, f"{target.url}/"):
        if not await _takes_input(url, http):
            continue
        answer = await _post(url, http)
        if answer is not None and _reached_kodosumi(answer.status_code):
            return _succeeded(target, f"POST {url}", answer.status_code, settings)
    return None


def _reached_kodosumi(status: int) -> bool:
    """Kodosumi breaks at the form, or takes it. A 4xx is ours or that of a server before it."""
    return 200 <= status < 300 or (status >= 500 and status not in UNTOLD)


async def _try_lock(target: Target, settings: Settings, http: httpx.AsyncClient) -> Finding | None:
    """Kodosumi answers who asks for a lock that is not there; ours refuses to answer."""
    url = f"{target.url}{NO_LOCK}"
    try:
        answer = await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    if answer.status_code != 404 or "Execution doctor not found" not in answer.text:
        return None
    return _succeeded(target, f"GET {url}", answer.status_code, settings)


async def _try_login(target: Target, http: httpx.AsyncClient) -> Finding | None:
    url = f"{target.url}/start_job"
    answer = await _post(url, http)
    if answer is None or answer.status_code in CLOSED | UNTOLD:
        return None
    words = f"wants a login at the gateway, but anybody starts it at {url}"
    return Finding(target.what, "bad", words, REFRESH)


def _succeeded(target: Target, call: str, status: int, settings: Settings) -> Finding:
    is_own = settings.allow_direct_launch or not target.sold  # then nobody loses what is sold
    harmless = is_own and is_here(urlsplit(target.url).hostname or "")
    words = f"a stranger starts it without paying: {call} was let through (it answered {status})"
    verdict: Verdict = "beware" if harmless else "bad"
    return Finding(target.what, verdict, words, CLOSE if settings.allow_direct_launch else GUARD)


async def _takes_input(url: str, http: httpx.AsyncClient) -> bool:
    """Tell whether the form fails to be read: of a form that asks for nothing, the author's code
    would be called.
    """
    try:
        elements = (await http.get(url)).json()["elements"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return True
    return any(isinstance(each, dict) and each.get("name") for each in elements)


async def _post(url: str, http: httpx.AsyncClient) -> Any:
    """The answer, also behind one redirect at the same host; None where nobody answers."""
    try:
        answer = await http.post(url, content=FORM, headers=JSON)
        if answer.status_code not in REDIRECTS:
            return answer
        target = answer.next_request.url if answer.next_request else None
        if target is None or target.host != httpx.URL(url).host:
            return None
        return await http.post(target, content=FORM, headers=JSON)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
