"""Paths that two readers could understand differently are found before anybody reads them."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masumi_sumi.faces.paths import find_path_fault


def fault_of(raw: str) -> str:
    """Return the fault of a path as uvicorn hands it over."""
    return find_path_fault({"path": unquote(raw), "raw_path": raw.encode()})


@pytest.mark.parametrize(
    "raw",
    [
        "/",
        "/sumi/prime/start_job",
        "/outputs/JOB/",
        "/%6futputs/JOB",
        "/files/6b02/in/a;b.txt",
        "/files/6b02/in/100%25.txt",
        "/files/6b02/in/.hidden",
        "/files/6b02/in/%C3%BCber%20uns.pdf",
        "/files/6b02/in/a..b",
        "/-/127.0.0.1/8005/two-stage/-/",
    ],
)
def test_ordinary_path_has_no_fault(raw: str):
    assert fault_of(raw) == ""


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "outputs/JOB",
        "//outputs/JOB",
        "/outputs//JOB",
        "/outputs/JOB//",
        "/outputs/./JOB",
        "/files/y/in/../../../../admin.db",
        "/files/y/in/%2e%2e/admin.db",
        "/files/y/in/.%2E/admin.db",
        "/files/y/in/%252e%252e/admin.db",
        "/files/y/in/%25252e/admin.db",
        "/files/y/in/..%2fadmin.db",
        "/files/y/in/..%5cadmin.db",
        "/files/y/in\\..\\admin.db",
        "/files/y/in/..;/admin.db",
        "/files/y/in/;/admin.db",
        "/files/y/in/..%20/admin.db",
        "/files/y/in/.../admin.db",
        "/files/y/in/a%00.txt",
        "/files/y/in/a%0d%0ax",
        "/files/y/in/a%7f",
        "/files/y/in/a%C2%85",
        "/files/y/in/%c0%ae%c0%ae/admin.db",
        "/outputs%2FJOB",
        "/outputs;x/JOB",
        "/outputs/JOB%3bx",
    ],
)
def test_path_with_two_meanings_has_a_fault(raw: str):
    assert fault_of(raw) != ""


@given(st.lists(st.sampled_from(["a", ".", "/", "%2e", "%2F", "%25", "\\", ";", "%00", " "])))
def test_path_without_fault_stays_below_its_first_segment(parts: list[str]):
    path = "/first/" + "".join(parts)
    if fault_of(path) == "":
        inside = unquote(unquote(path)).split("/")
        assert ".." not in inside
        assert "." not in inside
        assert "" not in inside[1:-1]
