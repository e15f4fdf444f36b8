"""Files by URL: what is refused by its text alone, and what the author's handler is told."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import Attachment, Form, accepts, attachments, read_form, submitted

PDF = "https://files.example.com/a/report.pdf?token=1"


def form_of(**element: Any) -> Form:
    return read_form([{"type": "file", "name": "doc", **element}])


def names(form: Form, *urls: str) -> list[str]:
    return [each.name for each in attachments(form, submitted(form, {"doc": list(urls)}))]


def refusal(form: Form, value: Any) -> list[str]:
    with pytest.raises(FieldsInvalid) as refused:
        submitted(form, {"doc": value})
    assert list(refused.value.fields) == ["doc"]
    return list(refused.value.fields["doc"])


@pytest.mark.parametrize("sent", [PDF, [PDF]])
def test_a_url_is_posted_as_the_panel_posts_an_upload(sent: Any) -> None:
    form = form_of(required=True)

    posted = submitted(form, {"doc": sent})

    items = {PDF: {"filename": "report.pdf", "totalChunks": 0}}
    assert json.loads(posted["doc"]) == {"batchId": "", "items": items, "name": "doc"}
    assert attachments(form, posted) == (Attachment("doc", "report.pdf", PDF),)


@pytest.mark.parametrize("sent", [None, "", []])
def test_no_file_is_posted_as_none(sent: Any) -> None:
    form = form_of()

    assert submitted(form, {"doc": sent}) == {"doc": ""}
    assert attachments(form, {"doc": ""}) == ()
    assert refusal(form_of(required=True), sent) == ["is required"]


def test_an_upload_that_stands_in_the_form_is_no_default() -> None:
    assert submitted(form_of(value='{"batchId": "b", "items": {}}'), {}) == {"doc": ""}


NAMED = [
    ("https://h.test/a/report.pdf", "report.pdf"),
    ("https://h.test/r%C3%A9sum%C3%A9.pdf#page=2", "résumé.pdf"),
    ("https://h.test", "file"),
    ("https://h.test/", "file"),
    ("https://h.test/folder/", "folder"),
    ("https://h.test/..%2f..%2fetc%2fpasswd", "passwd"),
    ("https://h.test/%2e%2e", "file"),
    ("https://h.test/a%5C..%5Cb.txt", "b.txt"),
    ("https://h.test/.bashrc", "bashrc"),
    ("https://h.test/a%00b%0a.txt", "ab.txt"),
    ("https://h.test/%ed%a0%80", "\ufffd" * 3),
    ("https://h.test/a:b*c.txt", "a_b_c.txt"),
    (f"https://h.test/{'x' * 300}.pdf", "x" * 96 + ".pdf"),
    (f"https://h.test/{quote('報' * 100)}.pdf", "報" * 32 + ".pdf"),
]


@pytest.mark.parametrize(("url", "name"), NAMED)
def test_a_file_is_called_by_the_last_part_of_its_url(url: str, name: str) -> None:
    assert names(form_of(), url) == [name]


def test_names_are_apart_in_the_whole_form() -> None:
    elements = [
        {"type": "file", "name": "doc", "multiple": True},
        {"type": "file", "name": "more", "directory": True},
    ]
    form = read_form(elements)
    sent = {
        "doc": ["https://a.test/x.csv", "https://b.test/X.CSV", "https://a.test/x.csv"],
        "more": ["https://a.test/x.csv"],
    }

    files = attachments(form, submitted(form, sent))

    told = [(file.field, file.name) for file in files]
    assert told == [("doc", "x.csv"), ("doc", "X (2).CSV"), ("more", "x (3).csv")]


REFUSED = [
    (5, "must be a URL, or a list of URLs"),
    ({"url": PDF}, "must be a URL, or a list of URLs"),
    ([PDF, 5], "must be a URL, or a list of URLs"),
    ([PDF, PDF], "must be one file"),
    ("report.pdf", "must be a URL of a file (http or https)"),
    ("ftp://h.test/a", "must be a URL of a file (http or https)"),
    ("file:///etc/passwd", "must be a URL of a file (http or https)"),
    ("data:text/plain,hello", "must be a URL of a file (http or https)"),
    ("https:///a", "must be a URL of a file (http or https)"),
    ("https://h.test:99999/a", "must be a URL of a file (http or https)"),
    ("https://h.test/a b", "must be a URL of a file (http or https)"),
    ("https://h.test\\@other.test/", "must be a URL of a file (http or https)"),
    ("https://h.test/\nhttps://other.test", "must be a URL of a file (http or https)"),
    (f"https://h.test/{'a' * 4000}", "must be a URL of a file (http or https)"),
    ("https://user:secret@h.test/a", "must be a URL without a user name and password"),
    ("https://@h.test/a", "must be a URL without a user name and password"),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED)
def test_what_is_no_url_of_a_file_is_refused_by_name(value: Any, reason: str) -> None:
    assert refusal(form_of(), value) == [reason]


def test_a_field_takes_only_so_many_files() -> None:
    many = [f"https://h.test/{number}" for number in range(101)]

    assert refusal(form_of(multiple=True), many) == ["must be at most 100 files"]
    assert len(names(form_of(multiple=True), *many[:100])) == 100


def test_a_file_that_is_plainly_of_another_type_is_refused_before_a_sale() -> None:
    form = form_of(accept=".pdf, image/*")

    assert refusal(form, "https://h.test/a.csv") == ["must be a file of the type .pdf, image/*"]
    for page in ("a.pdf", "a.PNG", "download", "get.php", "show.html"):
        assert names(form, f"https://h.test/{page}") == [page]


ACCEPTED = [
    ("", "a.exe", "application/x-msdownload", True),
    (".pdf", "a.pdf", "", True),
    (".pdf", "A.PDF", "application/octet-stream", True),
    (".pdf", "download", "application/pdf; charset=binary", True),
    (".pdf", "download", "application/octet-stream", False),
    (".pdf", "download", "", False),
    ("image/*", "a.png", "", True),
    ("image/*", "pic", "image/webp", True),
    ("image/*", "pic", "text/html", False),
    ("text/csv,application/json", "a", "Application/JSON", True),
    ("text/csv", "a.csv", "text/plain", True),
    ("*/*", "a", "", True),
    (".docx", "a.pdf", "application/pdf", False),
]


@pytest.mark.parametrize(("accept", "name", "media_type", "taken"), ACCEPTED)
def test_a_type_is_told_by_the_name_or_by_the_server(
    accept: str, name: str, media_type: str, taken: bool
) -> None:
    assert accepts(accept, name, media_type) is taken


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=3))
def test_no_url_names_a_file_outside_of_its_folder(paths: list[str]) -> None:
    form = form_of(multiple=True)
    urls = [f"https://h.test/{quote(path, safe='')}" for path in paths]

    posted = submitted(form, {"doc": urls})
    found = [file.name for file in attachments(form, posted)]

    assert len({name.lower() for name in found}) == len(found)
    assert all(name and name.isprintable() and len(name) <= 110 for name in found)
    assert not any(set(name) & set("/\\\0") or name.startswith(".") for name in found)
