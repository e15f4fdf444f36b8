"""The panel's key and its admin's password, and from which pages it may be used.

Kodosumi's own defaults are public: a key that signs logins, the login admin/admin, and requests
with cookies from the pages of any site. So each data folder has secrets of its own, unless an
operator sets them; and known ones are refused where others than this machine reach the panel.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.secret_files import get_secret_path, read_or_create_secret
from masumi_sumi.settings import Settings

KEY, PASSWORD, ORIGINS = "KODO_SECRET_KEY", "KODO_ADMIN_PASSWORD", "KODO_CORS_ORIGINS"
ADMIN = "admin"

KEY_FILE, PASSWORD_FILE = "panel-jwt-key", "admin-password"

KNOWN_KEYS = frozenset({"", "top secret -- change this in production"})
KNOWN_PASSWORDS = ("admin", "")
SHORTEST_KEY, SHORTEST_PASSWORD = 32, 12

HIDDEN = "(hidden)"

Dotenv = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Weakness:
    """A setting that a stranger knows or guesses. ``advice`` says what to set."""

    setting: str
    words: str
    advice: str


def get_password(data_dir: Path, environ: Mapping[str, str], dotenv: Dotenv) -> str:
    """Return the admin's password: the operator's, else the data folder's, created if missing."""
    return get_given(PASSWORD, environ, dotenv) or read_or_create_secret(data_dir, PASSWORD_FILE)


def find_password(data_dir: Path, environ: Mapping[str, str], dotenv: Dotenv) -> str:
    """Return the admin's password as ``get_password``, but create none: an empty text instead."""
    if given := get_given(PASSWORD, environ, dotenv):
        return given
    there = get_secret_path(data_dir, PASSWORD_FILE).exists()
    return read_or_create_secret(data_dir, PASSWORD_FILE) if there else ""


def find_earlier_passwords(data_dir: Path) -> tuple[str, ...]:
    """Return the passwords that an admin may have without having chosen one."""
    ours = find_password(data_dir, {}, {})
    return (*KNOWN_PASSWORDS, *([ours] if ours else ()))


def get_panel_environment(
    settings: Settings, address: str, environ: Mapping[str, str], dotenv: Dotenv
) -> dict[str, str]:
    """Return what Kodosumi's panel at ``address`` is started with; secrets are created if missing.

    Raises SettingInvalid where others than this machine reach it and a secret of it is known.
    """
    key = get_given(KEY, environ, dotenv)
    given = {
        KEY: key or read_or_create_secret(settings.data_dir, KEY_FILE),
        PASSWORD: get_password(settings.data_dir, environ, dotenv),
        ORIGINS: _get_origins(settings, address, get_given(ORIGINS, environ, dotenv)),
    }
    if is_public(settings, address):
        for weakness in find_weaknesses(given):
            raise SettingInvalid(weakness.setting, HIDDEN, f"{weakness.words}. {weakness.advice}")
    return given


def find_weaknesses(given: Mapping[str, str]) -> Iterator[Weakness]:
    """Look at what ``get_panel_environment`` returns."""
    made = "Leave it out, and one is created in the data folder"
    key, password = given[KEY], given[PASSWORD]
    if key in KNOWN_KEYS or len(key) < SHORTEST_KEY:
        words = f"the key that signs logins is known or under {SHORTEST_KEY} characters"
        yield Weakness(KEY, words, f"{made}; or set a long random one.")
    if password in KNOWN_PASSWORDS or len(password) < SHORTEST_PASSWORD:
        words = f"the admin's password is known or under {SHORTEST_PASSWORD} characters"
        yield Weakness(PASSWORD, words, f"{made} (masumi-sumi login shows it).")
    if "*" in json.loads(given[ORIGINS]):
        words = "any web page may use the panel with the login of who looks at it"
        yield Weakness(ORIGINS, words, "Leave it out, or list the pages that may.")


def find_set_weaknesses(environ: Mapping[str, str], dotenv: Dotenv) -> Iterator[Weakness]:
    """Look at what the operator set. What is not set is created, and is not weak."""
    given = {name: get_given(name, environ, dotenv) for name in (KEY, PASSWORD, ORIGINS)}
    strong = {KEY: "k" * SHORTEST_KEY, PASSWORD: "p" * SHORTEST_PASSWORD, ORIGINS: "[]"}
    read = {**given, ORIGINS: json.dumps(_read_list(given[ORIGINS]))}
    looked_at = {name: read[name] if given[name] else strong[name] for name in given}
    yield from find_weaknesses(looked_at)


def is_public(settings: Settings, address: str) -> bool:
    """Whether others than this machine are meant to reach the panel."""
    hosts = [
        settings.host,
        urlsplit(address).hostname or "",
        urlsplit(settings.public_url).hostname,
    ]
    return not all(is_loopback(host) for host in hosts if host)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def get_given(name: str, environ: Mapping[str, str], dotenv: Dotenv) -> str:
    """Return what the operator set, found where Kodosumi finds it; an empty text is nothing."""
    return environ.get(name) or dotenv.get(name) or ""


def _get_origins(settings: Settings, address: str, given: str) -> str:
    """Return a JSON list. Kodosumi documents commas, and reads nothing but JSON."""
    if given:
        return json.dumps(_read_list(given))
    place = urlsplit(address)
    port = f":{place.port}" if place.port else ""
    own = {f"{place.scheme}://{host}{port}" for host in _get_names(place.hostname or "")}
    if settings.public_url:
        public = urlsplit(settings.public_url)
        own.add(f"{public.scheme}://{public.netloc}")
    return json.dumps(sorted(own))


def _read_list(given: str) -> list[str]:
    if not given.lstrip().startswith("["):
        return [each.strip() for each in given.split(",") if each.strip()]
    try:
        return [str(each) for each in json.loads(given)]
    except ValueError:
        rule = 'expected pages as in ["https://one.example"]'
        raise SettingInvalid(ORIGINS, given, rule) from None


def _get_names(host: str) -> tuple[str, ...]:
    """This machine is called by several names; all addresses (0.0.0.0) are no name."""
    if host in ("0.0.0.0", "::") or is_loopback(host):
        return ("127.0.0.1", "localhost")
    return (host,)
