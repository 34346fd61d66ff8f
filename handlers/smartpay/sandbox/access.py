"""Who may call the sandbox, and how often: keys, tokens, throttling, and the account's end."""

from collections import deque
from datetime import datetime

from handlers.smartpay.sandbox.errors import (
    DISABLED,
    INVALID_KEY,
    INVALID_TOKEN,
    THROTTLED,
    ApiError,
)
from handlers.smartpay.sandbox.strictness import Strictness

API_KEY = "sandbox-api-key"
IFRAME_KEY = "sandbox-iframe-key"


class Access:
    """The keys of the one merchant, and the tokens given out."""

    def __init__(self, strictness: Strictness) -> None:
        self._strictness = strictness
        self._tokens: dict[str, datetime] = {}
        self._given = 0
        self._calls: deque[datetime] = deque()
        self._throttled = 0
        self.is_disabled = False

    def count_call(self, now: datetime) -> None:
        """Count one call.

        Raises:
            ApiError: the account is disabled, or there were too many calls.

        """
        if self.is_disabled:
            raise ApiError(DISABLED)
        while self._calls and self._calls[0] <= now - self._strictness.calls_per:
            self._calls.popleft()
        if len(self._calls) < self._strictness.calls:
            self._calls.append(now)
            self._throttled = 0
            return
        self._throttled += 1
        if self._throttled > self._strictness.throttled_most:
            self.is_disabled = True
            raise ApiError(DISABLED)
        raise ApiError(THROTTLED)

    def sign_in(self, api_key: str, now: datetime) -> tuple[str, datetime]:
        """Return a new token and when it expires.

        Raises:
            ApiError: the key is not the merchant's.

        """
        if api_key != API_KEY:
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
