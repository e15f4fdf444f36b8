"""Commands that would open a panel to others with secrets that everybody knows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from masumi_sumi.cli.ports import free_ports

KNOWN = {
    "KODO_ADMIN_PASSWORD": "admin",
    "KODO_SECRET_KEY": "top secret -- change this in production",
    "KODO_CORS_ORIGINS": "*",
}


def run(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    left_out = ("SUMI_", "KODO_", "RAY_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={**kept, "SUMI_DATA_DIR": str(folder / "data"), **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", KNOWN)
def test_up_and_gateway_refuse_them_beyond_loopback(tmp_path: Path, name: str) -> None:
    known = {name: KNOWN[name]}
    ports = zip(("PANEL", "SERVE", "SANDBOX", "RAY", "DASHBOARD"), free_ports(5), strict=True)
    places = {f"SUMI_{part}_PORT": str(port) for part, port in ports}

    up = run(tmp_path, "masumi_sumi.cli", "up", "--host", "0.0.0.0", **places, **known)
    address = f"http://0.0.0.0:{places['SUMI_PANEL_PORT']}"
    gateway = run(tmp_path, "masumi_sumi.gateway", KODO_APP_SERVER=address, **known)

    assert up.returncode == 2, up.stderr
    assert gateway.returncode == 1, gateway.stderr
    for refused in (up, gateway):
        assert f"error: {name}" in refused.stderr
        assert len(refused.stderr.splitlines()) <= 2
        assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data" / "stack.json").exists()
