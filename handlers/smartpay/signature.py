"""SmartPay's webhook signature.

Source: SmartPay's API documents, "Webhooks": ``X-SmartPay-Hmac-Sha256`` is the base64 of the
HMAC-SHA256 of the raw body under the API key. Neither the topic nor a time is signed.
"""

import hmac
from binascii import b2a_base64
from collections.abc import Sequence

from handlers.smartpay.keys import SigningKey

SIGNATURE_HEADER = "x-smartpay-hmac-sha256"
TOPIC_HEADER = "x-smartpay-topic"


def sign(body: bytes, key: bytes) -> str:
    """Return the signature of ``body`` under ``key``, as the header holds it."""
    return b2a_base64(hmac.digest(key, body, "sha256"), newline=False).decode()


def signer(body: bytes, signature: str, keys: Sequence[SigningKey]) -> SigningKey | None:
    """Return which of ``keys`` made ``signature`` of ``body``, None if none of them did.

    Takes as long for a wrong signature as for a right one, whichever key it was made with.
    """
    given = signature.strip().encode(errors="replace")
    found = None
    # Every key is tried before the answer is given, so that the time does not tell which one fits.
    for key in keys:
        if hmac.compare_digest(b2a_base64(key.mac(body), newline=False), given):
            found = found or key
    return found
