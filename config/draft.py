"""Settings as they were written, before they are checked, and where each of them came from."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.problems import ConfigError, Problem
from config.shape import Place

PREFIX = "PAYEVENTS_"


def variable(place: Place) -> str:
    """Return the name of the environment variable for a key.

    >>> variable(("kafka", "partitions"))
    'PAYEVENTS_KAFKA__PARTITIONS'
    """
    return PREFIX + "__".join(str(part) for part in place).upper().replace("-", "_")


@dataclass(slots=True)
class Draft:
    """Tables as written, with the environment laid over them, and the problems found so far."""

    tables: dict[str, Any]
    file: str
    """What the reader is told about values that no variable set."""
    base: Place = ()
    """Where the tables belong: `("accounts", "shop")` for an account's own file."""
    variables: dict[Place, str] = field(default_factory=dict)
    """Which environment variable set the value, or first made the table, at a place."""
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, base: Place = ()) -> "Draft":
        """Read a TOML file.

        Raises:
            ConfigError: it cannot be read, or is not TOML; says the line and column.

        """
        try:
            return cls(tomllib.loads(path.read_text("utf-8")), str(path), base)
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            fix = "check the path and the permissions"
        except UnicodeDecodeError as error:
            what, fix = f"is not UTF-8 at byte {error.start}", "save it as UTF-8"
        except tomllib.TOMLDecodeError as error:
            what, fix = f"is not TOML: {error}", ""
        raise ConfigError([Problem(".".join(map(str, base)), str(path), what, fix)])

    def source(self, place: Place) -> str:
        """Return the file or the variable that a value came from, or a missing one belongs to."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.variables:
                return self.variables[place[:length]]
        return self.file

    def is_from_environment(self, place: Place) -> bool:
        """Tell whether a variable set the value at `place` or a table around it."""
        return self.source(place) != self.file

    def complain(self, place: Place, what: str, fix: str = "") -> None:
        """Note a problem with the value at `place`, unless one is noted there already.

        The first one told is the cause; what a later check makes of the same value follows from it.
        """
        where = ".".join(str(part) for part in self.base + place)
        if all(problem.where != where for problem in self.problems):
            self.problems.append(Problem(where, self.source(place), what, fix))
