"""SmartPay's knowledge, bound to one account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from config.account import AccountSettings
from handlers.exchange import Conversation
from handlers.fact import Claim, Fact, Interpretation, Uninterpretable
from handlers.jsontext import Unreadable, parse_object
from handlers.letters import Reason
from handlers.observation import Observation, Origin
from handlers.provider import (
    RECONCILIATION,
    BadSignature,
    BaseHandler,
    LookedUp,
    Polled,
    Session,
    Verified,
    Watch,
)
from handlers.resource import inbox_key, unknown_key
from handlers.smartpay import lookups, reconciliation, topics, windows
from handlers.smartpay.api import Api
from handlers.smartpay.body import find, keyed_by
from handlers.smartpay.facts import PROVIDER, read
from handlers.smartpay.keys import SigningKey
from handlers.smartpay.registration import SmartPayRegistration
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.signature import SIGNATURE_HEADER, TOPIC_HEADER, signer
from handlers.smartpay.versions import api_of

_LONGEST_TOPIC = 100


class SmartPayHandler(BaseHandler):
    """Reads the webhooks of one SmartPay account, and asks its API where they are silent."""

    def __init__(self, settings: SmartPaySettings) -> None:
        super().__init__(settings)
        self._settings = settings
        self._api: Api = api_of(settings)
        self._registration = SmartPayRegistration(settings, self._api)
        self._keys = tuple(settings.accepted_keys())
        self._keys_end = any(key.until is not None for key in self._keys)

    def verify(self, headers: Mapping[str, str], body: bytes, received_at: datetime) -> Verified:
        """Return the webhook's topic, and which key signed it, if it is one of the account's.

        Previous keys that had run out by ``received_at`` are not among them.

        Raises:
            BadSignature: there is no signature, or it is not of this body and these keys.

        """
        signature = headers.get(SIGNATURE_HEADER)
        if signature is None:
            msg = f"there is no header {SIGNATURE_HEADER}"
            raise BadSignature(msg)
        keys: Sequence[SigningKey] = self._keys
        if self._keys_end:
            keys = [key for key in keys if key.counts_at(received_at)]
        key = signer(body, signature, keys)
        if key is None:
            raise BadSignature("the signature is not of this body and a key of this account")
        return Verified(_plain(headers.get(TOPIC_HEADER, "")), key.fingerprint)

    def delivery_topic(self, headers: Mapping[str, str]) -> str | None:
        """Return the topic, if there is such a one, of a request that has SmartPay's headers."""
        if TOPIC_HEADER not in headers and SIGNATURE_HEADER not in headers:
            return None
        topic = _plain(headers.get(TOPIC_HEADER, ""))
        return topic if topic in topics.KNOWN else topics.UNKNOWN

    def inbox_key(self, topic: str, body: bytes) -> str:  # noqa: ARG002 - anyone can set a topic
        """Return the key of the invoice or order that the body names, never of its topic."""
        account = self._settings.name
        try:
            named = keyed_by(body)
        except Unreadable:
            named = None
        if named is None:
            return unknown_key(PROVIDER, account, sha256(body).hexdigest())
        return inbox_key(PROVIDER, account, *named)

    def letter_topic(self, observation: Observation) -> str:
        """Return the topic if there is such a one; it is not signed, and anyone can invent more."""
        if observation.origin is not Origin.WEBHOOK or observation.topic in topics.KNOWN:
            return observation.topic
        return topics.UNKNOWN

    def interpret(self, observation: Observation) -> Interpretation:
        """Return what the body shows and what only the topic claims.

        Raises:
            Uninterpretable: ``not-json``, ``no-id`` or ``bad-field``.

        """
        is_webhook = observation.origin is Origin.WEBHOOK
        is_registration = is_webhook and observation.topic == topics.REGISTRATION
        try:
            body = parse_object(observation.body)
        except Unreadable as error:
            if is_registration:
                # What such a body looks like is not documented.
                return Interpretation(answers_us=True)
            raise Uninterpretable(Reason.NOT_JSON, str(error)) from None
        found = find(body)
        reading = None if found is None else read(self._settings.name, found)
        if is_registration:
            return topics.of_registration(body, reading)
        if is_webhook:
            trusted = self._settings.trust_topic_header
            return topics.bind(observation.topic, body, reading, trusted=trusted)
        if reading is None:
            raise Uninterpretable(Reason.NO_ID, "the row names no invoice and no order")
        return Interpretation(reading)

    def watches(self) -> Sequence[Watch]:
        """Return the heads of the reconciliation, which goes on by itself."""
        name = self._settings.name
        return [Watch(name, RECONCILIATION, collection) for collection in windows.COLLECTIONS]

    def reconciliation(self, since: datetime, until: datetime) -> Sequence[Watch]:
        """Return the windows of the invoices and of the orders, to be read once."""
        asked = windows.asked_for(since, until, self.import_start)
        return [window.watch(self._settings.name) for window in asked]

    def poll(
        self, watch: Watch, age: timedelta, session: Session, memory: bytes = b""
    ) -> Conversation[Polled]:
        """Read the head or a window of a reconciliation: there is nothing else to poll.

        Raises:
            ProviderFailure: as its subclasses say.

        """
        api, settings = self._api, self._settings
        if watch.kind == RECONCILIATION:
            for collection in windows.COLLECTIONS:
                if watch.id == collection:
                    return reconciliation.read_head(api, settings, collection, session, memory)
            window = windows.parse(watch.id)
            if window is not None:
                return reconciliation.read_window(api, settings, window, session, memory)
        return super().poll(watch, age, session, memory)

    def look_up(self, claims: Sequence[Claim], session: Session) -> Conversation[LookedUp]:
        """Ask the listings, as few times as will do, whether the claims are so.

        Raises:
            ProviderFailure: as its subclasses say.

        """
        return lookups.look_up(self._api, self._settings.name, claims, session)

    def can_look_up(self, claim: Claim) -> bool:
        """Tell whether SmartPay's listings can show what is claimed."""
        return topics.can_look_up(claim)

    @property
    def registration(self) -> SmartPayRegistration:
        """Return how SmartPay is told where to call us."""
        return self._registration

    def announcing_topic(self, fact: Fact) -> str | None:
        """Return the topic of what happened; none for a failure, a refund and whatever is a test.

        A refund's topic cannot be subscribed, as far as is documented, and nobody says whether
        tests are announced.
        """
        resource = fact.resource
        return None if resource.test else topics.SUBSCRIBED.get((resource.kind, fact.action))


def bind(account: AccountSettings) -> SmartPayHandler:
    """Return the handler of an account.

    Raises:
        TypeError: the account is not SmartPay's.

    """
    if not isinstance(account, SmartPaySettings):
        msg = f"{account.name} is not a SmartPay account"
        raise TypeError(msg)
    return SmartPayHandler(account)


def _plain(topic: str) -> str:
    # The header is anyone's to write, and what it holds goes into records and logs.
    if topic.isascii() and topic.isprintable():
        return topic.strip()[:_LONGEST_TOPIC]
    printable = (letter if letter.isascii() and letter.isprintable() else "?" for letter in topic)
    return "".join(printable).strip()[:_LONGEST_TOPIC]
