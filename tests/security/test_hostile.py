"""tests/security/hostile.py on the fakes: whatever is tried, nobody has key and policy beyond what a living grant allows."""

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan.names import principal_name
from tests.reconcile.access_flows import SECRET, asked, granted
from tests.reconcile.flows import ENDPOINT
from tests.security.hostile import HOSTILE, Hostile
from tests.security.hostile_endings import ENDINGS
from tests.security.hostile_secrets import SECRETS
from tests.support.manifests import a_grant, a_request
from tests.support.mesh import Mesh


def standing(mesh: Mesh) -> list[str]:
    """Principals of requests that have both a policy and a live key."""
    users = mesh.stores.at(ENDPOINT).users.items()
    owners = ("orders-for-forecast", "inventory-another", "inventory-more", "inventory-ghost", "wild-")
    return [n for n, u in users if any(o in n for o in owners) and u.policy is not None and any(k.active for k in u.keys)]


@pytest.mark.parametrize("case", (*HOSTILE, *ENDINGS, *SECRETS), ids=lambda case: case.what)
def test_gains_nothing(case: Hostile) -> None:
    mesh = Mesh()
    case.before(mesh)
    mesh.settle()
    case.act(mesh)
    mesh.settle()
    assert len(standing(mesh)) == case.left
    mesh.clock.forward(hours=1)  # a key that was replaced has ended by then
    mesh.settle()
    for name in standing(mesh):
        user = mesh.stores.at(ENDPOINT).users[name]
        data = mesh.cluster.secret_data(SECRET)
        resources = {resource for statement in user.policy or () for resource in statement.resources}
        arn = f"arn:aws:s3:::{mesh.bucket_of()}"
        assert (resources, user.other_policies) == ({arn, f"{arn}/daily/*"}, ())
        assert [key.id for key in user.keys] == [data["access-key-id"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Key("AccessRequest", "a-b", "c"), Key("AccessRequest", "a", "b-c")),
        (Key("AccessRequest", "a", "b.c"), Key("AccessRequest", "a", "b-c")),
        (Key("AccessRequest", "a", "x" * 80), Key("AccessRequest", "a", "x" * 81)),
        (Key("AccessRequest", "a", "b"), Key("DataProduct", "a", "b")),
    ],
    ids=[
        "namespace and name run into each other",
        "a dot for a dash",
        "names that agree where they are cut",
        "a request named as a product",
    ],
)
def test_two_owners_never_share_a_principal(one: Key, other: Key) -> None:
    assert principal_name("acme", "cluster", one) != principal_name("acme", "cluster", other)
    assert principal_name("acme", "cluster", one) != principal_name("other-mesh", "cluster", one)
    assert principal_name("acme", "cluster", one) != principal_name("acme", "other-cluster", one)


def test_many_renewals_at_an_open_port_make_one_grant_a_term() -> None:
    mesh, made = asked(Mesh(), approval="Auto"), set[str]()
    mesh.clock.forward(days=1)
    for day, begins in ((0, "2026-01-02"), (80, "2026-03-01")):
        mesh.clock.forward(days=day)
        for second in range(10):
            mesh.apply(a_request(renewal={"requestedAt": f"{begins}T00:00:0{second}Z"})).settle()
            made |= {grant["metadata"]["uid"] for grant in mesh.cluster.list("AccessGrant")}
        assert len(mesh.cluster.list("AccessGrant")) == 1, "an answer that is superseded is cleared away"
    assert len(made) == 2


def test_a_rebuilt_cluster_ends_old_keys_and_gives_only_what_is_granted_again() -> None:
    old = granted(Mesh())
    before = old.cluster.secret_data(SECRET)["access-key-id"]
    new = Mesh()
    new.stores.take_over(old.stores)
    uid = old.get("Namespace", "kube-system")["metadata"]["uid"]
    assert new.get("Namespace", "kube-system")["metadata"]["uid"] == uid, (
        "the fake's clusters share the UID, so the store is taken as its own"
    )
    asked(new)
    new.clock.forward(minutes=6)
    new.settle()
    new.apply(a_grant(validUntil="2026-02-01T00:00:00Z")).settle()
    (name,) = standing(new)
    assert before not in [key.id for key in new.stores.at(ENDPOINT).users[name].keys]
