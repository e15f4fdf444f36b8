"""The operator's command ``masumi-sumi``. This is its outer door: errors become one clear line."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path


def main() -> None:
    """Exit codes: 0 done, 1 something that was started failed, 2 something to correct first."""
    from masumi_sumi.errors import SumiError

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
    from masumi_sumi.cli.failures import StackFailed

    print(f"error: {error}", file=sys.stderr)
    return 1 if isinstance(error, StackFailed) else 2


def _tell_unexpected(error: Exception) -> int:
    log = Path(os.environ.get("SUMI_DATA_DIR", "data")) / "logs" / "masumi-sumi.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=log, format="%(asctime)s %(levelname)s %(message)s", force=True)
    logging.getLogger(__name__).error("the command failed", exc_info=error)
    print(f"error: {type(error).__name__}: {error} (details in {log})", file=sys.stderr)
    return 1
