"""The faulty mesh as it is built, and the order in which everything befalls it: see the moments in `spoil` and `set_right`."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e import faulty_heals, faulty_kept, faulty_lies, faulty_singles
from tests.e2e.faulty import APART, MESH, Faulty, Manifest, begin, deal_on, make_all, product_on, store_at
from tests.support.fault_proxy import FaultProxy
from tests.support.installation import Installation
from tests.support.rgw_admin import accept_key, make_account

CASES = (*faulty_kept.KEPT, *faulty_kept.SUSPENDED)


@contextlib.contextmanager
def a_faulty_mesh(rgw: Store, moto: Store) -> Iterator[Faulty]:
    """Everything Ready that can be, and every obstacle Stalled."""
    stranger = make_account(rgw, 2)
    accept_key(rgw, moto.access_key, moto.secret_key)
    values = {"log.level": "debug", "driftInterval": "1m"}
    with FaultProxy(rgw.endpoint) as proxy, ControlPlane() as cluster, Installation(cluster, mesh=MESH, values=values) as installed:
        mesh = Faulty(installed, rgw, proxy, moto, stranger)
        _give_keys(mesh)
        begin(mesh, list(_stores(mesh)), [])
        _make(mesh)
        yield mesh


def _give_keys(mesh: Faulty) -> None:
    for secret, store in ((faulty_lies.TWIN_KEY, mesh.twin), (faulty_lies.SWAPPED_KEY, mesh.store), ("moto-s3", mesh.twin)):
        mesh.give_key(secret, store)
    mesh.give_key(faulty_heals.SMALL_KEY, make_account(mesh.store, faulty_heals.SMALL_ACCOUNT))
    mesh.twin.client("iam").create_user(UserName="tightened")
    faulty_kept.relax(mesh, "")
    key = mesh.twin.client("iam").create_access_key(UserName="tightened")["AccessKey"]
    mesh.give_key("tight-s3", replace(mesh.twin, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"]))


def _stores(mesh: Faulty) -> Iterator[Manifest]:
    region = mesh.store.region
    yield store_at("main", mesh.proxy.endpoint, region)
    yield from faulty_singles.stores(mesh)
    yield faulty_heals.small_store(mesh)
    for name, secret in (("kms", "moto-s3"), ("tight", "tight-s3")):
        yield store_at(name, mesh.twin.endpoint, region, credentialsSecretRef={"name": secret})
    for lie in faulty_lies.LIES:
        yield lie.manifest(mesh)


def _make(mesh: Faulty) -> None:
    faulty_singles.prepare(mesh)
    products = [product_on(case.name, case.store, **case.spec) for case in CASES] + [product_on("open")]
    products += faulty_singles.products()
    deals = [deal_on(case.name, case.name) for case in CASES] + faulty_singles.deals()
    for lie in faulty_lies.LIES:
        more_products, more_deals = lie.objects()
        products, deals = products + more_products, deals + more_deals
    for obstacle in faulty_heals.OBSTACLES:
        obstacle.puts(mesh)
    polite = deal_on("polite", "open").grant
    mesh.installed.apply(*(obstacle.manifest for obstacle in faulty_heals.OBSTACLES), polite)
    make_all(mesh, products, deals)
    for obstacle in faulty_heals.OBSTACLES:
        mesh.installed.until(lambda o=obstacle: is_stalled(mesh, o), seconds=60, what=f"{obstacle.name}: Stalled")  # type: ignore[misc]


def is_stalled(mesh: Faulty, obstacle: faulty_heals.Obstacle) -> bool:
    """Whether its Ready is False, or it says that it is Stalled."""
    found = mesh.installed.get(obstacle.kind, obstacle.manifest["metadata"]["name"], obstacle.namespace)
    conditions = {condition["type"]: condition["status"] for condition in found.get("status", {}).get("conditions", ())}
    return conditions.get("Ready") == "False"


def spoil(mesh: Faulty) -> None:
    """`spoiled`: all faults at once, and obstacles are removed; a look, and another one that counts as the second."""
    for case in CASES:
        case.breaks(mesh, case.name)
    faulty_singles.spoil(mesh)
    for lie in faulty_lies.LIES:
        lie.tells(mesh)
    for obstacle in faulty_heals.OBSTACLES:
        obstacle.removes(mesh)
    mesh.note("spoiled")
    for lie in faulty_lies.LIES:
        faulty_lies.revoke_at_once(mesh, lie)
    _look(mesh, "first")
    faulty_singles.go_on(mesh)
    mesh.note("looked")
    mesh.pass_time("looked", APART)
    for lie in faulty_lies.LIES:
        faulty_lies.decide_later(mesh, lie)
    _look(mesh, "second")


def _look(mesh: Faulty, token: str) -> None:
    """Nobody asks for a look at an obstacle, nor at what is to be found by itself."""
    names = [*(case.name for case in CASES), *faulty_singles.LOOKED_AT, *(lie.kept for lie in faulty_lies.LIES)]
    mesh.touch("dataproduct", *names, token=token)
    mesh.touch("areq", *(case.name for case in CASES), namespace="inventory", token=token)
    mesh.installed.until(lambda: _have_looked(mesh, names, token), seconds=90, what=f"the {token} look")


def _have_looked(mesh: Faulty, names: list[str], token: str) -> bool:
    found = [one for one in mesh.installed.all("dataproduct", "sales") if one["metadata"]["name"] in names]
    return all(product.get("status", {}).get("lastHandledReconcileAt") == token for product in found)


def set_right(mesh: Faulty) -> None:
    """`set right`: every cause is gone; nobody asks the operator to look."""
    for case in CASES:
        case.heals(mesh, case.name)
    for lie in faulty_lies.LIES:
        lie.ends(mesh)
    faulty_singles.heal(mesh)
    mesh.note("set right")
