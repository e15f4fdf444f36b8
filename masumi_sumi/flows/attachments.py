"""Files as MIP-003 sends them, by URL, and as the panel posts them, by upload. Pure.

The panel posts a file field as JSON: a batch, and by upload id the names that the files get in
the execution. The URL of a file takes the place of its upload id, and there is no batch: so
Kodosumi hands the author the names, and asks no panel to complete an upload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from masumi_sumi.flows.forms import Field, Form, Note
from masumi_sumi.flows.kinds import Kind

MOST_FILES = 100
"""Files of one field."""

_LONGEST_URL = 4000
_LONGEST_NAME = 100
"""Bytes: file systems count them, and take 255."""
_UNTOLD = ("", "application/octet-stream", "binary/octet-stream")
_UNSAFE = re.compile(r'[<>:"|?*\\/]')
_TYPES = MimeTypes()  # without the machine's own list: one answer everywhere


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to fetch. ``name`` is what the author reads; ``accept`` is the field's, as in HTML."""

    field: str
    name: str
    url: str
    accept: str = ""


def url_faults(field: Field, url: str) -> Iterator[str]:
    """Reasons against a URL, as far as its text tells them."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or len(url) > _LONGEST_URL:
        yield "must be a URL of a file (http or https)"
    elif parts.username is not None or parts.password is not None:
        yield "must be a URL without a user name and password"
    elif _is_plainly_other(field.accept, _name(url)):
        yield f"must be a file of the type {field.accept}"


def accepts(accept: str, name: str, media_type: str) -> bool:
    """Whether an ``accept`` of HTML takes a file, by its name or by the type its server tells."""
    wanted = [token.strip().lower() for token in accept.split(",") if token.strip()]
    told = media_type.partition(";")[0].strip().lower()
    by_name = {_guess(name)} - {""}
    types = by_name if told in _UNTOLD else {told, *by_name}
    return not wanted or any(_fits(token, name.lower(), types) for token in wanted)


def enclosed(form: Form, posted: Mapping[str, str]) -> dict[str, str]:
    """``posted`` with its lists of URLs, one a line, as the panel posts uploads.

    Names are taken from the URLs and are unique in the form: all files lie in one folder.
    """
    names: set[str] = set()
    files = {field.name for field in form.fields if field.kind is Kind.FILE}
    return {
        name: _upload(name, text, names) if name in files and text else text
        for name, text in posted.items()
    }


def attachments(form: Form, posted: Mapping[str, str]) -> tuple[Attachment, ...]:
    """The files to fetch for a form that ``submitted`` has read."""
    return tuple(
        Attachment(field.name, item["filename"], url, field.accept)
        for field in form.fields
        if field.kind is Kind.FILE and posted.get(field.name)
        for url, item in json.loads(posted[field.name])["items"].items()
    )


def required_files(form: Form) -> tuple[str, ...]:
    """The fields that nobody can leave without a file."""
    return tuple(f.name for f in form.fields if f.kind is Kind.FILE and f.required)


def without_files(form: Form) -> Form:
    """The form where no file can be sent: its handler is posted what an empty file field posts."""
    return replace(form, items=tuple(_unasked(item) for item in form.items))


def _unasked(item: Field | Note) -> Field | Note:
    if isinstance(item, Note) or item.kind is not Kind.FILE:
        return item
    return Field(Kind.HIDDEN, item.name, item.label)


def _upload(field: str, urls: str, names: set[str]) -> str:
    items = {
        url: {"filename": _unique(_name(url), names), "totalChunks": 0}
        for url in dict.fromkeys(urls.split("\n"))
    }
    return json.dumps({"batchId": "", "items": items, "name": field})


def _split(url: str) -> SplitResult | None:
    """None for what is no URL, or looks like another one to another reader."""
    if not url.isprintable() or any(char.isspace() or char == "\\" for char in url):
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _name(url: str) -> str:
    """The last part of the URL's path as a harmless file name; ``file`` where there is none."""
    last = re.split(r"[/\\]", unquote(urlsplit(url).path.rstrip("/")))[-1]
    plain = "".join(
        char for char in last if char.isprintable() and not "\ud800" <= char <= "\udfff"
    )
    plain = _UNSAFE.sub("_", plain).strip(". ") or "file"
    suffix = _cut(PurePosixPath(plain).suffix, 20)
    return _cut(plain.removesuffix(suffix), _LONGEST_NAME - len(suffix.encode())) + suffix


def _cut(text: str, most: int) -> str:
    """As many whole characters as ``most`` bytes hold."""
    return text.encode()[:most].decode("utf-8", "ignore")


def _unique(name: str, taken: set[str]) -> str:
    """``a.pdf``, ``a (2).pdf``, ...: apart on file systems that know no case, too."""
    suffix = PurePosixPath(name).suffix
    variants = (f"{name.removesuffix(suffix)} ({number}){suffix}" for number in count(2))
    free = (
        name if name.lower() not in taken else next(v for v in variants if v.lower() not in taken)
    )
    taken.add(free.lower())
    return free


def _guess(name: str) -> str:
    return _TYPES.guess_type(f"/{name}")[0] or ""


def _is_plainly_other(accept: str, name: str) -> bool:
    """A page's address says nothing of what it serves; other names do."""
    return _guess(name) not in ("", "text/html") and not accepts(accept, name, "")


def _fits(token: str, name: str, types: set[str]) -> bool:
    if token.startswith("."):
        others = {ending for each in types for ending in _TYPES.guess_all_extensions(each)}
        return name.endswith(token) or token in others
    if token == "*/*":
        return True
    family = token.removesuffix("*") if token.endswith("/*") else None
    return any(each.startswith(family) if family else each == token for each in types)
