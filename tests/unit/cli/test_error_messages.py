"""Test that an error is one or two lines, however long and hostile the foreign text in it is."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masumi_sumi.cli import _tell, _tell_unexpected, error_log
from masumi_sumi.cli.error_log import tell_error
from masumi_sumi.cli.escaping import find_last_line, shorten_error
from masumi_sumi.cli.failures import DeployFailed, PartDied, PartLate
from masumi_sumi.cli.operator import BootFailed
from masumi_sumi.cli.panel import PanelRefused
from masumi_sumi.errors import SettingInvalid

TRACE = """Traceback (most recent call last):
  File "/srv/ray/serve/build.py", line 12, in build
    return import_attr(path)
           ^^^^^^^^^^^^^^^^^
  File "/srv/ray/utils.py", line 4, in import_attr
ModuleNotFoundError: No module named 'nope'"""

REPLICA = f"""The deployment failed to start 3 times in a row.
\x1b[36mray::ServeReplica:one:Two.initialize()\x1b[39m (pid=7, ip=127.0.0.1)
  File "/usr/lib/python3.12/concurrent/futures/_base.py", line 456, in result
    return self.__get_result()
RuntimeError: the model is not here

During handling of the above exception, another exception occurred:

{TRACE}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(error_log, "_folder", tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("text", [TRACE, REPLICA, f"Deploying failed:\n{TRACE}\n", TRACE * 50])
def test_of_a_traceback_its_error_is_left(text: str) -> None:
    assert shorten_error(text).splitlines()[-1] == (
        "ModuleNotFoundError: No module named 'nope'" if "nope" in text else ""
    )
    assert 'File "' not in shorten_error(text)


def test_a_message_of_two_lines_stays_as_it_is() -> None:
    assert shorten_error("first: second\nthird") == "first: second\nthird"


def test_a_log_says_its_error_or_its_last_line() -> None:
    assert (
        find_last_line(f"starting\n{TRACE}\nbye") == "ModuleNotFoundError: No module named 'nope'"
    )
    assert find_last_line("one\ntwo\n\n") == "two"
    assert find_last_line("") == "it is empty"


@given(st.text())
def test_any_text_is_at_most_two_lines_that_steer_nothing(text: str) -> None:
    lines = shorten_error(text).split("\n")
    assert len(lines) <= 2
    assert all(len(line) <= 301 and (line.isprintable() or not line) for line in lines)


def test_a_text_of_megabytes_is_short_at_once() -> None:
    assert len(shorten_error("x\x1b[" * 2_000_000)) < 700
    assert len(shorten_error(" a\n" * 2_000_000)) < 700


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DeployFailed("one", REPLICA), "could not deploy one: ModuleNotFoundError"),
        (PartDied("panel", 1, Path("panel.log"), TRACE), "panel died (exit code 1): ModuleNotF"),
        (PartDied("ray", -9, Path("ray.log"), ""), "ray died (signal 9): it is empty (its log:"),
        (PartLate("ray", 9.0, Path("ray.log"), TRACE), "within 9 s: ModuleNotFoundError"),
        (BootFailed("boot", REPLICA), "ModuleNotFoundError"),
        (SettingInvalid("--config", "x.yaml", f"is no YAML: {REPLICA}"), "ModuleNotFoundError"),
        (PanelRefused("POST /x", "500: no", details=TRACE), "the panel refused POST /x: 500: no"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_command_tells_an_error_in_two_lines_and_keeps_the_rest(
    error: Exception, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _tell(error)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 2
    assert told in "\n".join(lines)
    if not isinstance(error, PartDied | PartLate):
        log = folder / "logs" / "masumi-sumi.log"
        assert str(log) in lines[-1]
        assert 'File "' in log.read_text()
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_an_error_that_nobody_expected_is_one_line_and_its_traceback_in_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="bad") as caught:
        raise ValueError(f"bad\n{TRACE}")

    assert _tell_unexpected(caught.value) == 1

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: ValueError: bad"
    assert lines[1].startswith("ModuleNotFoundError: No module named 'nope' (details in ")
    assert "raise ValueError" in (folder / "logs" / "masumi-sumi.log").read_text()


def test_a_log_that_cannot_be_written_costs_the_details_only(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("a file, where the folder should be")

    assert _tell_unexpected(ValueError("bad")) == 1
    assert capsys.readouterr().err == "error: ValueError: bad\n"


def test_a_short_error_leaves_no_log(folder: Path) -> None:
    assert tell_error(SettingInvalid("SUMI_HOST", "x", "is no host")).count("\n") == 0
    assert not folder.exists()
