"""The alarms about one account's polling."""

from collections.abc import Iterable

from receiver.observability.alarms import Alarms
from receiver.polling.standing import Stop

CREDENTIALS_REFUSED = "credentials-refused"
PROVIDER_AWAY = "provider-away"
PROVIDER_WARNS = "provider-warns"
CALLS_EXHAUSTED = "calls-exhausted"

_LONGEST_WARNING = 500


class AccountAlarms:
    """Says what is wrong with an account, and what a person can do about it."""

    __slots__ = ("_account", "_alarms")

    def __init__(self, account: str, alarms: Alarms) -> None:
        self._account = account
        self._alarms = alarms

    @property
    def any(self) -> bool:
        """Tell whether the account has any alarm: nearly always it has none that could end."""
        return self._alarms.concern(self._account)

    def refused(self, why: str) -> None:
        """Say that the credentials are refused, which may pass."""
        self._alarms.sound(
            self._account,
            CREDENTIALS_REFUSED,
            why=why,
            remedy="check the account's credentials in the configuration and at the provider",
        )

    def stopped(self, stop: Stop) -> None:
        """Say that no call is made any more."""
        self._alarms.sound(
            self._account,
            CREDENTIALS_REFUSED,
            why=f"{stop.why}. CALLS HAVE STOPPED; webhooks go on being received",
            remedy="correct the credentials in the configuration, and calls go on; if they are"
            " right, have the provider enable the account again, and then run"
            f" `payevents webhooks ensure --account {self._account}`, which makes one try",
        )

    def away(self, why: str) -> None:
        """Say that the account as a whole is not served now."""
        self._alarms.sound(
            self._account,
            PROVIDER_AWAY,
            why=why,
            remedy="nothing, if the provider is known to be down: polling goes on by itself",
        )

    def well(self) -> None:
        """End these: the provider answers as it should."""
        self._alarms.over(self._account, CREDENTIALS_REFUSED)
        self._alarms.over(self._account, PROVIDER_AWAY)

    def exhausted(self, calls: int, per: float) -> None:
        """Say that the budget is too small for what is to be asked."""
        self._alarms.sound(
            self._account,
            CALLS_EXHAUSTED,
            why=f"what is due has waited for more than {per:.0f} seconds: {calls} calls in that"
            " time are not enough",
            remedy="raise `calls` if the provider allows it, or ask less often: lengthen"
            " `poll_interval`, or `reconcile_interval` where the account has it",
        )

    def enough(self) -> None:
        """End that."""
        self._alarms.over(self._account, CALLS_EXHAUSTED)

    def warned(self, warnings: Iterable[str]) -> None:
        """Say what the provider warns of, and end that once it is nothing."""
        if why := "; ".join(sorted(warnings))[:_LONGEST_WARNING]:
            self._alarms.sound(
                self._account,
                PROVIDER_WARNS,
                why=why,
                remedy="read the provider's announcement; a version that retires must be left",
            )
        else:
            self._alarms.over(self._account, PROVIDER_WARNS)

    def end(self) -> None:
        """End all of them."""
        self.well()
        self.enough()
        self.warned(())
