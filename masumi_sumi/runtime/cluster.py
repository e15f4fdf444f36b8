"""Where Ray and Kodosumi are, as Kodosumi's own settings say (``KODO_*``)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray


@contextmanager
def connected() -> Iterator[None]:
    """A driver of the cluster at KODO_RAY_SERVER."""
    from kodosumi.config import InternalSettings

    ray.init(address=InternalSettings().RAY_SERVER, logging_level=logging.WARNING)
    try:
        yield
    finally:
        ray.shutdown()


def exec_dir() -> Path:
    """Below which Kodosumi keeps its executions."""
    from kodosumi.config import InternalSettings

    return Path(InternalSettings().EXEC_DIR)
