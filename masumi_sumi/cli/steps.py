"""Steps that need one another, done side by side wherever they do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event

from masumi_sumi.cli.failures import StackFailed


class Cancelled(Exception):
    """Raised inside a step when it is no longer wanted."""


@dataclass(frozen=True)
class Step:
    """``run`` blocks until the step is done. Needs that are not among the steps do not count."""

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()


FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
"""Seconds between two attempts; the pause doubles each time."""


def retry[T](attempt: Callable[[float], T], *, seconds: float, check: Callable[[], None]) -> T:
    """Call ``attempt``, with the seconds that are left, until it succeeds or fails for good.

    ``check`` is called while one waits, and may raise. Raises the last StackFailed.
    """
    end, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            return attempt(max(1.0, end - time.monotonic()))
        except StackFailed as error:
            if not error.is_transient or time.monotonic() + pause >= end:
                raise
        _sleep(pause, check)
        pause = min(2 * pause, LONGEST_PAUSE)


def _sleep(seconds: float, check: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(0.1, left))


def perform(steps: Sequence[Step], cancelled: Event) -> None:
    """Do all steps. The first failure is raised at once; ``cancelled`` tells the others, and
    whoever is interrupted here sets it too."""
    done = {step.name: Event() for step in steps}

    def one(step: Step) -> None:
        for need in step.needs:
            while need in done and not done[need].wait(0.1):
                if cancelled.is_set():
                    raise Cancelled
        step.run()
        done[step.name].set()

    pool = ThreadPoolExecutor(max_workers=max(1, len(steps)))
    try:
        futures = [pool.submit(one, step) for step in steps]
        finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in finished:
            future.result()
    except BaseException:
        cancelled.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
