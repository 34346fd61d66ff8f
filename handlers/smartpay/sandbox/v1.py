"""The sandbox's API in version 1-2: POST to an endpoint, with the token among the parameters."""

from datetime import datetime
from functools import partial

from handlers.exchange import Request, Response
from handlers.jsontext import JsonObject, Unreadable
from handlers.sandbox import Callback
from handlers.smartpay.sandbox.api import Merchant, Refuse, required
from handlers.smartpay.sandbox.errors import NO_SUCH_ENDPOINT, ApiError, Failing, bad_parameter
from handlers.smartpay.sandbox.serving import serve
from handlers.smartpay.sandbox.shop import as_texts
from handlers.smartpay.values import date_text

VERSION = "1-2"
PREFIX = f"/{VERSION}/"


def answer(merchant: Merchant, request: Request, now: datetime) -> Response | Callback:
    """Answer one call; every answer has the status 200, errors too."""
    return serve(merchant.access, VERSION, partial(_answer, merchant, request, now), _refuse, now)


def _answer(
    merchant: Merchant, request: Request, now: datetime, refuse: Refuse
) -> Response | Callback:
    endpoint = request.path.removeprefix(PREFIX)
    if request.method != "POST":
        raise ApiError(NO_SUCH_ENDPOINT)
    try:
        parameters = request.parameters()
    except (Unreadable, UnicodeDecodeError):
        raise bad_parameter("body") from None
    if endpoint == "authenticate":
        token, expires_on = merchant.access.sign_in(parameters.get("api_key", ""), now)
        return _write({"result": {"token": token, "expires_on": date_text(expires_on)}})
    merchant.access.check_token(parameters.pop("token", ""), now)
    match endpoint:
        case "get_invoices" | "get_orders":
            page = merchant.list_rows(endpoint.removeprefix("get_"), parameters, now)
            return _write(page.content(lambda row: as_texts(row.fields())))
        case "get_webhooks":
            return _write(merchant.list_webhooks(parameters).content(merchant.webhooks.shown))
        case "create_webhook":
            return merchant.create_webhook(parameters, _write, refuse)
        case "modify_webhook":
            webhook_id = required(parameters, "webhook_id")
            return merchant.modify_webhook(webhook_id, parameters, _write, refuse)
        case "delete_webhook":
            return _write(merchant.delete_webhook(required(parameters, "webhook_id")))
        case _:
            raise ApiError(NO_SUCH_ENDPOINT)


def _write(content: JsonObject) -> Response:
    return Response.json(200, content)


def _refuse(failing: Failing) -> Response:
    return Response.json(200, {"errors": {str(failing.code): failing.text}})
