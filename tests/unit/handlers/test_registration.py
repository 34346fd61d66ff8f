"""The plan from what is subscribed to what is wanted."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.registration import Action, Plan, Step, Subscription, leads_to, plan

URL = "https://pay.example.com/webhooks/shop"
OLD = "https://old.example.com/webhooks/shop"
OTHER = "https://elsewhere.example.com/hook"
TOPICS = ("invoice/created", "invoice/paid", "order/created")


def at(url: str, topic: str = "invoice/paid", id: str = "1") -> Subscription:  # noqa: A002
    """Return a subscription."""
    return Subscription(id, topic, url)


def planned(*listed: Subscription, ours: Sequence[str] = (), take_over: bool = False) -> Plan:
    """Return the plan for the one topic ``invoice/paid``."""
    return plan(["invoice/paid"], URL, listed, ours, take_over=take_over)


def calls(made: Plan) -> list[tuple[Action, str | None]]:
    """Return what the plan does, to what."""
    return [(step.action, step.id) for step in made.steps]


def test_nothing_is_done_where_all_is_well() -> None:
    """Each topic leads to the URL: no step."""
    listed = [at(URL, topic, str(n)) for n, topic in enumerate(TOPICS)]
    assert plan(TOPICS, URL, listed, ()) == Plan(())


def test_what_is_missing_is_created() -> None:
    """Each topic that nobody has, in the order of the topics; a topic named twice once."""
    made = plan([*TOPICS, TOPICS[0]], URL, [], ())
    assert [(step.action, step.topic, step.url, step.id) for step in made.steps] == [
        (Action.CREATE, topic, URL, None) for topic in TOPICS
    ]
    assert all(step.why for step in made.steps)


def test_what_we_made_is_moved() -> None:
    """An id that we made, at another URL: our address has changed."""
    made = planned(at(OLD), ours=["1"])
    why = f"it leads to {OLD}"
    assert made == Plan((Step(Action.MODIFY, "invoice/paid", URL, "1", why),))


def test_what_others_have_is_told_and_not_touched() -> None:
    """A topic can be subscribed only once, so that there is nothing to do but to say so."""
    assert planned(at(OTHER)) == Plan((), (at(OTHER),))


def test_what_others_have_is_taken_over_when_told() -> None:
    """It is moved, not deleted and made anew."""
    assert calls(planned(at(OTHER), take_over=True)) == [(Action.MODIFY, "1")]


def test_ours_is_moved_rather_than_anothers() -> None:
    """Even where anothers' may be taken, ours will do."""
    listed = at(OTHER, id="1"), at(OLD, id="2")
    assert calls(planned(*listed, ours=["2"], take_over=True)) == [(Action.MODIFY, "2")]


def test_the_one_that_leads_here_is_kept() -> None:
    """A second one that we made is deleted, one of another's is not."""
    listed = at(OLD, id="1"), at(URL, id="2"), at(OTHER, id="3")
    assert calls(planned(*listed, ours=["1"])) == [(Action.DELETE, "1")]


def test_of_two_that_lead_here_ours_is_kept() -> None:
    """Twice the same topic here is one too many."""
    listed = at(URL, id="1"), at(URL, id="2")
    assert calls(planned(*listed, ours=["2"])) == [(Action.DELETE, "1")]
    assert calls(planned(*listed)) == [(Action.DELETE, "2")]


def test_a_topic_that_we_made_and_do_not_want_is_deleted() -> None:
    """After all else, so that nothing is without a webhook meanwhile."""
    made = planned(at(OLD, "order/created", "7"), at(OTHER, "order/cancelled", "8"), ours=["7"])
    assert calls(made) == [(Action.CREATE, None), (Action.DELETE, "7")]
    assert made.taken == ()


def test_a_further_topic_that_somebody_leads_here_stays() -> None:
    """invoice/refunded, subscribed by hand, is meant for us though nobody asked us."""
    assert calls(planned(at(URL), at(URL, "invoice/refunded", "7"))) == []


def test_one_row_listed_twice_is_one() -> None:
    """Pages overlap: no step is made twice."""
    stale = at(OLD, "order/created", "7")
    assert calls(planned(at(URL), stale, stale, ours=["7"])) == [(Action.DELETE, "7")]


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        (URL, True),
        ("HTTPS://Pay.Example.COM/webhooks/shop", True),
        ("https://pay.example.com:443/webhooks/shop", True),
        ("https://pay.example.com/webhooks/shop/", False),
        ("https://pay.example.com/webhooks/Shop", False),
        ("http://pay.example.com/webhooks/shop", False),
        ("https://pay.example.com:8443/webhooks/shop", False),
        ("https://pay.example.com/webhooks/shop?x=1", False),
        ("https://pay.example.com/webhooks/shop2", False),
        ("https://pay.example.com:port/webhooks/shop", False),
        ("https://[pay/", False),
        ("", False),
    ],
)
def test_urls_are_compared_as_urls(url: str, is_same: bool) -> None:
    """A host in capitals is no other host; another path leads elsewhere, a last slash too."""
    assert leads_to(url, URL) is is_same
    assert bool(planned(at(url)).taken) is not is_same


@given(
    listed=st.lists(
        st.builds(
            Subscription,
            st.sampled_from("123456"),
            st.sampled_from([*TOPICS, "order/cancelled"]),
            st.sampled_from([URL, OLD, OTHER, ""]),
        ),
        max_size=6,
    ),
    ours=st.frozensets(st.sampled_from("123456")),
    take_over=st.booleans(),
)
def test_a_plan_touches_only_what_is_ours(
    listed: list[Subscription],
    ours: frozenset[str],
    take_over: bool,
) -> None:
    """Whatever is listed: no step but on ours, or moves when told; one step for one id."""
    made = plan(TOPICS, URL, listed, ours, take_over=take_over)
    by_id = {one.id: one for one in listed}
    touched = [by_id[step.id] for step in made.steps if step.id is not None]
    assert len(touched) == len({one.id for one in touched})
    for step in made.steps:
        one = None if step.id is None else by_id[step.id]
        is_ours = one is None or one.id in ours or one.url == URL
        assert is_ours or (take_over and step.action is Action.MODIFY)
        assert step.action is Action.DELETE or step.url == URL
    deletions = [step.action is Action.DELETE for step in made.steps]
    assert deletions == sorted(deletions)
    assert not take_over or not made.taken
    assert not any(one.id in ours or one.url == URL for one in made.taken)
