"""What of a replica's environment its runners get."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, {}),
        ({"pip": ["a"]}, {"pip": ["a"]}),
        ({"env_vars": {"SUMI_APP_SECRET": "x"}}, {}),
        (
            {"env_vars": {"SUMI_APP_SECRET": "x", "A": "b"}, "pip": ["a"]},
            {"env_vars": {"A": "b"}, "pip": ["a"]},
        ),
    ],
)
def test_a_runner_does_not_get_its_apps_secret(
    sold_app: Any, given: dict[str, Any], left: dict[str, Any]
) -> None:
    from masumi_sumi.runtime.agent import without_app_secret

    assert without_app_secret(given) == left
