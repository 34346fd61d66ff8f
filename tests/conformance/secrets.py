"""The secrets of an account, to be looked for where they must not be."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, SecretStr

_SHORTEST = 8


def secrets_of(settings: object) -> Iterator[str]:
    """Yield every secret in the settings, however deep."""
    if isinstance(settings, SecretStr):
        yield settings.get_secret_value()
    elif isinstance(settings, BaseModel):
        for name in type(settings).model_fields:
            yield from secrets_of(getattr(settings, name))
    elif isinstance(settings, dict):
        yield from secrets_of(list(settings.values()))
    elif isinstance(settings, list | tuple | set | frozenset):
        for each in settings:
            yield from secrets_of(each)


def shown_in(text: str, secrets: Iterable[str]) -> list[str]:
    """Return those of ``secrets`` that ``text`` shows; what is very short occurs by chance."""
    return [secret for secret in secrets if len(secret) >= _SHORTEST and secret in text]
