"""When which watch is due."""

from random import Random

from receiver.polling.schedule import Schedule


def drained(schedule: Schedule, now: float) -> list[str]:
    """Take all that is due."""
    taken = []
    while (key := schedule.take_due(now)) is not None:
        taken.append(key)
    return taken


def test_watches_come_in_the_order_of_their_times() -> None:
    """Only what is due is taken, the earliest first, and each once."""
    schedule = Schedule()
    for key, at in (("late", 30.0), ("first", 10.0), ("second", 20.0)):
        schedule.put(key, at)
    assert schedule.next_at() == 10.0
    assert drained(schedule, 9.9) == []
    assert drained(schedule, 20.0) == ["first", "second"]
    assert (schedule.next_at(), len(schedule)) == (30.0, 1)


def test_a_new_time_replaces_the_old_one() -> None:
    """A watch is due at the time it was given last, whether earlier or later."""
    schedule = Schedule()
    schedule.put("a", 10.0)
    schedule.put("a", 50.0)
    schedule.put("b", 50.0)
    schedule.put("b", 20.0)
    assert drained(schedule, 49.9) == ["b"]
    assert drained(schedule, 50.0) == ["a"]


def test_what_is_removed_is_never_due() -> None:
    """A removed watch is gone until it is put again."""
    schedule = Schedule()
    schedule.put("a", 10.0)
    schedule.remove("a")
    schedule.remove("unknown")
    assert (schedule.next_at(), drained(schedule, 100.0)) == (None, [])
    schedule.put("a", 10.0)
    assert drained(schedule, 10.0) == ["a"]


def test_a_taken_watch_is_due_only_when_it_is_put_back() -> None:
    """Whatever time a taken watch is given, it is not due before it is put back."""
    schedule = Schedule()
    schedule.put("a", 10.0)
    assert schedule.take_due(10.0) == "a"
    schedule.put("a", 10.0)
    assert (schedule.next_at(), schedule.take_due(99.0)) == (None, None)
    schedule.put_back("a")
    assert drained(schedule, 10.0) == ["a"]
    schedule.put_back("a")
    assert schedule.next_at() is None


def test_a_time_that_was_replaced_does_not_come_back() -> None:
    """A taken watch is not due at a time that it once had, even if it is given that one again."""
    schedule = Schedule()
    for at in (10.0, 20.0, 10.0):
        schedule.put("a", at)
    assert schedule.take_due(10.0) == "a"
    schedule.put("a", 10.0)
    assert schedule.take_due(10.0) is None
    schedule.put_back("a")
    assert drained(schedule, 99.0) == ["a"]


def test_a_watch_removed_while_it_is_taken_does_not_come_back() -> None:
    """What was stopped meanwhile stays stopped."""
    schedule = Schedule()
    schedule.put("a", 10.0)
    schedule.take_due(10.0)
    schedule.put("a", 20.0)
    schedule.remove("a")
    schedule.put_back("a")
    assert (schedule.next_at(), len(schedule)) == (None, 0)


def test_it_agrees_with_a_plain_table_whatever_is_done() -> None:
    """Over thousands of random steps it takes what a table of times would take."""
    rng = Random(20260101)
    schedule, table, taken = Schedule(), dict[str, float](), set[str]()
    for step in range(5_000):
        key, now = rng.choice("abcdefgh"), float(step)
        match rng.randrange(4):
            case 0:
                at = now + rng.randrange(10)
                schedule.put(key, at)
                table[key] = at
            case 1:
                schedule.remove(key)
                table.pop(key, None)
            case 2:
                schedule.put_back(key)
                taken.discard(key)
            case _:
                due = {k: at for k, at in table.items() if at <= now and k not in taken}
                found = schedule.take_due(now)
                assert (found is None) == (not due)
                if found is not None:
                    assert table.pop(found) == min(due.values())
                    taken.add(found)
        waiting = [at for k, at in table.items() if k not in taken]
        assert schedule.next_at() == min(waiting, default=None)
