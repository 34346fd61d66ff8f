"""Which version of SmartPay's API an account speaks."""

from handlers.smartpay.api import Api
from handlers.smartpay.api_v1 import DialectV1
from handlers.smartpay.api_v2 import DialectV2
from handlers.smartpay.settings import SmartPaySettings


def api_of(settings: SmartPaySettings) -> Api:
    """Return the API in the version that the account is set to."""
    if settings.api_version == "2-0" and settings.iframe_key is not None:
        return Api(DialectV2(settings.iframe_key, settings.api_key))
    return Api(DialectV1(settings.api_key))
