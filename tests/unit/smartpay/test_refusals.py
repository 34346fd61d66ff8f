"""After which answers SmartPay is called no more, and after which it is called later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handlers.exchange import (
    AccountFailed,
    Conversation,
    ProviderFailure,
    Refused,
    RefusedForGood,
    Response,
)
from handlers.fact import Claim
from handlers.registration import StepFailed
from handlers.smartpay.sandbox import Strictness
from tests.unit.smartpay.host import Shop, converse, script
from tests.unit.smartpay.registering import carry_out, create, listed

CLAIM = Claim("invoice", "paid", "invoice_id", "i1")

FOR_GOOD = [
    {"1001": "Invalid key"},
    {"1001": "Authentication failed"},
    {"1001": "Clé invalide"},
    {"1001": "Token of nobody"},
    {"1001": None},
    [{"1001": "No"}],
    [["1001", "No"]],
    ["1001 - No"],
    1001,
    {"code": 1001, "message": "No"},
    {"error_code": "1001"},
    {"3": "Something else", "1001": "No"},
    {"789": "Incorrect key"},
    {"7": "Your key has expired."},
    {"7": "The API key has been revoked"},
    {"7": "invalid_api_key"},
    {"api_key": "invalid"},
    {"message": "Invalid key"},
    {"7": "This account is disabled"},
    {"1005": "Account suspended"},
    {"7": "Your account has been deactivated: too many calls"},
    {"7": "User disabled for excessive use"},
    {"ACCOUNT_DISABLED": "Contact us"},
    {"7": "API access is suspended"},
    {"7": "Disabled"},
]
MAY_PASS = [
    {"7": "Something else"},
    {"1002": "Missing parameter api_key"},
    {"1007": "Duplicate key value"},
    {"1010": "Bad parameter: key"},
    {"1010": "Invalid key 'colour'"},
    {"10": "The keyword is unknown"},
    {"10011": "Nobody knows"},
    {"21001": "Nobody knows"},
    {"webhook_id": "1001"},
    {"7": "Webhook 1001 has no topic"},
    ["1001 webhooks are no good"],
    {"7": "Topic invoice/paid is disabled"},
    {"webhook": "disabled"},
    {"7": "API access is disabled during maintenance"},
    {"7": "Your account is suspended for 10 minutes"},
    {"7": "The webhook of this account is disabled"},
    {"7": "https://pay.example.com/account-disabled/invalid-api-key was not found"},
]

Talk = Callable[[Shop], Conversation[object]]


def sign_in(shop: Shop) -> Conversation[object]:
    """Ask for anything without a token."""
    return shop.handler.look_up([CLAIM], shop.session)


def listing(shop: Shop) -> Conversation[object]:
    """Ask for anything with a token."""
    shop.session.token = "the-token"
    shop.session.expires_at = shop.now + timedelta(hours=1)
    return sign_in(shop)


def step(shop: Shop) -> Conversation[object]:
    """Ask for a webhook, with a token."""
    listing(shop).close()
    return shop.handler.registration.carry_out(create(), shop.session)


EVERYWHERE = pytest.mark.parametrize("talk", [sign_in, listing, step])
VERSIONS = pytest.mark.parametrize("version", ["1-2", "2-0"])


def failure(talk: Talk, version: str, answer: Response) -> ProviderFailure:
    """Return what comes of an answer, after which nothing more may be asked."""
    shop = Shop(version)
    with pytest.raises(ProviderFailure) as failed:
        converse(talk(shop), script(answer))
    return failed.value


@EVERYWHERE
@VERSIONS
@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("errors", FOR_GOOD, ids=str)
def test_an_invalid_key_and_a_disabled_account_are_for_good(
    talk: Talk, version: str, status: int, errors: Any
) -> None:
    """The documented code ends all calls whatever it says, and so does what means the same."""
    found = failure(talk, version, Response.json(status, {"errors": errors}))
    assert isinstance(found, RefusedForGood)


@EVERYWHERE
@VERSIONS
@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("errors", MAY_PASS, ids=str)
def test_what_is_not_surely_so_is_a_pause(
    talk: Talk, version: str, status: int, errors: Any
) -> None:
    """Nothing is asked again at once: the account rests, the longest after a 403, or the step."""
    found = failure(talk, version, Response.json(status, {"errors": errors}))
    assert not isinstance(found, RefusedForGood)
    if status == 403:
        assert isinstance(found, Refused)
    else:
        assert isinstance(found, StepFailed if talk is step else AccountFailed)
        assert not isinstance(found, Refused)


@EVERYWHERE
@VERSIONS
@pytest.mark.parametrize("status", [429, 503])
def test_by_a_status_that_passes_only_the_code_ends_calls(
    talk: Talk, version: str, status: int
) -> None:
    """Whatever else is said of the account then."""
    words = Response.json(status, {"errors": {"7": "Your account has been suspended"}})
    assert not isinstance(failure(talk, version, words), RefusedForGood)
    code = Response.json(status, {"errors": {"1001": "Invalid key"}})
    assert isinstance(failure(talk, version, code), RefusedForGood)


@EVERYWHERE
def test_a_limit_of_a_key_is_a_limit(talk: Talk) -> None:
    """Who called too often may call later."""
    answer = Response.json(200, {"errors": {"7": "Limit of calls of this API key"}})
    found = failure(talk, "1-2", answer)
    assert isinstance(found, AccountFailed)
    assert not isinstance(found, Refused)


@EVERYWHERE
def test_a_refusal_without_a_word_may_pass(talk: Talk) -> None:
    """A bare 403 may be a proxy's: it is tried again, late."""
    found = failure(talk, "2-0", Response(403))
    assert isinstance(found, Refused)
    assert not isinstance(found, RefusedForGood)


@VERSIONS
@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        ("rotate-key", 1001, "Authentication failed"),
        ("disable-account", 1004, "Your account has been suspended."),
    ],
)
def test_a_sandbox_of_other_words_is_left_alone_too(
    version: str, trouble: str, code: int, words: str
) -> None:
    """A look and a step each end with the call that is refused."""
    shop = Shop(version, Strictness(wording={code: words}))
    listed(shop)
    shop.cause(trouble)
    shop.session.forget()
    calls = len(shop.asked)
    with pytest.raises(RefusedForGood, match=f"{code}: {words}"):
        listed(shop)
    with pytest.raises(RefusedForGood, match=f"{code}: {words}"):
        carry_out(shop, create())
    assert len(shop.asked) == calls + 2
