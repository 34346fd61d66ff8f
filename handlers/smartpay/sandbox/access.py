"""Who may call the sandbox, and how often: keys, tokens, throttling, and the account's end."""

from collections import deque
from datetime import datetime

from handlers.smartpay.sandbox.errors import (
    DISABLED,
    INVALID_KEY,
    INVALID_TOKEN,
    THROTTLED,
    ApiError,
    Failing,
)
from handlers.smartpay.sandbox.strictness import Strictness

API_KEY = "sandbox-api-key"
"""The merchant's first API key."""

IFRAME_KEY = "sandbox-iframe-key"


class Access:
    """The keys of the one merchant, and the tokens given out.

    ``api_key`` is the one that holds now: it signs in, and signs the webhooks. ``retiring`` are the
    versions of the API whose end is warned of. While it ``is_throttling`` any call is one too many.
    """

    def __init__(self, strictness: Strictness) -> None:
        self._strictness = strictness
        self._tokens: dict[str, datetime] = {}
        self._given = 0
        self._keys = 1
        self._calls: deque[datetime] = deque()
        self._errors: deque[datetime] = deque()
        self._throttled = 0
        self.api_key = API_KEY
        self.is_disabled = False
        self.is_throttling = False
        self.retiring: set[str] = set()

    def count_call(self, now: datetime) -> None:
        """Count one call.

        Raises:
            ApiError: the account is disabled, or there were too many calls.

        """
        if self.is_disabled:
            raise ApiError(DISABLED)
        _forget(self._calls, now - self._strictness.calls_per)
        if len(self._calls) < self._strictness.calls and not self.is_throttling:
            self._calls.append(now)
            self._throttled = 0
            return
        self._throttled += 1
        if self._throttled > self._strictness.throttled_most:
            self.is_disabled = True
            raise ApiError(DISABLED)
        raise ApiError(THROTTLED)

    def count_error(self, now: datetime) -> None:
        """Count an error that was answered: one too many disables the account."""
        _forget(self._errors, now - self._strictness.errors_per)
        self._errors.append(now)
        if len(self._errors) > self._strictness.errors_most:
            self.is_disabled = True

    def worded(self, failing: Failing) -> Failing:
        """Return an error as it is worded here."""
        return failing._replace(text=self._strictness.wording.get(failing.code, failing.text))

    def enable(self) -> None:
        """Enable the account again, as somebody at SmartPay would, and count from nothing."""
        self.is_disabled = False
        self._throttled = 0
        self._calls.clear()
        self._errors.clear()

    def sign_in(self, api_key: str, now: datetime) -> tuple[str, datetime]:
        """Return a new token and when it expires.

        Raises:
            ApiError: the key is not the merchant's, or not any more.

        """
        if api_key != self.api_key:
            raise ApiError(INVALID_KEY)
        self._given += 1
        token = f"sandbox-token-{self._given}"
        self._tokens[token] = now + self._strictness.token_lifetime
        return token, self._tokens[token]

    def check_token(self, token: str, now: datetime) -> None:
        """Check that a token was given out and has not expired.

        Raises:
            ApiError: it was not, or it has.

        """
        expires_on = self._tokens.get(token)
        if expires_on is None or expires_on <= now:
            raise ApiError(INVALID_TOKEN)

    def expire_tokens(self) -> int:
        """Make all tokens expire early; return how many there were."""
        expired = len(self._tokens)
        self._tokens.clear()
        return expired

    def rotate_key(self) -> str:
        """Return the merchant's new API key; the old one, and its tokens, are refused from now."""
        self._keys += 1
        self.api_key = f"{API_KEY}-{self._keys}"
        self.expire_tokens()
        return self.api_key


def _forget(times: deque[datetime], before: datetime) -> None:
    while times and times[0] <= before:
        times.popleft()
