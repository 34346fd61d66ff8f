"""Reading fields of a request: query parameters and JSON alike."""

from collections.abc import Collection, Mapping

from receiver.http.errors import Refused


def known(given: Mapping[str, object], names: Collection[str]) -> None:
    """Refuse fields that nothing would heed: a misspelt filter must not be no filter.

    Raises:
        Refused: 400, naming them.
    """
    unknown = sorted(given.keys() - set(names))
    if unknown:
        told = f"{', '.join(unknown)[:200]}: unknown; known are {', '.join(sorted(names))}"
        raise Refused(400, "bad-request", told)


def whole_number(
    given: Mapping[str, object], name: str, otherwise: int, *, least: int = 1, most: int
) -> int:
    """Return a whole number, which a query parameter writes as text.

    Raises:
        Refused: 400, it is none or not within ``least`` and ``most``.
    """
    value = given.get(name)
    if value is None:
        return otherwise
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        told = f"{name}: it must be a whole number from {least} to {most}"
        raise Refused(400, "bad-request", told)
    return value


def flag(given: Mapping[str, object], name: str) -> bool:
    """Return whether something is wished; it is not unless the field says so.

    Raises:
        Refused: 400, it is neither true nor false.
    """
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Refused(400, "bad-request", f"{name}: it must be true or false")
    return value
