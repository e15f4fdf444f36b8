"""Test what `make test` does on a machine without a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "real" / "install_browser.sh"
PROGRAMS = ("env", "mktemp", "sh", "tail", "touch", "chmod")

APT_THAT_INSTALLS = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
case "$*" in *install*) for name in chromium chromedriver; do
    touch "$BIN/$name"; chmod +x "$BIN/$name"; done;; esac
"""
APT_THAT_FAILS = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
echo "E: no mirror answers"
exit 100
"""
SUDO_WITHOUT_PASSWORD = """#!/bin/sh
echo "sudo $*" >> "$CALLS"
test "$1" = -n && shift
exec "$@"
"""
SUDO_WITH_PASSWORD = """#!/bin/sh
echo "sudo: a password is required" >&2
exit 1
"""


class Machine:
    """A PATH that has a few programs only, and a user."""

    def __init__(self, folder: Path, uid: int) -> None:
        self.bin, self.calls = folder / "bin", folder / "calls"
        self.bin.mkdir()
        for name in PROGRAMS:
            program = shutil.which(name)
            assert program
            (self.bin / name).symlink_to(program)
        self.add("id", f"#!/bin/sh\necho {uid}\n")
        self.add("true", "#!/bin/sh\nexit 0\n")

    def add(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def install(self, **environ: str) -> subprocess.CompletedProcess[str]:
        known = {"PATH": str(self.bin), "BIN": str(self.bin), "CALLS": str(self.calls), **environ}
        return subprocess.run([SCRIPT], env=known, capture_output=True, text=True, check=False)

    @property
    def asked(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def test_a_browser_that_is_there_is_left_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    for name in ("chromium", "chromedriver"):
        machine.add(name, "#!/bin/sh\n")
    machine.add("apt-get", APT_THAT_FAILS)

    done = machine.install(CI="true")

    assert (done.returncode, done.stdout, done.stderr, machine.asked) == (0, "", "", [])


def test_root_gets_the_browser_without_a_question(tmp_path: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.add("apt-get", APT_THAT_INSTALLS)

    done = machine.install(CI="true")

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    update, install = machine.asked
    assert update.endswith("update")
    assert "install chromium chromium-driver -y" in install


def test_a_user_with_sudo_that_asks_nothing_gets_the_browser(tmp_path: Path) -> None:
    machine = Machine(tmp_path, uid=1000)
    machine.add("apt-get", APT_THAT_INSTALLS)
    machine.add("sudo", SUDO_WITHOUT_PASSWORD)

    done = machine.install()

    assert done.returncode == 0
    assert (machine.bin / "chromium").exists()
    assert all(each.startswith(("sudo -n", "apt-get")) for each in machine.asked)


@pytest.mark.parametrize("sudo", [None, SUDO_WITH_PASSWORD])
def test_a_user_without_rights_goes_on_without_it_but_not_in_ci(
    tmp_path: Path, sudo: str | None
) -> None:
    machine = Machine(tmp_path, uid=1000)
    machine.add("apt-get", APT_THAT_INSTALLS)
    if sudo:
        machine.add("sudo", sudo)

    done, in_ci = machine.install(), machine.install(CI="true")

    assert (done.returncode, done.stdout, done.stderr, machine.asked) == (0, "", "", [])
    assert in_ci.returncode == 1
    assert "CI never skips" in in_ci.stderr


@pytest.mark.parametrize("ci", ["", "true"])
def test_an_install_that_fails_fails_in_ci_only(tmp_path: Path, ci: str) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.add("apt-get", APT_THAT_FAILS)

    done = machine.install(CI=ci)

    assert done.returncode == (1 if ci else 0)
    assert ("no mirror answers" in done.stderr) == bool(ci)


TEST_FILE = """
import pytest
from browser import chromium

@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium("http://127.0.0.1", tmp_path_factory.mktemp("browser")) as browser:
        yield browser

def test_first(browser): ...
def test_second(browser): ...
def test_without(): ...
"""


@pytest.mark.parametrize("ci", ["", "true"])
def test_browser_tests_are_skipped_in_one_line_but_fail_in_ci(tmp_path: Path, ci: str) -> None:
    (tmp_path / "test_pages.py").write_text(TEST_FILE)
    (tmp_path / "conftest.py").write_text("from browser import pytest_runtest_makereport\n")
    environ = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests" / "real"), str(ROOT)])
    words = ("-m", "pytest", "-ra", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))

    done = subprocess.run(
        [sys.executable, *words, "--confcutdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    if ci:
        assert (done.returncode, skipped) == (1, [])
        assert "1 passed, 2 errors" in done.stdout
    else:
        assert done.returncode == 0
        assert "1 passed, 2 skipped" in done.stdout
        assert len(skipped) == 1
        assert skipped[0].startswith("SKIPPED [2] browser tests: chromium or chromedriver is ")
        assert "sudo apt-get install chromium chromium-driver" in skipped[0]
