"""The sandbox's API in version 2-0: REST, with a bearer token."""

import binascii
from base64 import b64decode
from datetime import datetime
from functools import partial

from handlers.exchange import Request, Response
from handlers.jsontext import JsonObject, Unreadable
from handlers.sandbox import Callback
from handlers.smartpay.sandbox.access import IFRAME_KEY
from handlers.smartpay.sandbox.api import Merchant, Refuse
from handlers.smartpay.sandbox.errors import (
    INVALID_KEY,
    INVALID_TOKEN,
    NO_SUCH_ENDPOINT,
    ApiError,
    Failing,
    bad_parameter,
)
from handlers.smartpay.sandbox.serving import serve

VERSION = "2-0"
PREFIX = f"/{VERSION}/"


def answer(merchant: Merchant, request: Request, now: datetime) -> Response | Callback:
    """Answer one call, with the status that REST has for it."""
    return serve(merchant.access, VERSION, partial(_answer, merchant, request, now), _refuse, now)


def _answer(
    merchant: Merchant, request: Request, now: datetime, refuse: Refuse
) -> Response | Callback:
    if (request.method, request.path) == ("GET", f"{PREFIX}authenticate"):
        return _sign_in(merchant, request, now)
    merchant.access.check_token(_bearer_token(request), now)
    match request.method, request.path.removeprefix(PREFIX).split("/"):
        case "GET", ["invoices" | "orders" as collection]:
            page = merchant.list_rows(collection, request.query, now)
            return _write(page.content(lambda row: row.fields()))
        case "GET", ["webhooks"]:
            return _write(merchant.list_webhooks(request.query).content(merchant.webhooks.shown))
        case "POST", ["webhooks"]:
            return merchant.create_webhook(_parameters(request), _write, refuse)
        case "PATCH", ["webhooks", webhook_id]:
            return merchant.modify_webhook(webhook_id, _parameters(request), _write, refuse)
        case "DELETE", ["webhooks", webhook_id]:
            return _write(merchant.delete_webhook(webhook_id))
        case "PUT", ["webhooks", webhook_id, "actions", "test"]:
            return _write(merchant.test_webhook(webhook_id, now))
        case _:
            raise ApiError(NO_SUCH_ENDPOINT)


def _sign_in(merchant: Merchant, request: Request, now: datetime) -> Response:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        iframe_key, _, api_key = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError(INVALID_KEY) from None
    if scheme != "Basic" or iframe_key != IFRAME_KEY:
        raise ApiError(INVALID_KEY)
    token, expires_on = merchant.access.sign_in(api_key, now)
    seconds = int((expires_on - now).total_seconds())
    return _write(
        {"result": {"access_token": token, "expires_in": seconds, "token_type": "bearer"}}
    )


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        raise ApiError(INVALID_TOKEN)
    return token


def _parameters(request: Request) -> dict[str, str]:
    try:
        return request.parameters()
    except (Unreadable, UnicodeDecodeError):
        raise bad_parameter("body") from None


def _write(content: JsonObject) -> Response:
    return Response.json(200, content)


def _refuse(failing: Failing) -> Response:
    return Response.json(failing.status, {"errors": {str(failing.code): failing.text}})
