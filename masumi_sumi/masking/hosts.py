"""Addresses of servers, and paths on them and on this machine."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from masumi_sumi.masking.secrets import is_mixed
from masumi_sumi.masking.words import COUNTED, HIDDEN, HOST, LOW_PORTS, PATH

# --- URLs -----------------------------------------------------------------------------------------

_URL = re.compile(
    r"(?<![A-Za-z0-9])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}(?::[a-z0-9+]{2,20}){0,2})"
    r":(?:\\?/){2,3}(?P<rest>[^\s'\"<>`{}|^]*+)"
)
_WEB = ("http", "https", "ws", "wss")
_RESOURCE = re.compile(r"(?<![A-Za-z0-9])arn:aws[\w-]{0,10}:[^\s'\"<>,;)]++")
_LOGIN = re.compile(
    r"(?<![^\s\"'<>(=,;])[^\s:@\"'<>/\[(]{0,200}:[^\s\"'<>]{1,400}@[\w.\[\]:-]{1,260}"
    r"(?:/[^\s'\"<>]*+)?"
)
_HOST_END = re.compile(r"[/?#\\]")
_PUNCTUATION = ").,;:!]"


def mask_urls(text: str) -> str:
    """Keep of a public web address scheme and host, and of others the scheme."""
    text = _RESOURCE.sub(HIDDEN, _URL.sub(_mask_url, text))
    return _LOGIN.sub(f"{HIDDEN}@{HOST}", text)


def _mask_url(found: re.Match[str]) -> str:
    scheme, rest = found["scheme"], found["rest"].replace("\\/", "/")
    if rest.startswith(("...", HOST)):
        return found[0]
    if "@" in rest or scheme.lower() not in _WEB:
        return f"{scheme}://..."
    host = _HOST_END.split(rest, maxsplit=1)[0]
    kept = host.rstrip(_PUNCTUATION) if _is_public(host.rstrip(_PUNCTUATION)) else HOST
    end = rest[len(rest.rstrip(_PUNCTUATION)) :]
    return f"{scheme}://{kept}{end}"


def _is_public(place: str) -> bool:
    """Whether a host with its port may be told: a name of the internet that hides no token."""
    try:
        host = urlsplit(f"//{place}").hostname or ""
    except ValueError:
        return False
    is_inner = _INNER.search(host) or _IPV4.search(host) or ":" in host
    has_token = any(len(label) >= 20 and is_mixed(label) for label in host.split("."))
    return "." in host and host.isascii() and not is_inner and not has_token


# --- hosts ----------------------------------------------------------------------------------------

_LABELS = r"(?:[a-z0-9_-]{1,63}\.)"
_INNER_NAME = (
    rf"localhost|{_LABELS}{{1,10}}(?:local|internal|svc|lan|corp|intranet|private|home|localdomain"
    rf"|localhost|consul|arpa|cluster|onion)|{_LABELS}{{1,10}}svc\.[a-z0-9.-]{{1,60}}"
    rf"|{_LABELS}{{2,10}}(?:amazonaws\.com|windows\.net|mongodb\.net|aivencloud\.com|azure\.com"
    r"|googleusercontent\.com|supabase\.co|neon\.tech|upstash\.io|redislabs\.com)"
)
_PORT = r"(?::\d{1,5}(?!\d))"
_INNER = re.compile(rf"(?<![\w.-])(?:{_INNER_NAME})(?![\w-])(?!\.\w){_PORT}?", re.IGNORECASE)
_IPV4 = re.compile(rf"(?<![\w.])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?!\w|\.\d)(?:/\d{{1,2}})?{_PORT}?")
_IPV6 = re.compile(
    rf"\[[0-9A-Fa-f.]{{0,15}}:[0-9A-Fa-f:.]{{1,45}}(?:%\w{{1,20}})?\]{_PORT}?"
    r"|(?<![\w:.\[])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
    r"|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?::"
    r"[0-9A-Fa-f]{1,4}(?:[:.][0-9A-Fa-f]{1,4}){0,6}"
    r"|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6}::)"
    r"(?:%\w{1,20})?(?:/\d{1,3})?(?![\w:])"
)
_BEFORE_HOST = (
    r"(?:host(?: ?name)?|server|endpoint|addr(?:ess)?|broker|upstream|resolve|connect(?:ing)? to)"
)
_NAMED_HOST = re.compile(
    rf"(?<![A-Za-z0-9])(?P<name>{_BEFORE_HOST}[\"']?(?: ?[=:] ?| (?:at )?)\\?[\"'])"
    r"[^\s\"'\\]{1,260}"
    r"|(?<![A-Za-z0-9])(?P<pair>(?:host(?:name)?|hostaddr|server|data source|addr)=)"
    r"[^\s\"',;)\[]{1,260}",
    re.IGNORECASE,
)
_NAME_WITH_PORT = re.compile(
    rf"(?<![\w.-])(?<!://){_LABELS}{{1,10}}[a-z][a-z0-9-]{{1,24}}{_PORT}", re.I
)
_WORD_WITH_PORT = re.compile(
    r"(?<![\w.-])(?P<name>[a-z][a-z0-9_-]{1,62}):(?P<port>\d{2,5})(?!\w|[.:,]\d)", re.IGNORECASE
)
_NAME_WITH_PATH = re.compile(
    rf"(?<![\w.@/-])(?P<name>{_LABELS}{{1,10}}[a-z]{{2,24}})/[^\s'\"<>]*+", re.IGNORECASE
)


def mask_hosts(text: str) -> str:
    """Hide inner names, names with a port and addresses, also where no scheme is before them."""
    text = _NAMED_HOST.sub(lambda found: f"{found['name'] or found['pair']}{HOST}", text)
    for pattern in (_INNER, _IPV6, _IPV4, _NAME_WITH_PORT):
        text = pattern.sub(HOST, text)
    text = _WORD_WITH_PORT.sub(_mask_word_with_port, text)
    return _NAME_WITH_PATH.sub(lambda found: f"{found['name']}{PATH}", text)


def _mask_word_with_port(found: re.Match[str]) -> str:
    is_port = len(found["port"]) >= 4 or found["port"] in LOW_PORTS
    return HOST if is_port and found["name"].lower() not in COUNTED else found[0]


# --- paths ----------------------------------------------------------------------------------------

_FILE_PATH = re.compile(
    r"(?<![\w:/\\.<])(?:[A-Za-z]:|~\w{0,32}|\.{1,2})?(?:[/\\]{1,2}[\w.@+~%$={}*,-]{1,255}){1,60}+"
    r"[/\\]?(?:\?[^\s'\"<>]*+)?"
)
_MEDIA = r"(?:application|audio|font|image|message|model|multipart|text|video)/"
_RELATIVE_PATH = re.compile(
    rf"(?<![\w/\\.-])(?!{_MEDIA})[\w.-]{{1,100}}(?:[/\\][\w.-]{{1,100}}){{0,20}}"
    r"[/\\][\w-]{0,100}\.[A-Za-z]\w{0,7}(?![\w/])"
)


def mask_paths(text: str) -> str:
    """Hide paths of files, and of URLs that stand without their hosts."""
    return _RELATIVE_PATH.sub(PATH, _FILE_PATH.sub(PATH, text))
