from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from examples.prime_gaps import joined, sieve, split

NUMBERS = st.integers(0, 3_000)


def distribution(start: int, end: int, parts: int) -> dict[int, int]:
    return joined(sieve(low, high) for low, high in split(start, end, parts))


def naive(start: int, end: int) -> dict[int, int]:
    primes = [n for n in range(max(start, 2), end + 1) if all(n % d for d in range(2, n))]
    gaps = [b - a for a, b in pairwise(primes)]
    return {gap: gaps.count(gap) for gap in sorted(set(gaps))}


def test_the_notebook_s_counts() -> None:
    counts = distribution(0, 100_000, 10)

    assert {gap: counts[gap] for gap in (1, 2, 4, 10, 12, 14, 16, 18, 20, 30, 40)} == {
        **{1: 1, 2: 1224, 4: 1215, 10: 916, 12: 964, 14: 484, 16: 339, 18: 514, 20: 238},
        **{30: 146, 40: 28},
    }


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 40))
def test_the_counts_are_those_of_trial_division(start: int, size: int, parts: int) -> None:
    assert distribution(start, start + size, parts) == naive(start, start + size)


@given(NUMBERS, NUMBERS, st.integers(1, 100))
def test_the_number_of_parts_makes_no_difference(start: int, size: int, parts: int) -> None:
    assert distribution(start, start + size, parts) == distribution(start, start + size, 1)


@given(NUMBERS, NUMBERS, st.integers(1, 100))
def test_the_parts_are_the_whole_without_gap_or_overlap(start: int, size: int, parts: int) -> None:
    runs = split(start, start + size, parts)

    assert [n for low, high in runs for n in range(low, high + 1)] == list(
        range(start, start + size + 1)
    )
    assert len(runs) <= parts


def test_an_empty_range_has_no_gaps() -> None:
    assert distribution(10, 9, 5) == {}
    assert distribution(24, 28, 5) == {}
    assert distribution(0, 100, 0) == {}
