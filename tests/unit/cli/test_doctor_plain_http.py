"""Test that doctor warns of a payment node whose key can be read on the way."""

from __future__ import annotations

import pytest

from masumi_sumi.cli.doctor import find_plain_http


@pytest.mark.parametrize(
    "url",
    [
        "http://node.example/api/v1",
        "HTTP://10.0.0.5:3001/api/v1",
        "http://[2001:db8::1]:3001/api/v1",
        "http://localhost.example.com/api/v1",
    ],
)
def test_plain_http_beyond_loopback_is_a_warning(url: str) -> None:
    [finding] = find_plain_http("Preprod", url)

    assert (finding.what, finding.verdict) == ("node of Preprod", "beware")
    assert "http://" in finding.words
    assert "https://" in finding.advice


@pytest.mark.parametrize(
    "url",
    [
        "https://node.example/api/v1",
        "http://127.0.0.1:3001/api/v1",
        "http://localhost:3001/api/v1",
        "http://[::1]:3001/api/v1",
        "http://[half",
    ],
)
def test_https_and_loopback_are_no_warning(url: str) -> None:
    assert list(find_plain_http("Preprod", url)) == []
