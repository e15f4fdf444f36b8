"""Whether the wallets of what is sold vouch for the key that signs answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from masumi_sumi.buyer.cautions import is_recent
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.sold import Sold
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.payments import statements
from masumi_sumi.payments.statements import Statement
from masumi_sumi.settings import Settings
from masumi_sumi.signing import AgentKey

WHAT = "signing key"


def unvouched(sold: Iterable[Sold], settings: Settings, now: float) -> Iterator[Finding]:
    """Nothing where no key is set; one that cannot be read is told elsewhere. ``now`` in epoch
    seconds.
    """
    setting = settings.agent_key.get_secret_value()
    try:
        key = AgentKey.of(setting)
    except SettingInvalid:
        return
    agents = {each.agent: each for each in sold}
    if key is None or not agents:
        return
    if not Path(setting).is_absolute():
        words = "it is set as its seed, and a wallet's word for it is kept beside a file only"
        yield Finding(WHAT, "beware", words, "put the seed into a file, and its path into the key")
        return
    try:
        words_kept = statements.kept(statements.file_of(Path(setting)))
    except SettingInvalid as error:
        yield Finding(WHAT, "bad", str(error), "delete the file, and publish the key again")
        return
    known = statements.about(key.public_key, words_kept)
    for each in agents.values():
        yield from _of(each, known, key.public_key, now)


def _of(
    sold: Sold, known: Mapping[str, Statement], public_key: str, now: float
) -> Iterator[Finding]:
    advice = f"masumi-sumi key publish {sold.agent} --network {sold.network}, and start it anew"
    word = known.get(sold.agent)
    if word is None:
        words = "no wallet vouches for the key that signs its answers: buyers see a bare key"
        yield Finding(sold.what, "beware", words, advice)
    elif not is_recent(statements.word_of(word, public_key).said_at, now):
        words = "its wallet vouched for the key that signs its answers more than a year ago"
        yield Finding(sold.what, "beware", words, advice)
