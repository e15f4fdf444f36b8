"""The operator's command ``masumi-sumi``. This is its outer door: errors become one clear line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Exit codes: 0 done, 1 something that was started failed, 2 something to correct first."""
    from masumi_sumi.errors import SumiError
    from masumi_sumi.private_files import UMASK

    os.umask(UMASK)
    try:
        from masumi_sumi.cli.commands import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except SumiError as error:
        sys.exit(_tell(error))
    except Exception as error:  # noqa: BLE001 - the outer door: logged with its traceback
        sys.exit(_tell_unexpected(error))


def _tell(error: Exception) -> int:
    from masumi_sumi.cli.error_log import tell_error
    from masumi_sumi.cli.failures import StackFailed

    print(f"error: {tell_error(error)}", file=sys.stderr)
    return 1 if isinstance(error, StackFailed) else 2


def _tell_unexpected(error: Exception) -> int:
    from masumi_sumi.cli.error_log import write_error
    from masumi_sumi.cli.escaping import shorten_error

    file = write_error(error)
    words = shorten_error(f"{type(error).__name__}: {error}")
    print(f"error: {words}{f' (details in {file})' if file else ''}", file=sys.stderr)
    return 1
