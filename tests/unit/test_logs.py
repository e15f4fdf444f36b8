"""Test that logs tell a sentence and its fields, and none of the secrets of the settings."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from masumi_sumi import logs
from masumi_sumi.logs import FieldsFormatter, hide_secrets
from masumi_sumi.secret_files import find_secrets, read_or_create_secret
from masumi_sumi.settings import Settings

TOKEN = "node-token-9f8e7d6c"


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(logs, "_secrets", [])
    yield
    logging.setLogRecordFactory(factory)


@pytest.fixture(params=["ours", "a library's"])
def logged(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    if request.param == "ours":
        handler.setFormatter(FieldsFormatter())
    logger = logging.getLogger(f"test.{request.param}")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_a_secret_shows_in_no_part_of_a_line(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    hide_secrets([TOKEN])

    logger.error("asked with %s", TOKEN)
    logger.error(f"asked with {TOKEN}")
    logger.error("asked", extra={"note": f"token {TOKEN}!", "headers": {"token": TOKEN}})
    try:
        raise ValueError(f"refused {TOKEN}") from KeyError(TOKEN)
    except ValueError:
        logger.exception("broke off")

    text = stream.getvalue()
    assert TOKEN not in text
    assert "ValueError: refused [hidden]" in text
    assert text.count("asked") == 3


def test_a_longer_secret_goes_whole_and_a_short_word_stays(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    hide_secrets([TOKEN[:12], TOKEN, "sandbox", ""])

    logger.error("the sandbox has %s", TOKEN)

    assert "the sandbox has [hidden]" in stream.getvalue()
    assert TOKEN[12:] not in stream.getvalue()


def test_arguments_that_do_not_fit_are_left_to_logging(
    logged: tuple[logging.Logger, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    hide_secrets([TOKEN])

    logged[0].error("%d things", "many")


def test_secrets_of_the_settings_and_of_the_data_folder_are_known(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        nodes={"Preprod": {"url": "http://node.test/api/v1", "token": TOKEN}},
        agent_key="ab" * 32,
        app_secret="an-app-secret",
        gateway_secret="a-gateway-secret",
        database_url="postgresql+asyncpg://me:p%40ssword@db/x",
    )
    kept = read_or_create_secret(tmp_path, "gateway")

    assert settings.secret_values == {
        TOKEN,
        "ab" * 32,
        "an-app-secret",
        "a-gateway-secret",
        "p@ssword",
    }
    assert find_secrets(tmp_path) == {kept}
    assert find_secrets(tmp_path / "nowhere") == frozenset()
