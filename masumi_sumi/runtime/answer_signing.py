"""Sign that a buyer's answer was taken, beside the key and the store: in the supervisor."""

from __future__ import annotations

import logging

from masumi_sumi.jobs.model import LockOutcome
from masumi_sumi.jobs.ports import JobStore
from masumi_sumi.signing import AgentKey, Taken

log = logging.getLogger(__name__)


async def sign_answer(
    store: JobStore, key: AgentKey | None, taken: Taken, network: str, public_key: str
) -> str:
    """Return the signature in hex, or an empty text when there is nothing to sign.

    ``public_key`` is the key that the app shows to buyers. Any code on the cluster can ask for a
    signature, so only an answer that the store knows is signed.
    """
    if key is None or key.public_key != public_key:
        _log_refusal(taken, "the app shows another key: start the stack anew")
        return ""
    if not await _is_known(store, taken):
        _log_refusal(taken, "no such answer was taken")
        return ""
    return key.sign(taken, network)


async def _is_known(store: JobStore, taken: Taken) -> bool:
    job = await store.job(taken.job_id)
    if job is None or job.identifier != taken.identifier:
        return False
    locks = await store.locks(taken.job_id)
    return any(
        lock.outcome is LockOutcome.ANSWERED and lock.input_hash == taken.input_hash
        for lock in locks
    )


def _log_refusal(taken: Taken, reason: str) -> None:
    log.error("an answer is not signed", extra={"job_id": taken.job_id, "note": reason})
