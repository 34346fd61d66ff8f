"""An order is carried out once, whatever happened just before it and whatever its clock says."""

import pytest

from tests.unit.receiver.registration.shop import PAID
from tests.unit.receiver.registration.stage import Stage


@pytest.mark.parametrize("version", ["1-2", "2-0"])
async def test_a_test_right_after_a_registration_is_made_once(version: str) -> None:
    """What arrived seconds ago, because of another call, does not have the test made again."""
    stage = Stage(version)
    await stage.settle()
    stage.wait(seconds=1)
    stage.asked.clear()
    stage.order("test", topics=(PAID,))
    for _ in range(8):
        await stage.look()
        stage.deliver()
    changes = [call for call in stage.asked if not call.endswith(("get_webhooks", "GET webhooks"))]
    assert len(changes) == 1, changes
    (done,) = stage.registered.done
    assert (done.problem, len(done.steps)) == (None, 1)
