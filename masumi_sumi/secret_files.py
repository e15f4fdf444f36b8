"""Create and read secrets that belong to one data folder."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.settings import Settings

FOLDER = "secrets"

_MODE_OF_FOLDER, _MODE_OF_FILE = 0o700, 0o600


def get_secret_path(data_dir: Path, name: str) -> Path:
    return data_dir / FOLDER / name


def get_gateway_secret(settings: Settings) -> str:
    """Return the master secret that the secrets of all apps are derived from.

    Only the gateway, and who deploys apps through us, may ask for it.
    """
    given = settings.gateway_secret.get_secret_value().strip()
    return given or read_or_create_secret(settings.data_dir, "gateway")


def find_secrets(data_dir: Path) -> frozenset[str]:
    """Return all secrets of this data folder that there are and that this process may read."""
    found = set()
    for path in get_secret_path(data_dir, "any").parent.glob("*"):
        with suppress(OSError, UnicodeDecodeError):
            found.add(path.read_text(encoding="utf-8").strip())
    return frozenset(found - {""})


def read_or_create_secret(data_dir: Path, name: str) -> str:
    """Return the secret ``name`` of this data folder; create a random one when it is missing.

    A file that other users can read is made private again before it is used. Processes that
    create the same secret at the same time get the same one. Raises SettingInvalid when the
    file is empty, and OSError when the folder cannot be written.
    """
    path = get_secret_path(data_dir, name)
    path.parent.mkdir(mode=_MODE_OF_FOLDER, parents=True, exist_ok=True)
    _make_private(path.parent, _MODE_OF_FOLDER)
    if not path.exists():
        _create(path, secrets.token_urlsafe(32))
    _make_private(path, _MODE_OF_FILE)
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise SettingInvalid(str(path), "(empty)", "expected a secret; delete the empty file")
    return secret


def _make_private(path: Path, mode: int) -> None:
    """Change the mode only where it differs: only the owner may."""
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def _create(path: Path, secret: str) -> None:
    """Write the file whole or not at all: a link fails when another process was first."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE_OF_FILE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
