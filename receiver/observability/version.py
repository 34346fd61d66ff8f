"""Which version of payevents this is."""

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """Return the version of payevents that is installed."""
    try:
        return version("payevents")
    except PackageNotFoundError:
        return "unknown"
