"""Running a sandbox's controls by name, and saying which there are."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from handlers.jsontext import Json, JsonObject
from handlers.sandbox import Control


class UnknownControl(LookupError):
    """There is no such control; ``str()`` names those that there are."""


class ControlRefused(ValueError):
    """The control cannot do what is asked; ``str()`` says why."""


def run_control(
    controls: Mapping[str, Control], name: str, arguments: Mapping[str, str], now: datetime
) -> Json:
    """Run a control at ``now`` and return what it shows.

    Raises:
        UnknownControl: there is none of that name.
        ControlRefused: it has no such argument, or cannot do what is asked.
    """
    control = controls.get(name)
    if control is None:
        raise UnknownControl(f"there is no control {name!r}; known are {_listed(controls)}")
    for argument in arguments:
        if argument not in control.arguments:
            known = _listed(control.arguments)
            raise ControlRefused(f"{name} has no argument {argument!r}; known are {known}")
    try:
        return control.run(arguments, now)
    except ValueError as error:
        raise ControlRefused(str(error)) from error


def described(controls: Mapping[str, Control]) -> JsonObject:
    """Return what can be caused, and with which arguments."""
    return {
        name: {"help": control.help, "arguments": dict(control.arguments)}
        for name, control in controls.items()
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
