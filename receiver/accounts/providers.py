"""Finding the providers that are installed."""

from collections.abc import Mapping
from importlib.metadata import entry_points

from handlers.provider import Provider

GROUP = "payevents.providers"


def installed_providers() -> Mapping[str, Provider]:
    """Return the installed providers by name, from the entry points of :data:`GROUP`.

    Raises:
        TypeError: an entry point names something that is no provider, or names it otherwise.
    """
    found: dict[str, Provider] = {}
    for entry in entry_points(group=GROUP):
        provider = entry.load()
        if not isinstance(provider, Provider) or provider.name != entry.name:
            raise TypeError(f"the entry point {entry.name} = {entry.value} is not that provider")
        found[provider.name] = provider
    return found
