"""What a person, a demo or a test can cause at the sandbox."""

from collections.abc import Mapping
from datetime import datetime

from handlers.jsontext import Json
from handlers.sandbox import Control
from handlers.subscriply.sandbox.site import Site, Subscription, Transaction, User

_ACCOUNT = {"account": "the account whose user it is; else the first"}
_SUBSCRIPTION = _ACCOUNT | {"subscription": "its id; else the latest"}
_CHARGE = _SUBSCRIPTION | {"amount": "cents; else 1000", "invoiced": "no for a null invoice"}
_TRANSACTION = _ACCOUNT | {"transaction": "its id; else the latest"}

Arguments = Mapping[str, str]


class SiteControls:
    """The controls of one site. Each raises ValueError for what it cannot do."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def by_name(self) -> dict[str, Control]:
        """Return the controls, each under the name that a person types."""
        subscribe = _ACCOUNT | {"state": "future, active (the default), canceling or canceled"}
        charge = _CHARGE | {"state": "success (the default), declined, void or another"}
        state = _TRANSACTION | {"state": "any word; it need not be a documented one"}
        broken = _SUBSCRIPTION | {"broken": "no to mend it"}
        return {
            "add-subscription": Control("Add a subscription.", self._subscribe, subscribe),
            "charge": Control("Charge a subscription.", self._charge, charge),
            "decline": Control("Charge a subscription, in vain.", self._decline, _CHARGE),
            "refund": Control("Refund to a subscription.", self._refund, _CHARGE),
            "void": Control("Void a transaction.", self._void, _TRANSACTION),
            "set-state": Control("Set a transaction's state.", self._set_state, state),
            "cancel-subscription": Control("Cancel it.", self._cancel, _SUBSCRIPTION),
            "break-subscription": Control(
                "Answer 500 for a subscription's transactions.", self._break, broken
            ),
            "expire-tokens": Control("End all tokens.", self._expire),
        }

    def _subscribe(self, arguments: Arguments, now: datetime) -> Json:
        state = arguments.get("state", "active")
        return self._site.subscribe(self._user(arguments), state, now).shown()

    def _charge(self, arguments: Arguments, now: datetime) -> Json:
        return self._transact("charge", arguments.get("state", "success"), arguments, now)

    def _decline(self, arguments: Arguments, now: datetime) -> Json:
        return self._transact("charge", "declined", arguments, now)

    def _refund(self, arguments: Arguments, now: datetime) -> Json:
        return self._transact("refund", "success", arguments, now)

    def _void(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        transaction = self._transaction(arguments)
        transaction.state = "void"
        return transaction.shown()

    def _set_state(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        if not arguments.get("state"):
            raise ValueError("state is missing")
        transaction = self._transaction(arguments)
        transaction.state = arguments["state"]
        return transaction.shown()

    def _cancel(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        subscription = self._subscription(self._user(arguments), arguments)
        subscription.state = "canceled"
        return subscription.shown()

    def _break(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        subscription = self._subscription(self._user(arguments), arguments)
        subscription.broken = arguments.get("broken", "yes") != "no"
        return {"id": subscription.id, "broken": subscription.broken}

    def _expire(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        alive = [user for user in self._site.users.values() if user.token]
        for user in alive:
            user.token = None
        return {"expired": len(alive)}

    def _transact(self, kind: str, state: str, arguments: Arguments, now: datetime) -> Json:
        user = self._user(arguments)
        subscription = self._subscription(user, arguments)
        cents = int(arguments.get("amount", "1000"))
        if cents < 0:
            raise ValueError("amount is negative: a refund is a control of its own")
        invoiced = arguments.get("invoiced", "yes") != "no"
        made = self._site.transact(user, subscription, kind, state, cents, now, invoiced=invoiced)
        return made.shown()

    def _user(self, arguments: Arguments) -> User:
        users = self._site.users
        name = arguments.get("account") or next(iter(users), None)
        if name is None or name not in users:
            msg = f"there is no account {name}" if name else "there is no account yet"
            raise ValueError(msg)
        return users[name]

    def _subscription(self, user: User, arguments: Arguments) -> Subscription:
        subscriptions = user.subscriptions
        wanted = int(arguments.get("subscription") or max(subscriptions, default=0))
        if wanted not in subscriptions:
            msg = f"{user.name} has no subscription {wanted or 'yet'}"
            raise ValueError(msg)
        return subscriptions[wanted]

    def _transaction(self, arguments: Arguments) -> Transaction:
        user = self._user(arguments)
        wanted = int(arguments.get("transaction") or max(user.transactions, default=0))
        if wanted not in user.transactions:
            msg = f"{user.name} has no transaction {wanted or 'yet'}"
            raise ValueError(msg)
        return user.transactions[wanted]
