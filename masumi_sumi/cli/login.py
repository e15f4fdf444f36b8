"""``masumi-sumi login`` and ``masumi-sumi env``: what an operator needs to get in."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer


def login(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print the name and the password of the panel's admin.

    It is KODO_ADMIN_PASSWORD where that is set; else the one that `up` made for the data folder.
    """
    import json
    import os

    from dotenv import dotenv_values

    from masumi_sumi.cli.foreground import load
    from masumi_sumi.cli.operator import panel_url
    from masumi_sumi.errors import SettingInvalid
    from masumi_sumi.panel_secrets import ADMIN, PASSWORD, find_password
    from masumi_sumi.settings import ENV_FILE

    settings = load()
    password = find_password(settings.data_dir, os.environ, dotenv_values(ENV_FILE))
    if not password:
        rule = f"`masumi-sumi up` makes one in {settings.data_dir}; or set SUMI_DATA_DIR"
        raise SettingInvalid(PASSWORD, "", rule)
    if as_json:
        told = {"url": panel_url(settings, None), "name": ADMIN, "password": password}
        print(json.dumps(told))
    else:
        print(f"panel     {panel_url(settings, None)}")
        print(f"name      {ADMIN}")
        print(f"password  {password}")


def env() -> None:
    """Print exports for `ray` and `serve` on the command line: eval "$(masumi-sumi env)".

    The token itself is not printed, only the name of its file.
    """
    from masumi_sumi.cli.environment import get_client_environment
    from masumi_sumi.cli.foreground import load

    for name, value in get_client_environment(load()).items():
        print(f"export {name}={shlex.quote(value)}")
