"""Laws of the queue over any course of events: nothing is lost, nothing is given out twice, no lane has more than its share."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from clouddatamesh.model.objects import Key
from clouddatamesh.shell.queue import LONGEST, SLOW, Queue
from tests.shell.hand import Hand

LIMIT = 3
KEYS = st.builds(lambda lane, n: Key("DataProduct", lane, str(n)), st.sampled_from(("", "one", "two")), st.integers(0, 4))


class QueueLaws(RuleBasedStateMachine):
    """`owed` are the keys that must still come by themselves, with the time by which each must be due."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Hand()
        self.queue = Queue(lane=lambda k: k.namespace, urgent=lambda k: k.name == "0", lane_limit=LIMIT, now=self.clock)
        self.working: set[Key] = set()
        self.owed: dict[Key, float] = {}

    def owe(self, key: Key, due: float) -> None:
        self.owed[key] = min(due, self.owed.get(key, due))

    @rule(key=KEYS)
    def add(self, key: Key) -> None:
        self.queue.add(key)
        self.owe(key, self.clock.time)

    @rule(key=KEYS, seconds=st.floats(0, 100))
    def add_after(self, key: Key, seconds: float) -> None:
        self.queue.add_after(key, seconds)
        self.owe(key, self.clock.time + seconds)

    @rule(key=KEYS)
    def add_backoff(self, key: Key) -> None:
        seconds = self.queue.add_backoff(key)
        assert seconds <= LONGEST
        self.owe(key, self.clock.time + seconds)

    @rule(seconds=st.floats(0, 2 * SLOW))
    def pass_time(self, seconds: float) -> None:
        self.clock.time += seconds

    @rule()
    def get(self) -> None:
        key = self.queue.get(wait=0.0)
        due = {owed for owed, at in self.owed.items() if at <= self.clock.time and owed not in self.working}
        free = {owed for owed in due if self.has_room(owed.namespace, 1)}
        assert (key is None) <= (not free), "a key that is due in a lane with room is given out"
        if key is not None:
            assert key in due, "no key comes twice at a time, before it is due, or that nobody asked for"
            self.owed.pop(key)
            self.working.add(key)

    @rule()
    def done(self) -> None:
        for key in sorted(self.working)[:1]:
            self.working.discard(key)
            self.queue.done(key)

    @invariant()
    def no_lane_has_more_than_its_share(self) -> None:
        assert all(self.has_room(lane, LIMIT + 1) for lane in ("one", "two"))

    def has_room(self, lane: str, limit: int) -> bool:
        return not lane or sum(key.namespace == lane for key in self.working) < limit

    def teardown(self) -> None:
        """Whatever is owed comes in the end."""
        self.clock.time += 10 * LONGEST
        for _ in range(len(self.owed) + len(self.working) + 1):
            while (key := self.queue.get(wait=0.0)) is not None:
                self.owed.pop(key, None)
                self.working.add(key)
            for key in self.working:
                self.queue.done(key)
            self.working = set()
        assert not self.owed


TestQueueLaws = QueueLaws.TestCase
TestQueueLaws.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
