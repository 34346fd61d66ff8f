"""The sandbox's errors. Only 1001 is in SmartPay's documents; the other codes are made up."""

from typing import NamedTuple


class Failing(NamedTuple):
    """A way to fail; ``status`` is version 2-0's, since 1-2 answers 200 to everything."""

    code: int
    text: str
    status: int


INVALID_KEY = Failing(1001, "Invalid key", 401)
INVALID_TOKEN = Failing(1002, "Invalid token", 401)
THROTTLED = Failing(1003, "Too many calls", 429)
DISABLED = Failing(1004, "This account is disabled", 403)
NO_SUCH_ENDPOINT = Failing(1005, "No such endpoint", 404)
NO_SUCH_WEBHOOK = Failing(1006, "No such webhook", 404)
NO_SUCH_TOPIC = Failing(1007, "No such topic", 422)
TOPIC_TAKEN = Failing(1008, "The topic is subscribed already", 409)
NOT_ANSWERED = Failing(1009, "The URL did not answer 200 OK", 422)


class ApiError(Exception):
    """A call that fails."""

    def __init__(self, failing: Failing) -> None:
        super().__init__(failing.text)
        self.failing = failing


def bad_parameter(name: str) -> ApiError:
    """Return the error for a parameter that is unknown, missing or cannot be read."""
    return ApiError(Failing(1010, f"Bad parameter: {name}", 422))
