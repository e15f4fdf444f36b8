"""Doctor: what a stranger on this machine or its network could use of panel, files and ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
from dotenv import dotenv_values

from masumi_sumi.cli import record
from masumi_sumi.cli.environment import reachable
from masumi_sumi.cli.findings import Finding, Verdict
from masumi_sumi.cli.processes import members
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.panel_secrets import find_set_weaknesses, is_loopback, is_public
from masumi_sumi.private_files import is_open
from masumi_sumi.secret_files import FOLDER
from masumi_sumi.settings import ENV_FILE, Settings


def exposure(settings: Settings) -> Iterator[Finding]:
    yield from panel_secrets(settings)
    yield from data_folder(settings.data_dir)
    yield from listening(settings)


def panel_secrets(settings: Settings) -> Iterator[Finding]:
    """Known secrets are bad where others reach the panel, and worth a word elsewhere."""
    address = f"http://{reachable(settings.host)}:{settings.panel_port}"
    verdict: Verdict = "bad" if is_public(settings, address) else "beware"
    try:
        weak = list(find_set_weaknesses(os.environ, dotenv_values(ENV_FILE)))
    except SettingInvalid as error:
        yield Finding("panel", "bad", str(error), "correct the setting and look again")
        return
    for weakness in weak:
        yield Finding(f"panel: {weakness.setting}", verdict, weakness.words, weakness.advice)
    if not weak:
        yield Finding("panel", "good", "its key, its admin's password and its origins are its own")


def data_folder(folder: Path) -> Iterator[Finding]:
    """Jobs, results and secrets of buyers are in it."""
    if not folder.exists():
        return
    for path in (folder, folder / FOLDER):
        if path.exists() and is_open(path):
            words = f"other users of this machine can look into {path}"
            yield Finding("data folder", "bad", words, f"chmod -R go-rwx {path}; `up` does it too")
            return
    yield Finding("data folder", "good", "only its owner can look into it")


def listening(settings: Settings) -> Iterator[Finding]:
    """Ports of the stack that is up here which others reach, beside those that are meant to be."""
    stack = record.read(settings.data_dir)
    if stack is None or not stack.owner.alive:
        return
    meant = {settings.panel_port, settings.serve_port, settings.sandbox_port}
    beyond = {
        f"{address}:{port} ({name})"
        for name, address, port in _get_places(stack)
        if not is_loopback(address) and port not in meant
    }
    if beyond:
        advice = "close them with a firewall; Ray's own ports belong at 127.0.0.1"
        words = f"listen beyond this machine: {', '.join(sorted(beyond))}"
        yield Finding("ports of the stack", "bad", words, advice)
    else:
        yield Finding("ports of the stack", "good", "none is open that should not be")


def _get_places(stack: record.Record) -> Iterator[tuple[str, str, int]]:
    for process in members(stack.parts):
        try:
            for connection in process.connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    address = connection.laddr.ip.removeprefix("::ffff:")
                    yield process.name(), address, connection.laddr.port
        except psutil.Error:
            continue
