"""Looking up what webhooks claimed, with as few calls as will do.

SmartPay's listings are asked for the one order or invoice that a claim names. Orders come first:
the invoices of one order may answer the claims on each of them without another call.
"""

from collections.abc import Iterable, Sequence

from handlers.exchange import Conversation
from handlers.fact import Claim, Fact, Uninterpretable
from handlers.jsontext import JsonObject, compact
from handlers.provider import LookedUp, Resource, Session
from handlers.resource import usable_id
from handlers.smartpay.api import Api, Collection, Listing
from handlers.smartpay.body import CUSTOM_ID_FIELDS, INVOICE, ORDER, find, mentioned, own_fields
from handlers.smartpay.facts import read
from handlers.smartpay.topics import CUSTOM_ID, can_look_up

MOST_PAGES = 5
"""How far one listing is read: a single order has no more than 500 invoices."""


def look_up(
    api: Api, account: str, claims: Sequence[Claim], session: Session
) -> Conversation[LookedUp]:
    """Ask about ``claims``; a claim is borne out if the rows it is about show the claimed fact.

    Raises:
        ProviderFailure: as its subclasses say.

    """
    reader = _Reader(api, session)
    refuted = {}
    for claim in sorted(dict.fromkeys(claims), key=_by_single_invoice):
        if not can_look_up(claim):
            refuted[claim] = "the listings cannot show it"
            continue
        found = yield from reader.about(claim)
        why = _refutation(account, claim, found)
        if why is not None:
            refuted[claim] = why
    return LookedUp(tuple(reader.resources), refuted)


class _Reader:
    """Reads listings, each only once, and keeps all the rows."""

    def __init__(self, api: Api, session: Session) -> None:
        self._api = api
        self._session = session
        self._listings: dict[tuple[Collection, str, str], Listing] = {}
        self.resources: dict[Resource, None] = {}

    def about(self, claim: Claim) -> Conversation[Listing]:
        """Return the rows that could bear the claim out."""
        if claim.kind == INVOICE and claim.known_by == "invoice_id":
            known = self._known_invoice(claim.id)
            if known is not None:
                return known
        if claim.known_by != CUSTOM_ID or claim.kind == ORDER:
            collection: Collection = "orders" if claim.kind == ORDER else "invoices"
            return (yield from self._listing(collection, claim.known_by, claim.id))
        orders = yield from self._listing("orders", CUSTOM_ID, claim.id)
        rows: list[JsonObject] = []
        is_whole = orders.is_whole
        for order_id in dict.fromkeys(usable_id(order.get("order_id")) for order in orders.rows):
            if order_id is not None:
                invoices = yield from self._listing("invoices", "order_id", order_id)
                rows += invoices.rows
                is_whole &= invoices.is_whole
        return Listing(tuple(rows), is_whole)

    def _listing(self, collection: Collection, field: str, value: str) -> Conversation[Listing]:
        asked = (collection, field, value)
        if asked not in self._listings:
            listing = yield from self._api.listing(
                collection, {field: value}, self._session, most_pages=MOST_PAGES
            )
            rows = [own_fields(row) for row in listing.rows]
            self.resources.update((Resource(collection, compact(row)), None) for row in rows)
            # A filter that the provider passed over must not make another's row answer for this.
            meant = tuple(row for row in rows if mentioned(row, *_names(field)) == value)
            self._listings[asked] = Listing(meant, listing.is_whole)
        return self._listings[asked]

    def _known_invoice(self, invoice_id: str) -> Listing | None:
        rows = [
            row
            for (collection, _, _), listing in self._listings.items()
            for row in listing.rows
            if collection == "invoices" and usable_id(row.get("invoice_id")) == invoice_id
        ]
        return Listing(tuple(rows), is_whole=True) if rows else None


def _refutation(account: str, claim: Claim, listing: Listing) -> str | None:
    shown = [_facts(account, claim.kind, row) for row in listing.rows]
    if any(_is_claimed(claim, fact) for facts in shown for fact in facts):
        return None
    if not listing.is_whole:
        return f"it is not in the first {MOST_PAGES} pages of the listing"
    if not shown:
        return f"there is no {claim.kind} with this {claim.known_by}"
    claimed = claim.action if claim.fact is None else _told(claim.fact)
    return f"the {claim.kind} shows {_listed(shown)}, not {claimed}"


def _is_claimed(claim: Claim, fact: Fact) -> bool:
    """Tell whether ``fact`` is what is claimed: test data never bear out a claim on live ones."""
    if claim.fact is None:
        return fact.action == claim.action
    return fact.id == claim.fact.id


def _facts(account: str, kind: str, row: JsonObject) -> tuple[Fact, ...]:
    found = find(row)
    if found is None or found.kind != kind:
        return ()
    try:
        return read(account, found).facts
    except Uninterpretable:
        return ()


def _listed(shown: Iterable[Sequence[Fact]]) -> str:
    actions = {_told(fact) for facts in shown for fact in facts}
    return ", ".join(sorted(actions)) or "nothing that can be read"


def _told(fact: Fact) -> str:
    return f"{fact.action} (test)" if fact.resource.test else fact.action


def _by_single_invoice(claim: Claim) -> bool:
    return claim.known_by == "invoice_id"


def _names(field: str) -> tuple[str, ...]:
    return CUSTOM_ID_FIELDS if field == CUSTOM_ID else (field,)
