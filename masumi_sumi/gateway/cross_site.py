"""Tell whether a page of another site makes a browser send a request.

A browser sends the panel's cookie with whatever any page makes it send. It also says where the
request comes from: in ``Origin``, ``Sec-Fetch-Site`` or ``Referer``. What says nothing of this kind
is no browser, and has the cookie because its user gave it the cookie.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

COOKIE, KEY_HEADER = "kodosumi_jwt", "kodosumi_api_key"

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")

CHANGING_GETS = ("/login", "/logout", "/admin/logout")
"""Pages of the panel that set or delete its cookie when they are only read."""

APPS = ("/-/", "/inputs/", "/lock/")
"""Where the panel calls an author's code, also for a GET: an author may start a flow by one."""

JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
FORM_PAGES = ("/login", "/logout", "/inputs/", "/-/", "/lock/", "/admin/routes", "/files/chunk")
"""Where the panel's own pages send forms, and its own calls what came from a form."""

DOCUMENT_PAGES = ("/deploy/",)
DOCUMENTS = ("application/yaml", "application/x-yaml", "text/yaml")

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origins:
    """``own`` are the panel's own origins, ``allowed`` those that the operator lets in by name.

    ``by_host``: nobody said where buyers reach the panel, and it listens for other machines, so
    that a page is its own where the browser names the same host twice.
    """

    own: frozenset[str]
    allowed: frozenset[str] = frozenset()
    by_host: bool = False

    @classmethod
    def of(cls, panel_url: str, public_url: str, allowed: Iterable[str] = ()) -> Origins:
        own = {origin_of(url) for url in (panel_url, public_url) if url}
        named = {origin_of(url) for url in allowed} - {""}
        is_local = _is_loopback(urlsplit(panel_url).hostname or "")
        return cls(frozenset(own), frozenset(named), not public_url and not is_local)

    def is_foreign(self, request: Request) -> bool:
        """Whether a browser says that a page of another site sends this."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if origin is not None and origin_of(origin) in self.allowed:
            return False
        if site is not None and site not in ("same-origin", "none"):
            return True
        referrer = origin if origin is not None else request.headers.get("referer")
        if referrer is None or (origin is None and site is not None):
            return False
        return not self._is_own(origin_of(referrer), request.headers.get("host", ""))

    def _is_own(self, origin: str, host: str) -> bool:
        if origin in self.own:
            return True
        scheme, _, named = origin.partition("://")
        if not named or named != _with_port(scheme, host):
            return False
        hostname = urlsplit(origin).hostname or ""
        return self.by_host or _is_loopback(hostname) or _is_address(hostname)


def origin_of(url: str) -> str:
    """Return scheme, host and port, the port always written; an empty text for no address."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    host = parts.hostname or ""
    if not host or not port:
        return ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def has_cookie(request: Request) -> bool:
    """Whether the panel could find its cookie, however it reads cookies."""
    return any(COOKIE in value for value in request.headers.getlist("cookie"))


def changes_state(request: Request) -> bool:
    path = str(request.scope["path"])
    is_changing_get = path.rstrip("/") in CHANGING_GETS or path.startswith(APPS)
    return request.method in UNSAFE or is_changing_get


def is_expected_type(request: Request) -> bool:
    """Whether the body's type is one that a page of another site could not send unasked, or one of
    the panel's own forms where the panel has forms."""
    length = request.headers.get("content-length", "0")
    if length.strip("0") == "" and "transfer-encoding" not in request.headers:
        return True
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    path = f"{request.scope['path'].rstrip('/')}/"
    if given in FORMS:
        return any(path.startswith(f"{page.rstrip('/')}/") for page in FORM_PAGES)
    if given in DOCUMENTS:
        return path.startswith(DOCUMENT_PAGES)
    return given == JSON


def _with_port(scheme: str, host: str) -> str:
    return origin_of(f"{scheme}://{host}").partition("://")[2]


def _is_loopback(hostname: str) -> bool:
    if hostname == "localhost":
        return True
    return _is_address(hostname) and ip_address(hostname).is_loopback


def _is_address(hostname: str) -> bool:
    try:
        ip_address(hostname)
    except ValueError:
        return False
    return True
