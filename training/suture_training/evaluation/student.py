"""Student's t distribution: its distribution function and quantiles. numpy has neither, and scipy would come for these two alone.

The distribution function is the regularised incomplete beta function (Abramowitz and Stegun 26.7.1), which is computed by its continued
fraction (26.5.8) with Lentz's method. The tests compare with closed forms and tables.
"""

from __future__ import annotations

import functools
import math

_TINY = 1e-300


def cdf(t: float, df: float) -> float:
    """P(T <= t) for `df` > 0 degrees of freedom, whole or not; infinite ones are the normal distribution."""
    if math.isinf(df):
        return 0.5 * math.erfc(-t / math.sqrt(2))
    tail = 0.5 * _incomplete_beta(df / (df + t * t), df / 2, 0.5)
    return 1 - tail if t > 0 else tail


@functools.lru_cache(maxsize=4096)
def quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p, 0 < p < 1: Newton's method inside of an interval that holds it."""
    if p <= 0.5:
        return -quantile(1 - p, df) if p < 0.5 else 0.0
    low, high = 0.0, 1.0
    while cdf(high, df) < p:
        low, high = high, high * 2
    t = (low + high) / 2
    for _ in range(100):
        wrong = cdf(t, df) - p
        low, high = (low, t) if wrong > 0 else (t, high)
        better = t - wrong / _density(t, df)
        better = better if low < better < high else (low + high) / 2
        if abs(better - t) <= 1e-12 * abs(t):
            return better
        t = better
    return t


def two_sided(t: float, df: float) -> float:
    """P(|T| >= |t|)."""
    return 2 * cdf(-abs(t), df)


def _density(t: float, df: float) -> float:
    if math.isinf(df):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    front = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return math.exp(front - (df + 1) / 2 * math.log1p(t * t / df))


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), regularised."""
    if x in (0.0, 1.0):
        return x
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + factor * d)
            c = _away(1 + factor / c)
            step = c * d
            value *= step
        if abs(step - 1) < 1e-15:
            break
    return value


def _away(value: float) -> float:
    """Kept away from zero."""
    return value if abs(value) > _TINY else _TINY
