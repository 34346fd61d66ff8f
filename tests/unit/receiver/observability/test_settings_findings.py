"""What the doctor says of the settings."""

from datetime import timedelta

from config.account import AccountSettings
from config.kafka import KafkaSettings
from config.machine import LedgerSettings
from config.settings import Settings
from receiver.observability.doctor import examine_settings
from receiver.observability.findings import Finding, Verdict
from tests.unit.smartpay.host import settings as merchant


def account(name: str, base_url: str) -> AccountSettings:
    """Return an account that may use plain http."""
    return AccountSettings(name=name, provider="any", base_url=base_url, allow_http=True)


def test_each_warning_has_a_remedy() -> None:
    """Every one that there is, of every group and provider that warns of something."""
    accounts = [
        account("exposed", "http://api.example"),
        account("careless", "https://api.example"),
        merchant(
            trust_topic_header=True,
            calls=15,
            previous_api_keys=["old", {"key": "older", "until": "2020-01-31"}],
        ),
        merchant(name="late", manage_webhooks=True),
    ]
    kafka = KafkaSettings.model_validate(
        {
            "replication_factor": 1,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_username": "u",
            "sasl_password": "p",
        }
    )
    full = Settings(
        kafka=kafka,
        ledger=LedgerSettings(retention=timedelta(days=365)),
        accounts={each.name: each for each in accounts},
        directory_accounts=frozenset({"late"}),
    )
    found = [*examine_settings(full)[1:], *examine_settings(Settings())[1:]]
    assert len(found) == 11
    assert {finding.verdict for finding in found} == {Verdict.WARNING}
    assert [finding for finding in found if not finding.remedy] == []
    assert (
        Finding(
            "accounts.careless",
            Verdict.WARNING,
            "allow_http is set but base_url does not need it",
            "leave it out",
        )
        in found
    )
