"""Progress of long work, the result of its generator, counts and numbers in words."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """Number of steps done, and of all."""

    done: int
    total: int


def finish(steps: Generator[Progress, None, Result], report: Callable[[Progress], None] | None = None) -> Result:
    """Run a generator to its end and return its result; `report` is called at each step."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return end.value
        if report is not None:
            report(progress)


def decimal(number: float, digits: int) -> str:
    """Return a number with so many significant digits, and never with an exponent."""
    return f"{Decimal(f'{number:.{digits}g}'):f}"


def counted(number: float, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    shown = f"{number:g}" if isinstance(number, float) else number
    return f"{shown} {noun}" if number == 1 else f"{shown} {plural or f'{noun}s'}"
