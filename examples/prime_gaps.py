"""How often each distance between neighbouring primes occurs: sieving a stretch of numbers, and
joining stretches. Knows nothing of Ray or Kodosumi, so a worker loads it in no time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt


@dataclass(frozen=True)
class Stretch:
    """The primes of a run of numbers: the first, the last, and the gaps between them."""

    first: int
    last: int
    gaps: Counter[int]


def sieve(low: int, high: int) -> Stretch | None:
    """The primes from ``low`` to ``high``; None if there are none."""
    low = max(low, 2)
    if high < low:
        return None
    marked = bytearray(b"\1") * (high - low + 1)
    for divisor in small_primes(isqrt(high)):
        start = max(divisor * divisor, -(-low // divisor) * divisor) - low
        marked[start::divisor] = bytes(len(range(start, len(marked), divisor)))
    primes = [low + place for place, is_prime in enumerate(marked) if is_prime]
    if not primes:
        return None
    return Stretch(primes[0], primes[-1], Counter(b - a for a, b in pairwise(primes)))


def small_primes(highest: int) -> list[int]:
    marked = bytearray(b"\1") * (highest + 1)
    for number in range(2, isqrt(highest) + 1):
        if marked[number]:
            marked[number * number :: number] = bytes(len(range(number**2, highest + 1, number)))
    return [number for number in range(2, highest + 1) if marked[number]]


def joined(stretches: Iterable[Stretch | None]) -> dict[int, int]:
    """Counts by gap over stretches that lie side by side, given in any order."""
    there = sorted((each for each in stretches if each), key=lambda stretch: stretch.first)
    gaps = Counter(right.first - left.last for left, right in pairwise(there))
    for stretch in there:
        gaps += stretch.gaps
    return dict(sorted(gaps.items()))


def split(start: int, end: int, parts: int) -> list[tuple[int, int]]:
    """The numbers from ``start`` to ``end`` in at most ``parts`` runs of about one length."""
    count = end - start + 1
    parts = min(parts, count)
    edges = [start + count * part // parts for part in range(parts + 1)] if parts > 0 else []
    return [(low, high - 1) for low, high in pairwise(edges)]
