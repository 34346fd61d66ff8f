"""Plans carried out at the sandbox: where they lead, and what they leave alone."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handlers.registration import Action, Plan, StepFailed, plan
from handlers.smartpay.sandbox import Strictness
from handlers.smartpay.topics import TOPICS
from tests.unit.smartpay.host import HOOK, Shop
from tests.unit.smartpay.registering import OTHER, carry_out, create, listed

OLD = "https://old.example.com/webhooks/shop"
MOST_STEPS = 50

beginnings = st.dictionaries(
    st.sampled_from(TOPICS),
    st.tuples(st.sampled_from([HOOK, OLD, OTHER, HOOK.replace("pay.", "PAY.")]), st.booleans()),
)
"""For some topics, where they lead, and whether we led them there."""

answers = st.lists(st.sampled_from([200, None, 401, 202]), max_size=20)
"""How our URL answers the next times that it is called; 200 from then on."""

GENEROUS = Strictness(calls=10_000, errors_most=10_000)


def shop_of(begun: Mapping[str, tuple[str, bool]], version: str) -> tuple[Shop, set[str]]:
    """Return a shop where something is subscribed, and the ids of what we subscribed."""
    shop = Shop(version, GENEROUS)
    ours = set()
    for topic, (url, is_ours) in begun.items():
        id = carry_out(shop, create(topic, url))  # noqa: A001 - the provider's word
        ours |= {id} if is_ours else set()
    return shop, ours


def plan_of(shop: Shop, ours: set[str], *, take_over: bool) -> Plan:
    """Return the plan for what is listed now."""
    return plan(TOPICS, HOOK, listed(shop), ours, take_over=take_over)


def carry_out_until_done(
    shop: Shop, ours: set[str], statuses: list[int | None], *, take_over: bool
) -> Plan:
    """Make one step after the other, each from a new look, as the guard does."""
    left = iter(statuses)
    for _ in range(MOST_STEPS):
        made = plan_of(shop, ours, take_over=take_over)
        if not made.steps:
            return made
        try:
            done = carry_out(shop, made.steps[0], next(left, 200))
        except StepFailed:
            continue
        if made.steps[0].action is not Action.DELETE:
            ours.add(done)
    raise AssertionError("the plan is never done")


@given(
    begun=beginnings,
    statuses=answers,
    take_over=st.booleans(),
    version=st.sampled_from(["1-2", "2-0"]),
)
def test_a_plan_leads_to_exactly_what_is_wanted(
    begun: Mapping[str, tuple[str, bool]],
    statuses: list[int | None],
    take_over: bool,
    version: str,
) -> None:
    """Whatever was subscribed: each topic leads to us once, but for those that others keep."""
    shop, ours = shop_of(begun, version)
    before = {one.topic: one for one in listed(shop)}
    made = carry_out_until_done(shop, ours, statuses, take_over=take_over)
    others = {
        one
        for topic, one in before.items()
        if not begun[topic][1] and one.url.lower() != HOOK and not take_over
    }
    assert set(made.taken) == others
    after = listed(shop)
    assert {one for one in after if one.url.lower() != HOOK} == others
    assert sorted(one.topic for one in after) == sorted(TOPICS)


@given(begun=beginnings, take_over=st.booleans())
def test_what_is_right_is_never_touched(
    begun: Mapping[str, tuple[str, bool]],
    take_over: bool,
) -> None:
    """A webhook that leads to us keeps its id, and so do those of others, and those we move."""
    shop, ours = shop_of(begun, "2-0")
    before = {one.topic: one for one in listed(shop)}
    carry_out_until_done(shop, ours, [], take_over=take_over)
    after = {one.topic: one for one in listed(shop)}
    for topic, one in before.items():
        assert after[topic].id == one.id
        assert after[topic] in {one, replace(one, url=HOOK)}


def test_a_second_look_after_all_is_done_costs_one_call() -> None:
    """A quiet account is read, and that is all."""
    shop, ours = shop_of({}, "1-2")
    carry_out_until_done(shop, ours, [], take_over=False)
    calls = len(shop.asked)
    assert plan_of(shop, ours, take_over=False) == Plan(())
    assert len(shop.asked) == calls + 1
    assert {one.topic for one in listed(shop)} == set(TOPICS)


def test_a_webhook_that_was_lost_is_created_again() -> None:
    """What vanished at SmartPay is missing in the listing, and in nothing else."""
    shop, ours = shop_of({}, "2-0")
    carry_out_until_done(shop, ours, [], take_over=False)
    shop.cause("lose-webhook", topic="invoice/paid")
    (step,) = plan_of(shop, ours, take_over=False).steps
    assert (step.action, step.topic) == (Action.CREATE, "invoice/paid")
