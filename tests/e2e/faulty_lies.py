"""Stores that are not what they were: another endpoint, another account, another store's users. Whatever they say is no evidence."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from hack.tools.store import Store
from tests.e2e.access import Deal
from tests.e2e.actors import BREAK_GLASS
from tests.e2e.faulty import MESH, Faulty, Manifest, deal_on, product_on, store_at
from tests.support.rgw_admin import ACCOUNT

TWIN_KEY, SWAPPED_KEY = "twin-s3", "swapped-s3"
DESTROYED = {"deletionPolicy": "Delete", "forceDestroy": True}


@dataclass(frozen=True)
class Lie:
    """An ObjectStore that changes, and how it is set back. Its products are `src-` and `gone-`, its deals `a-` and `b-` and its name."""

    store: str
    secret: str
    tells: Callable[[Faulty], None]
    ends: Callable[[Faulty], None]

    @property
    def kept(self) -> str:
        return f"src-{self.store}"

    @property
    def gone(self) -> str:
        return f"gone-{self.store}"

    def objects(self) -> tuple[list[Manifest], list[Deal]]:
        products = [product_on(self.kept, self.store), product_on(self.gone, self.store, storage=DESTROYED)]
        return products, [deal_on(f"{letter}-{self.store}", self.kept) for letter in "ab"]

    def manifest(self, mesh: Faulty, **spec: str) -> Manifest:
        place = {"endpoint": mesh.store.endpoint, "region": mesh.store.region, **spec}
        return store_at(self.store, place.pop("endpoint"), place.pop("region"), credentialsSecretRef={"name": self.secret}, **place)


def edit(store: str) -> Callable[[Faulty], None]:
    """spec.endpointUrl names the twin."""
    return lambda mesh: mesh.installed.apply(lie_of(store).manifest(mesh, endpoint=mesh.twin.endpoint))


def edit_iam(store: str) -> Callable[[Faulty], None]:
    """Buckets stay where they are; users are asked for at the twin."""
    return lambda mesh: mesh.installed.apply(lie_of(store).manifest(mesh, iamEndpointUrl=mesh.twin.endpoint))


def remake(mesh: Faulty) -> None:
    """The object is forced away and made again under its name, with the wrong endpoint."""
    kubectl = mesh.installed.cluster.kubectl
    kubectl("delete", "objectstore", "remade", "--wait=false")
    rescuer = ("--as=rescuer", "--as-group=system:masters", f"--as-group={BREAK_GLASS}")
    kubectl("patch", "objectstore", "remade", "--type=merge", "-p", '{"metadata":{"finalizers":null}}', *rescuer)
    edit("remade")(mesh)


def set_back(store: str) -> Callable[[Faulty], None]:
    def act(mesh: Faulty) -> None:
        mesh.installed.apply(lie_of(store).manifest(mesh))
        mesh.annotate("objectstore", store, account=ACCOUNT)

    return act


def swap(mesh: Faulty) -> None:
    """The Secret holds the key of another account."""
    mesh.give_key(SWAPPED_KEY, mesh.stranger)


def swap_back(mesh: Faulty) -> None:
    mesh.give_key(SWAPPED_KEY, mesh.store)


LIES = (
    Lie("edited", TWIN_KEY, edit("edited"), set_back("edited")),
    Lie("remade", TWIN_KEY, remake, set_back("remade")),
    Lie("other-iam", TWIN_KEY, edit_iam("other-iam"), set_back("other-iam")),
    Lie("swapped", SWAPPED_KEY, swap, swap_back),
)


def lie_of(store: str) -> Lie:
    return next(lie for lie in LIES if lie.store == store)


def revoke_at_once(mesh: Faulty, lie: Lie) -> None:
    """A grant is revoked before anybody has looked at the store."""
    mesh.installed.cluster.kubectl("delete", "agrant", f"for-a-{lie.store}", "-n", "sales", "--wait=false")


def decide_later(mesh: Faulty, lie: Lie) -> None:
    """A request is withdrawn, and a product goes with its bucket."""
    kubectl = mesh.installed.cluster.kubectl
    kubectl("delete", "areq", f"b-{lie.store}", "-n", "inventory", "--wait=false")
    kubectl("delete", "dataproduct", lie.gone, "-n", "sales", "--wait=false")


def strangers_made(store: Store) -> list[str]:
    """Users with keys and buckets of products that were made in a store to which none of them belongs."""
    iam, found = store.client("iam"), []
    for user in store.users(f"/clouddatamesh/{MESH}/"):
        found += [user] if iam.list_access_keys(UserName=user)["AccessKeyMetadata"] else []
    try:
        buckets = store.client("s3").list_buckets()["Buckets"]
    except ClientError:
        buckets = []
    return [*found, *(bucket["Name"] for bucket in buckets if "-src-" in bucket["Name"] or "-gone-" in bucket["Name"])]
