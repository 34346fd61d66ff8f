"""What is wrong with a configuration, told so that the reader can mend it in one go."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

MISTAKES = "payevents_mistakes"
"""The pydantic error type that carries a list of `Mistake`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where (a dotted key), in which file or variable, and how to mend it."""

    where: str
    source: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        head = f"{self.where} ({self.source})" if self.where else self.source
        return f"{head}: {self.what}" + (f"; {self.fix}" if self.fix else "")


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds every reason found, in reading order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True)
class Mistake:
    """What a group's own check objects to; the loader adds the place and the source.

    `key` is the key of the group that is to blame, or "" for the group as a whole.
    """

    key: str
    what: str
    fix: str


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise all of `mistakes` as one error inside a pydantic validator; do nothing without any."""
    found = tuple(mistakes)
    if found:
        told = "; ".join(f"{m.key}: {m.what} ({m.fix})" for m in found)
        raise PydanticCustomError(MISTAKES, "{told}", {"told": told, "mistakes": found})


def one_of(word: str, known: Collection[str]) -> str:
    """Tell which known word `word` may have been meant to be, or else which ones there are."""
    near = nearest(word, known)
    return f'did you mean "{near}"?' if near else f"known are {', '.join(sorted(known)) or 'none'}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was most likely meant to be, if any is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None
