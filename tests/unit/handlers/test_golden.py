"""What is published never changes its name: ids and keys are pinned in ``golden/facts.json``."""

from handlers.fact import RANKS

from .pin import FACTS, changed_pins, read
from .samples import facts, pins


def test_no_id_and_no_key_has_changed() -> None:
    """An upgrade that changed an id would publish the same fact twice: the pins forbid it."""
    assert list(changed_pins(read(FACTS), pins())) == []


def test_every_sample_is_pinned() -> None:
    """New samples are pinned, deliberately: ``python -m tests.unit.handlers.pin --write``."""
    assert pins().keys() - read(FACTS).keys() == set()


def test_the_samples_show_every_action_live_and_test() -> None:
    """No kind and no action goes unpinned."""
    shown = {(fact.resource.kind, fact.action, fact.resource.test) for fact in facts()}
    assert shown == {
        (kind, action, test)
        for kind, ranks in RANKS.items()
        for action in ranks
        for test in (False, True)
    }


def test_the_pins_of_facts_are_all_different() -> None:
    """Two different samples never have one id."""
    ids = [pinned for name, pinned in read(FACTS).items() if name.startswith("fact: ")]
    assert len(ids) == len(set(ids)) == len(list(facts()))


def test_a_changed_pin_is_told() -> None:
    """A pin that changed, or whose sample is gone, is named with what it was and is."""
    told = list(changed_pins({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "x"}))
    assert told == ["b: pinned as 2, and now x", "c: pinned as 3, and now nothing"]
