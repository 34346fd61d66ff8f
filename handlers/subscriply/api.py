"""How to ask Subscriply: signing in, the headers of a user, and reading its collections.

Source: Subscriply's API documentation. 401 is authentication, **every other error is a 500**;
collections come rooted (``{"transactions": [...]}``), from some sites bare, and as null when empty.
"""

from handlers.exchange import AccountFailed, CallFailed, Conversation, Refused, Request, Response
from handlers.jsontext import Json, JsonObject, Unreadable, parse
from handlers.provider import Session
from handlers.subscriply.settings import SubscriplySettings, sendable

_OK = 200
_UNAUTHORIZED = 401


def get(settings: SubscriplySettings, path: str, session: Session) -> Conversation[Response]:
    """GET ``path`` as the account's user, signing in first or once again where that is needed.

    Tokens have no forced end, so only a 401 tells that one is over. Conversations of one account
    share the session: a token that another one has renewed meanwhile is taken over.

    Raises:
        Refused: the credentials, or a token just fetched with them, are not accepted.
        AccountFailed: signing in failed in another way.
        CallFailed: the call itself got no response.

    """
    if settings.token is not None:
        response = yield _as_user(settings, path, settings.token.get_secret_value())
        if response.status == _UNAUTHORIZED:
            raise Refused("Subscriply does not accept the configured token (401)")
        return response
    token = session.token or (yield from _sign_in(settings, session))
    renewed = False
    while (response := (yield _as_user(settings, path, token))).status == _UNAUTHORIZED:
        # Another conversation may have renewed the token while this one was waiting.
        if session.token == token:
            session.forget()
        if session.token is None and renewed:
            raise Refused("Subscriply does not accept a token that it has just given (401)")
        renewed = renewed or session.token is None
        token = session.token or (yield from _sign_in(settings, session))
    return response


def collection(body: bytes, name: str) -> list[Json]:
    """Return the elements of a collection: rooted, bare or null; each may be rooted by itself.

    Raises:
        Unreadable: the body holds no such collection.

    """
    value = parse(body)
    if isinstance(value, dict):
        if name not in value:
            msg = f'the answer has no "{name}"'
            raise Unreadable(msg)
        value = value[name]
    if value is None:
        return []
    if not isinstance(value, list):
        msg = f'"{name}" is not a list'
        raise Unreadable(msg)
    return [_unrooted(element, name.removesuffix("s")) for element in value]


def _unrooted(element: Json, root: str) -> Json:
    if isinstance(element, dict) and element.keys() == {root}:
        return element[root]
    return element


def _as_user(settings: SubscriplySettings, path: str, token: str) -> Request:
    headers = {"x-user-token": token, "x-user-email": settings.email}
    return Request("GET", path, headers={**headers, "accept": "application/json"})


def _sign_in(settings: SubscriplySettings, session: Session) -> Conversation[str]:
    password = settings.password.get_secret_value() if settings.password else ""
    credentials: JsonObject = {"email": settings.email, "password": password}
    accept = {"accept": "application/json"}
    request = Request.json("POST", settings.sign_in_path, {"user": credentials}, accept)
    try:
        response = yield request
    except CallFailed as error:
        msg = f"signing in: {error}"
        raise AccountFailed(msg) from error
    if response.status == _UNAUTHORIZED:
        raise Refused("Subscriply does not accept the e-mail address and password (401)")
    if response.status != _OK:
        msg = f"signing in got HTTP {response.status}"
        raise AccountFailed(msg)
    session.token = _token(response)
    session.expires_at = None
    return session.token


def _token(response: Response) -> str:
    try:
        user = response.object().get("user")
    except Unreadable as error:
        msg = f"signing in got an answer that cannot be read: {error}"
        raise AccountFailed(msg) from None
    token = user.get("authentication_token") if isinstance(user, dict) else None
    if not isinstance(token, str) or not sendable(token):
        raise AccountFailed("signing in got an answer without a usable authentication_token")
    return token
