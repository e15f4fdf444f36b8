"""Keep in ``DATA_DIR/logs/masumi-sumi.log`` what an error message leaves out."""

from __future__ import annotations

import os
import traceback
from datetime import datetime
from pathlib import Path

from masumi_sumi.cli.escaping import shorten_error
from masumi_sumi.logs import replace_secrets

FILE = "masumi-sumi.log"

_folder: Path | None = None


def use_folder(data_dir: Path) -> None:
    """Write to the log of this data folder from now on."""
    global _folder
    _folder = data_dir


def write_error(error: BaseException, details: str = "") -> Path | None:
    """Append the error, its details and its traceback; return the file, None if it is not writable.

    The file is its owner's alone: foreign texts may hold anything.
    """
    file = (_folder or Path(os.environ.get("SUMI_DATA_DIR") or "data")) / "logs" / FILE
    told = "".join(traceback.format_exception(error))
    text = "\n".join(filter(None, [f"{datetime.now().astimezone():%F %T%z}", details, told]))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as log:
            log.write(f"{replace_secrets(text)}\n")
    except OSError:
        return None
    return file


def tell_error(error: BaseException) -> str:
    """Return the error in one or two lines; when that is not all of it, the log keeps the rest.

    ``details`` of the error are for the log only.
    """
    details = str(getattr(error, "details", ""))
    words = str(error)
    short = shorten_error(words)
    if short == words and (not details or details in words):
        return short
    file = write_error(error, details)
    return f"{short} (details in {file})" if file else short
