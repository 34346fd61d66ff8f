"""The sandbox's errors. Only 1001 is in SmartPay's documents; the other codes are made up."""


class ApiError(Exception):
    """A call that fails; ``status`` is version 2-0's, since 1-2 answers 200 to everything."""

    def __init__(self, code: int, text: str, status: int) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status


INVALID_KEY = ApiError(1001, "Invalid key", 401)
INVALID_TOKEN = ApiError(1002, "Invalid token", 401)
THROTTLED = ApiError(1003, "Too many calls", 429)
DISABLED = ApiError(1004, "This account is disabled", 403)
NO_SUCH_ENDPOINT = ApiError(1005, "No such endpoint", 404)
NO_SUCH_WEBHOOK = ApiError(1006, "No such webhook", 404)
NO_SUCH_TOPIC = ApiError(1007, "No such topic", 422)
TOPIC_TAKEN = ApiError(1008, "The topic is subscribed already", 409)
NOT_ANSWERED = ApiError(1009, "The URL did not answer 200 OK", 422)


def bad_parameter(name: str) -> ApiError:
    """Return the error for a parameter that is unknown, missing or cannot be read."""
    return ApiError(1010, f"Bad parameter: {name}", 422)
