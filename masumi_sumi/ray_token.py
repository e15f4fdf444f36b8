"""Authenticate at a Ray cluster: where its token is kept, and how a request carries it.

Ray itself reads ``RAY_AUTH_MODE`` and ``RAY_AUTH_TOKEN_PATH``. Whoever holds the token can run
code on the cluster, so the token stands in a file that only its owner can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.secret_files import get_secret_path

SECRET = "ray-token"
MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


def get_token_environment(data_dir: Path) -> dict[str, str]:
    """Return what every process needs that connects to the Ray of this data folder."""
    return {MODE: "token", TOKEN_PATH: str(get_secret_path(data_dir, SECRET))}


def read_token(environ: Mapping[str, str]) -> str:
    """Return the token that Ray would use in this environment; an empty text when there is none.

    Raises SettingInvalid when the file is named but cannot be read: a request without its token
    would only be refused later, with fewer words.
    """
    if token := environ.get(TOKEN, "").strip():
        return token
    path = environ.get(TOKEN_PATH, "")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(TOKEN_PATH, path, f"the file cannot be read: {error}") from error


def get_auth_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a request to Ray's dashboard needs."""
    token = read_token(environ)
    return {"Authorization": f"Bearer {token}"} if token else {}
