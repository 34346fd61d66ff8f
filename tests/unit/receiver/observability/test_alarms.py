"""The alarms that are up, and of whom."""

from datetime import UTC, datetime

from receiver.observability.alarms import Alarms


def test_an_account_is_concerned_by_its_alarms_alone() -> None:
    """As long as any of them is up, and by none of somebody else's."""
    alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for code in ("one", "other"):
        alarms.sound("shop", code, why="w", remedy="r")
    assert (alarms.concern("shop"), alarms.concern("club")) == (True, False)
    alarms.over("club", "one")
    alarms.over("shop", "one")
    alarms.over("shop", "one")
    assert alarms.concern("shop")
    assert [(alarm.account, alarm.code) for alarm in alarms.present] == [("shop", "other")]
    alarms.over("shop", "other")
    assert not alarms.concern("shop")
    assert alarms.present == []
