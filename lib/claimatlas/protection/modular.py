"""Arithmetic modulo a prime on whole arrays, without rounding and without overflow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Residues = npt.NDArray[np.uint64]

MERSENNE = 2**61 - 1
SECOND = 2**31 - 1
PRIMES = (MERSENNE, SECOND)
_LOW31 = np.uint64(2**31 - 1)
_LOW30 = np.uint64(2**30 - 1)
_S30, _S31, _S61 = np.uint64(30), np.uint64(31), np.uint64(61)


def multiply(one: Residues, other: Residues, prime: int) -> Residues:
    """The product; both below the prime."""
    if prime != MERSENNE:
        return np.asarray(one * other % np.uint64(prime))
    high, low = one >> _S31, one & _LOW31
    other_high, other_low = other >> _S31, other & _LOW31
    middle = high * other_low + low * other_high
    # 2^61 is 1, so what overflows comes back from below.
    total = np.uint64(2) * (high * other_high) + (middle >> _S30) + ((middle & _LOW30) << _S31) + low * other_low
    return _folded(total)


def subtract(one: Residues, other: Residues, prime: int) -> Residues:
    """The difference; both below the prime."""
    return np.asarray(np.where(one >= other, one - other, one + np.uint64(prime) - other))


def negate(one: Residues, prime: int) -> Residues:
    """The opposite."""
    return np.asarray(np.where(one == 0, one, np.uint64(prime) - one))


def total(values: Residues, prime: int) -> Residues:
    """The sum over the first axis."""
    low, high = values & _LOW31, values >> _S31
    sum_low = low.sum(axis=0, dtype=np.uint64) % np.uint64(prime)
    sum_high = high.sum(axis=0, dtype=np.uint64) % np.uint64(prime)
    shifted = multiply(sum_high, np.full_like(sum_high, 2**31 % prime), prime)
    return np.asarray((shifted + sum_low) % np.uint64(prime))


def inverse(value: int, prime: int) -> int:
    """One over a value that is not zero."""
    return pow(int(value), -1, prime)


def _folded(values: Residues) -> Residues:
    prime = np.uint64(MERSENNE)
    values = (values & prime) + (values >> _S61)
    return np.asarray(np.where(values >= prime, values - prime, values))
