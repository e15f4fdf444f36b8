"""Start the gateway with secrets of its own, before Kodosumi reads its settings.

Kodosumi reads its key when it is imported, so this module may not import it.
"""

from __future__ import annotations

import os
import sys

from dotenv import dotenv_values

from masumi_sumi.errors import SumiError
from masumi_sumi.panel_secrets import get_given, get_panel_environment
from masumi_sumi.private_files import UMASK
from masumi_sumi.settings import ENV_FILE, Settings

ADDRESS, DEFAULT_ADDRESS = "KODO_APP_SERVER", "http://localhost:3370"


def prepare() -> None:
    """Put the panel's secrets into this process's environment. Raises ConfigurationError."""
    os.umask(UMASK)
    settings, dotenv = Settings(), dotenv_values(ENV_FILE)
    address = get_given(ADDRESS, os.environ, dotenv) or DEFAULT_ADDRESS
    os.environ.update(get_panel_environment(settings, address, os.environ, dotenv))


def main() -> None:
    try:
        prepare()
    except SumiError as error:
        sys.exit(f"error: {error}")
    from masumi_sumi.gateway.panel import serve

    serve("masumi_sumi.gateway:create_app")
