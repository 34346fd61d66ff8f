"""When which watch is due."""

from random import Random

from receiver.polling.schedule import Schedule


class Times:
    """A schedule, and the times that it looks up."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self.schedule = Schedule(self.times.get)

    def put(self, key: str, at: float) -> None:
        """Have a key due."""
        self.times[key] = at
        self.schedule.put(key, at)

    def take(self, now: float) -> str | None:
        """Take what is due, without a time from then on."""
        key = self.schedule.take_due(now)
        if key is not None:
            del self.times[key]
        return key

    def drained(self, now: float) -> list[str]:
        """Take all that is due."""
        taken = []
        while (key := self.take(now)) is not None:
            taken.append(key)
        return taken


def test_watches_come_in_the_order_of_their_times() -> None:
    """Only what is due is taken, the earliest first, and each once."""
    tested = Times()
    for key, at in (("late", 30.0), ("first", 10.0), ("third", 20.75), ("second", 20.5)):
        tested.put(key, at)
    assert tested.schedule.next_at() == 10.0
    assert tested.drained(9.9) == []
    assert tested.drained(20.6) == ["first", "second"]
    assert tested.schedule.next_at() == 20.75
    assert tested.drained(20.75) == ["third"]
    assert tested.schedule.next_at() == 30.0


def test_what_comes_while_a_second_is_under_way_has_its_place_in_it() -> None:
    """Whether it is due in this second or before it."""
    tested = Times()
    tested.put("first", 10.2)
    tested.put("last", 10.8)
    assert tested.take(10.3) == "first"
    tested.put("overdue", 9.0)
    tested.put("between", 10.5)
    assert tested.drained(10.9) == ["overdue", "between", "last"]


def test_a_new_time_replaces_the_old_one() -> None:
    """A watch is due at the time it was given last, whether earlier or later."""
    tested = Times()
    tested.put("a", 10.0)
    tested.put("a", 50.0)
    tested.put("b", 50.0)
    tested.put("b", 20.0)
    assert tested.drained(49.9) == ["b"]
    assert tested.drained(50.0) == ["a"]


def test_what_is_removed_is_never_due() -> None:
    """A watch without a time is gone until it is put again."""
    tested = Times()
    tested.put("a", 10.0)
    del tested.times["a"]
    assert tested.drained(100.0) == []
    assert tested.schedule.next_at() is None
    tested.put("a", 10.0)
    assert tested.drained(10.0) == ["a"]


def test_a_taken_watch_is_due_only_when_it_is_put_back() -> None:
    """Whatever time a taken watch is given, it is not due before it is put back."""
    tested = Times()
    tested.put("a", 10.0)
    assert tested.take(10.0) == "a"
    tested.put("a", 10.0)
    assert (tested.schedule.next_at(), tested.take(99.0)) == (None, None)
    tested.schedule.put_back("a")
    assert tested.drained(10.0) == ["a"]
    tested.schedule.put_back("a")
    assert tested.schedule.next_at() is None


def test_a_time_that_was_replaced_does_not_come_back() -> None:
    """A taken watch is not due at a time that it once had, even if it is given that one again."""
    tested = Times()
    for at in (10.0, 20.0, 10.0):
        tested.put("a", at)
    assert tested.take(10.0) == "a"
    tested.put("a", 10.0)
    assert tested.take(10.0) is None
    tested.schedule.put_back("a")
    assert tested.drained(99.0) == ["a"]


def test_a_watch_removed_while_it_is_taken_does_not_come_back() -> None:
    """What was stopped meanwhile stays stopped."""
    tested = Times()
    tested.put("a", 10.0)
    tested.take(10.0)
    tested.put("a", 20.0)
    del tested.times["a"]
    tested.schedule.put_back("a")
    assert (tested.schedule.next_at(), tested.drained(99.0)) == (None, [])


def test_what_is_put_back_is_the_very_object_that_was_taken() -> None:
    """The table has it too: an equal one would be kept beside it, for each watch."""
    mine, equal = (b"".join([b"a/thing/", b"1"]) for _ in range(2))
    schedule = Schedule({mine: 10.0}.get)
    schedule.put(mine, 10.0)
    assert schedule.take_due(10.0) is mine
    schedule.put_back(equal)
    assert schedule.take_due(10.0) is mine


def test_it_agrees_with_a_plain_table_whatever_is_done() -> None:
    """Over thousands of random steps it takes what a table of times would take."""
    rng = Random(20260101)
    tested, taken = Times(), set[str]()
    table, schedule = tested.times, tested.schedule
    for step in range(10_000):
        key, now = rng.choice("abcdefgh"), step / 4
        match rng.randrange(4):
            case 0:
                tested.put(key, now + rng.randrange(40) / 4)
            case 1:
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
        next_at = schedule.next_at()
        if waiting:
            assert next_at is not None
            assert next_at <= min(waiting)
