"""A line of the result."""

from typing import NamedTuple


class Line(NamedTuple):
    passed: bool
    what: str
    figures: str

    def __str__(self):
        return f"{'PASS' if self.passed else 'FAIL'}  {self.what}  {self.figures}"
