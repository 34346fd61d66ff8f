"""Which of SmartPay's errors end all calls: the documented one, and what surely means as much.

Source: SmartPay's API documents name a single error, ``1001`` (Invalid key), alike in both
versions, and say that users who call too often are disabled. Under which code is not documented,
so that only words can tell. What is not understood here ends nothing: calls pause after it.
"""

import re
from collections.abc import Iterable

_INVALID_KEY = re.compile(r"(?:(?:error )?code: )?1001(?=:| -|$)")
"""The documented code at the beginning of an error, or told as the ``code`` of an object."""

_IS = r"(?:(?:is|was|has|been|now|currently|permanently) )*"
_WRONG = r"(?:invalid|not valid|incorrect|wrong|expired|revoked|disabled|deactivated)"
_ENDED = r"(?:disabled|suspended|deactivated)"
_KEY = r"(?:api|iframe) ?key"
_USER = r"(?:account|user|merchant|access)"

_WORDS = re.compile(
    rf"\b(?:{_WRONG} {_KEY}|{_KEY}:? {_IS}{_WRONG}|{_USER} {_IS}{_ENDED}|{_ENDED} {_USER})\b"
)
_WHOLE = re.compile(
    rf"(?:(?:\d+|error|message):? )?(?:{_WRONG} key|(?:(?:the|your) )?key {_IS}{_WRONG}|{_ENDED})"
)
"""What counts only if nothing else is said: there are other keys, and other things to disable."""

_NOT_OF_THE_ACCOUNT = re.compile(rf"https?://\S+|webhook[^.:;,]*{_ENDED}")
"""A URL that is repeated, whichever words it is made of, and the end of a mere webhook."""

_PASSES = re.compile(r"\b(?:for \d+|until|later|maintenance|temporar\w+)\b")
"""What is said of an end that is none."""

_GAP = re.compile(r"(?<=\w)[_-](?=\w)|\s+")


def refuse_for_good(errors: Iterable[str], *, may_pass: bool = False) -> bool:
    """Return whether one of the errors says that the key is invalid, or the account disabled.

    They are texts such as ``1001: Invalid key``. Where the status says that it ``may_pass``, the
    documented code counts, and no other words.
    """
    said = [_GAP.sub(" ", spoken(error)).strip(" .!") for error in errors]
    if any(_INVALID_KEY.match(each) for each in said):
        return True
    return not may_pass and any(_refuses_for_good(each) for each in said)


def spoken(error: str) -> str:
    """Return an error in lower case, without what it does not say of the account."""
    return _NOT_OF_THE_ACCOUNT.sub("", error.lower())


def _refuses_for_good(said: str) -> bool:
    is_refusal = _WORDS.search(said) or _WHOLE.fullmatch(said)
    return is_refusal is not None and _PASSES.search(said) is None
