"""After which answers SmartPay is called no more, and after which it is called later."""

from typing import Any

import pytest

from handlers.exchange import Refused, RefusedForGood, Response
from handlers.fact import Claim
from tests.unit.smartpay.host import Shop, converse, script

CLAIM = Claim("invoice", "paid", "invoice_id", "i1")


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": {"1001": "Invalid key"}},
        Response.json(401, {"errors": {"1001": "Invalid key"}}),
        Response.json(403, {"errors": {"7": "This account is disabled"}}),
    ],
)
def test_what_says_that_the_key_or_the_account_is_no_good_is_for_good(answer: Any) -> None:
    """An invalid key stays invalid, and going on calling gets accounts disabled."""
    shop = Shop()
    with pytest.raises(RefusedForGood):
        converse(shop.handler.look_up([CLAIM], shop.session), script(answer))


def test_a_refusal_without_a_word_may_pass() -> None:
    """A bare 403 may be a proxy's: it is tried again, late."""
    shop = Shop()
    with pytest.raises(Refused) as refused:
        converse(shop.handler.look_up([CLAIM], shop.session), script(Response(403)))
    assert not isinstance(refused.value, RefusedForGood)
