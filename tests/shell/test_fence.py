"""The fence: a replica that no longer leads reads on and writes nothing, to the cluster or to a store."""

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from clouddatamesh.errors import Transient
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.objects import Event, Key
from clouddatamesh.model.settings import Settings
from clouddatamesh.ports import BucketStore, Cluster, Identities, Ports
from clouddatamesh.shell.fence import Gate, fence

KEY = Key("Domain", "", "sales")
READS: dict[type, set[str]] = {
    Cluster: {"get", "list", "departed", "read", "read_metadata", "get_own_secret", "keys", "referring", "naming", "named", "emit"},
    BucketStore: {"observe", "count", "account"},
    Identities: {"list", "observe"},
}


class Answering:
    """Any port: every method answers with its own name."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: Answering() if name in ("buckets", "identities") else name


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def is_trusted(self) -> bool:
        return True


def fenced(*, leads: bool) -> Ports:
    anything: Any = Answering()
    return fence(Ports(anything, anything, Clock(), Settings(mesh="acme", namespace="mesh-system")), Gate(lambda: leads))


def doors(ports: Ports) -> dict[type, Any]:
    connection: Any = None
    return {Cluster: ports.cluster, BucketStore: ports.stores.buckets(connection), Identities: ports.stores.identities(connection)}


@pytest.mark.parametrize(
    ("port", "method"),
    [(port, name) for port in READS for name, _ in inspect.getmembers(port, inspect.isfunction) if not name.startswith("_")],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_only_reads_go_on_where_another_leads(port: type, method: str) -> None:
    assert getattr(doors(fenced(leads=True))[port], method)() == method
    follower = getattr(doors(fenced(leads=False))[port], method)
    if method in READS[port]:
        assert follower() == method
        return
    with pytest.raises(Transient, match="Another replica leads"):
        follower()


def test_leading_is_asked_at_each_write() -> None:
    settings = Settings(mesh="acme", namespace="mesh-system")
    cluster = MemoryCluster(settings)
    turns = [True]
    anything: Any = Answering()
    ports = fence(Ports(cluster, anything, Clock(), settings), Gate(lambda: turns[-1]))
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}}
    ports.cluster.create(manifest)
    turns.append(False)
    with pytest.raises(Transient):
        ports.cluster.create({**manifest, "metadata": {"name": "inventory"}})
    ports.cluster.emit(KEY, "uid", Event("Normal", "Created", "It was made"))
    assert [key.name for _, key in cluster.writes] == ["sales"]
