"""Kodosumi's pages as the gateway serves them."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

import kodosumi.service.admin
import pytest

from masumi_sumi.gateway.page_corrections import CORRECTIONS, PageUnknown, correct

FOLDER = Path(kodosumi.service.admin.__file__).parent
PAGES = sorted(
    str(file.relative_to(FOLDER / "templates"))
    for file in (FOLDER / "templates").rglob("*")
    if file.suffix in (".html", ".js")
)
CHECKED = {
    "templates": "57e7a17cae73832d097f8d10f6c3c005989c3233742fcecff5bb159daa3bd2fc",
    "static": "f5da8eb731b28afe10b8b4dfd595b118b7f673f883087159d1d05d2093e8f71c",
}
"""Of Kodosumi's files that were read for markup and handlers, all names and contents."""


def read(name: str) -> str:
    return (FOLDER / "templates" / name).read_text()


def digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".html", ".js", ".css"))
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return whole.hexdigest()


@pytest.mark.parametrize("folder", CHECKED)
def test_kodosumi_s_pages_are_those_that_were_checked(folder: str) -> None:
    """When it fails, read the changed pages, correct what puts texts into markup, and note it."""
    assert (version("kodosumi"), digest(FOLDER / folder)) == ("1.1.0", CHECKED[folder])


@pytest.mark.parametrize("name", CORRECTIONS)
def test_each_correction_has_its_place(name: str) -> None:
    for original, replacement in CORRECTIONS[name]:
        assert original in read(name)
        assert original not in correct(name, read(name)) or original in replacement


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_page_that_was_changed_is_not_served(name: str) -> None:
    with pytest.raises(PageUnknown, match=name):
        correct(name, read(name).replace("e", "E"))


def test_no_page_keeps_a_handler_in_an_attribute_or_a_script_in_an_address() -> None:
    for name in PAGES:
        page = correct(name, read(name))

        assert not re.search(r"""\son\w+\s*=\s*["']""", page), name
        assert "javascript:" not in page, name


def test_every_script_and_style_of_a_page_has_the_nonce() -> None:
    for name in PAGES:
        for tag in re.findall(r"<(?:script|style)\b[^>]*>", correct(name, read(name))):
            assert 'nonce="{{ request.scope["masumi_sumi.nonce"] }}"' in tag, name
