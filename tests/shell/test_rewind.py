"""An API server that was restored from a backup is found by its version as soon as a watch is open again."""

import threading

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.shell.rewind import Rewind


class Versions:
    """What is known of each kind, and what the API server says: an error or a version."""

    def __init__(self, known: dict[str, int], current: dict[str, list[int | Exception]]) -> None:
        self.known, self._current, self.found = known, current, list[str]()
        self.told = threading.Event()

    def ask(self, kind: str) -> int:
        answer = self._current[kind].pop(0)
        self.known[kind] += 1000  # what is brought while it is asked is of the time after the restore, or of the one before
        if isinstance(answer, Exception):
            raise answer
        return answer

    def find(self, kind: str) -> None:
        self.found.append(kind)
        self.told.set()

    def rewind(self) -> Rewind:
        return Rewind(known=self.known.__getitem__, current=self.ask, found=self.find)


@pytest.mark.parametrize(("current", "found"), [(9, ["Domain"]), (10, []), (11, []), (0, [])])
def test_a_version_that_is_lower_than_what_was_known_before_is_told(current: int, found: list[str]) -> None:
    versions = Versions({"Domain": 10}, {"Domain": [current]})
    rewind = versions.rewind()
    rewind.ask("Domain")
    assert rewind.run_once() > 60
    assert versions.found == found
    assert rewind.run_once() > 60, "each is asked for once"


def test_an_api_server_that_does_not_answer_yet_is_asked_again_soon() -> None:
    versions = Versions({"Domain": 10, "Namespace": 10}, {"Domain": [Transient(reasons.CLUSTER_UNAVAILABLE, "503"), 1], "Namespace": [20]})
    rewind = versions.rewind()
    rewind.ask("Domain")
    rewind.ask("Namespace")
    assert rewind.run_once() < 5
    assert versions.found == []
    rewind.run_once()
    assert versions.found == ["Domain"]


def test_it_asks_at_once_in_a_thread_of_its_own() -> None:
    versions = Versions({"Domain": 10}, {"Domain": [1]})
    rewind = versions.rewind()
    rewind.start()
    assert rewind.is_alive()
    rewind.ask("Domain")
    assert versions.told.wait(60)
    rewind.stop()
