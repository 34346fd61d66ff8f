"""What SmartPay's API answers, in either version.

Source: SmartPay's API documents. Objects are shown loosely as lists of pairs, so both are taken.
Only the error ``1001`` (Invalid key) is named there; the others are told apart by their status and
their words.
"""

from dataclasses import dataclass

from handlers.exchange import AccountFailed, Response
from handlers.jsontext import Json, JsonObject, Unreadable
from handlers.smartpay.body import as_object
from handlers.smartpay.refusals import refuse_for_good, spoken

_UNAUTHORISED, _FORBIDDEN = 401, 403
_NO_CONTENT, _NOT_FOUND, _GONE, _TOO_MANY, _SERVERS_FAULT = 204, 404, 410, 429, 500
_THROTTLE_WORDS = ("too many", "too often", "throttl", "limit")
_GONE_WORDS = ("no such webhook", "not found", "not exist", "unknown webhook")

PAGE_ROWS = 100
"""How many rows a full page has, by SmartPay's API documents."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API; its errors and warnings are texts such as ``1001: Invalid key``."""

    status: int
    content: JsonObject
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Return whether the call did what it was asked to."""
        return 200 <= self.status < 300 and not self.errors

    @property
    def rejects_token(self) -> bool:
        """Return whether the token was not accepted, so that signing in again may help."""
        names_it = self.status == _UNAUTHORISED or self._says("token")
        return not self.is_good and names_it and not self.refuses_for_good

    @property
    def refuses_account(self) -> bool:
        """Return whether the account is refused: for good, or by a status that may pass."""
        is_refused = self.status in {_UNAUTHORISED, _FORBIDDEN} or self.refuses_for_good
        return not self.is_good and is_refused

    @property
    def refuses_for_good(self) -> bool:
        """Return whether it says so: a bare 401 or 403 may come from a proxy, and pass."""
        may_pass = self.status == _TOO_MANY or self.status >= _SERVERS_FAULT
        return refuse_for_good(self.errors, may_pass=may_pass)

    @property
    def refuses_call(self) -> bool:
        """Return whether this one call is refused, and not the token, the account or its pace."""
        is_refusal = 400 <= self.status < _SERVERS_FAULT or (self.status < 300 and self.errors)
        is_throttled = self.status == _TOO_MANY or self._says(*_THROTTLE_WORDS)
        return bool(is_refusal) and not (is_throttled or self.rejects_token or self.refuses_account)

    @property
    def says_gone(self) -> bool:
        """Return whether the call was refused because there is no such webhook (any more)."""
        is_missing = self.status in {_NOT_FOUND, _GONE} or self._says(*_GONE_WORDS)
        return self.refuses_call and is_missing

    def result(self) -> JsonObject:
        """Return the one object in ``result``.

        Raises:
            AccountFailed: there is none.

        """
        result = as_object(self.content.get("result"))
        if result is None:
            raise AccountFailed("SmartPay's answer has no result")
        return result

    def rows(self) -> list[JsonObject]:
        """Return the rows of a listing.

        Raises:
            AccountFailed: ``result`` is not a listing.

        """
        rows = [as_object(item) for item in _row_values(self.content.get("result"))]
        if any(row is None for row in rows):
            raise AccountFailed("SmartPay's listing has a row that is not an object")
        return [row for row in rows if row is not None]

    @property
    def tells_pages(self) -> bool:
        """Return whether the listing says how many pages it has."""
        return self.content.get("total_pages") is not None

    def total_pages(self, page: int) -> int:
        """Return how many pages the listing has, as far as this one, the ``page``-th, knows.

        If it is silent there is another page after a full one.

        Raises:
            AccountFailed: it is not a number.

        """
        stated = self.content.get("total_pages")
        if stated is None:
            return page + (len(self.rows()) >= PAGE_ROWS)
        if isinstance(stated, int):
            return stated
        if isinstance(stated, str) and stated.strip().isdecimal() and len(stated) < 10:
            return int(stated)
        raise AccountFailed("SmartPay's listing has no readable number of pages")

    def failure(self) -> str:
        """Return what went wrong, in SmartPay's words where it has any."""
        return f"SmartPay answered {self.status}: {'; '.join(self.errors) or 'no reason given'}"

    def _says(self, *words: str) -> bool:
        text = "; ".join(map(spoken, self.errors))
        return any(word in text for word in words)


def read_answer(response: Response, *, may_be_empty: bool = False) -> Answer:
    """Return the answer in ``response``; with ``may_be_empty`` a 204 No Content is a good one.

    Raises:
        AccountFailed: a success whose body is not a JSON object.

    """
    if may_be_empty and response.status == _NO_CONTENT:
        return Answer(_NO_CONTENT, {}, (), ())
    try:
        content = response.object()
    except Unreadable as error:
        if response.status < 300:
            msg = f"SmartPay's answer cannot be read: {error}"
            raise AccountFailed(msg) from None
        content = {}
    errors, warnings = _texts(content.get("errors")), _texts(content.get("warnings"))
    return Answer(response.status, content, errors, warnings)


def _texts(value: Json) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text for item in value for text in _texts(item))
    if isinstance(value, dict):
        told = [f"{code}: {text}" for code, text in value.items()]
    else:
        told = [] if value in (None, "", False) else [str(value)]
    return tuple(told)


def _row_values(result: Json) -> list[Json]:
    """Return the rows in ``result``: a list, an object of rows, or one row alone."""
    if result is None:
        return []
    if isinstance(result, dict):
        are_rows = all(isinstance(value, dict | list) for value in result.values())
        return list(result.values()) if are_rows else [result]
    if not isinstance(result, list):
        return [result]
    one = as_object(result)
    is_one_row = one is not None and not any(isinstance(v, dict | list) for v in one.values())
    return [result] if is_one_row else result
