"""What befalls objects of the cluster: deeds of administrators, of break-glass and of backup tools, by kubectl."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from hack.tools.children import ToolError
from tests.e2e.table_eye import GROUP, Manifest
from tests.e2e.table_mesh import (
    CLOSED,
    FROZEN,
    OPERATOR,
    USERS,
    Table,
    Trace,
    deal_manifests,
    domain_manifest,
    product_manifest,
    secret_of,
)
from tests.e2e.table_words import Cell, Deed
from tests.support.rest import Api

BREAK_GLASS = ("--as=rescuer", "--as-group=system:masters", "--as-group=clouddatamesh:break-glass")
MINE = "example.com/mine"
_ATTEMPTS = 60
"""How often an act is done again where the operator came in between."""


def place_of(cell: Cell) -> tuple[str, str, str]:
    """Kind, name and namespace of the object of a cell."""
    scene = cell.scene
    if cell.child:
        kind, name = cell.child.split("/")
        return kind, name, scene.name if scene.kind == "domain" else scene.place
    kinds = {"Namespace": ("namespace", ""), "Domain": ("domain", ""), "ObjectStore": ("objectstore", "")}
    if cell.object in kinds:
        return (kinds[cell.object][0], scene.name, "")
    if cell.object == "Secret":
        return ("secret", *secret_of(scene, cell.whose))
    namespace = USERS if cell.object == "AccessRequest" else scene.place
    return cell.object.lower(), scene.name, namespace


def _words(cell: Cell) -> tuple[str, ...]:
    kind, name, namespace = place_of(cell)
    return (kind, name, *(("-n", namespace) if namespace else ()))


def on_object(verb: str, *flags: str) -> Deed:
    """kubectl about the object of the cell."""
    return lambda table, cell: _done(table.kubectl(verb, *_words(cell), *flags))


def of(kind: str, name: Callable[[Cell], str], verb: str, *flags: str) -> Deed:
    """kubectl about another object of the cluster."""
    return lambda table, cell: _done(table.kubectl(verb, kind, name(cell), *flags))


def _done(_said: str) -> None:
    """What kubectl puts out does not matter."""


def patch(change: Mapping[str, Any], *flags: str) -> Deed:
    if flags:
        return on_object("patch", "--type=merge", "-p", json.dumps(change), *flags)
    return lambda table, cell: table.installed.patch(*place_of(cell), change=change)


def patch_json(*operations: Mapping[str, Any]) -> Deed:
    return on_object("patch", "--type=json", "-p", json.dumps(operations))


def leave(*path: str, value: Any) -> Deed:
    """Write something of one's own into the object, to be found there to the end."""
    change: Any = value
    for step in reversed(path):
        change = {step: change}

    def act(table: Table, cell: Cell) -> None:
        patch(change)(table, cell)
        table.expect(cell, Trace(*place_of(cell), path, value))

    return act


add_label = leave("metadata", "labels", MINE, value="yes")
add_annotation = leave("metadata", "annotations", MINE, value="yes")
delete = on_object("delete", "--wait=false")
delete_and_wait = on_object("delete", "--timeout=120s")
unmark = patch({"metadata": {"annotations": {f"{GROUP}/owner": None}}})
freeze = patch({"metadata": {"annotations": {FROZEN: "yes"}}})
thaw = patch({"metadata": {"annotations": {FROZEN: None}}})


def hold(table: Table, cell: Cell) -> None:
    """Add a finalizer of one's own."""
    found = table.read(*place_of(cell))["metadata"].get("finalizers", [])
    patch({"metadata": {"finalizers": [*found, MINE]}})(table, cell)


def hold_for_good(table: Table, cell: Cell) -> None:
    hold(table, cell)
    place = place_of(cell)
    table.expect(cell, Trace(*place, ("metadata", "finalizers"), table.read(*place)["metadata"]["finalizers"]))


def let_go(table: Table, cell: Cell) -> None:
    found = table.read(*place_of(cell))["metadata"].get("finalizers", [])
    patch({"metadata": {"finalizers": [name for name in found if name != MINE]}})(table, cell)


strip = patch({"metadata": {"finalizers": None}}, *BREAK_GLASS)
"""The platform team removes every finalizer."""


def backup(found: Manifest, **changes: Any) -> Manifest:
    """An object as a backup tool keeps it: no status, no uid, no owner; `changes` go into its metadata."""
    dropped = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "ownerReferences", "generation", "deletionTimestamp")
    metadata = {key: value for key, value in found["metadata"].items() if key not in dropped}
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": {**metadata, **changes}}


def create(table: Table, *manifests: Manifest) -> None:
    for manifest in manifests:
        table.kubectl("create", "-f", "-", stdin=json.dumps(manifest))


def remake(change: Callable[[Manifest], Manifest] = lambda found: found) -> Deed:
    """Delete a Secret and make it again at once, as a restore does; `change` says how it differs.

    Where the operator looked in between and made its own, that one is restored, with the key that was fresh then: two keys live at most."""

    def act(table: Table, cell: Cell) -> None:
        for _ in range(_ATTEMPTS):
            if is_replaced(table, change(backup(table.read(*place_of(cell))))):
                return
            table.hold_again(cell, table.installed.secret(*place_of(cell)[1:]))
        raise AssertionError("the operator looks in every such moment")

    return act


def replace_object(table: Table, made: Manifest) -> None:
    """Where the operator looks in between, the tool tries again."""
    for _ in range(_ATTEMPTS):
        if is_replaced(table, made):
            return
    raise AssertionError(f"the operator looks at {made['metadata']['name']} in every such moment")


def is_replaced(table: Table, made: Manifest) -> bool:
    """By one process, so that the operator hardly ever looks in between and makes its own first."""
    try:
        table.kubectl("replace", "--force", "--timeout=60s", "-f", "-", stdin=json.dumps(made))
    except ToolError as error:
        if "AlreadyExists" not in str(error):
            raise
        return False
    return True


def insist(change: Callable[[Manifest], Manifest]) -> Deed:
    """As `remake`, of what the operator makes again at once: for this moment the platform team lets it make nothing there.

    A look may fall before the end of that moment, remove what was made, and be refused to make its own: then it is done again."""

    def act(table: Table, cell: Cell) -> None:
        made = change(backup(table.read(*place_of(cell))))
        for _ in range(_ATTEMPTS):
            close_namespace(table, cell)
            table.until(lambda: _is_closed(table, cell), "the namespace is closed to the operator")
            replace_object(table, made)
            open_namespace(table, cell)
            table.until(lambda: not _is_closed(table, cell), "the namespace is open to the operator")
            if _is_there(table, cell):
                return
        raise AssertionError("the operator looks in every such moment")

    return act


def _is_there(table: Table, cell: Cell) -> bool:
    """Whether it is there within a moment: the operator may have taken it, and makes its own as soon as it may."""
    for _ in range(5):
        if table.read(*place_of(cell)):
            return True
        time.sleep(0.1)
    return False


def _is_closed(table: Table, cell: Cell) -> bool:
    """What the operator would be answered; nothing is written."""
    probe = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "probe", "namespace": place_of(cell)[2]},
        "spec": {"limits": []},
    }
    return "It is closed" in table.installed.refusal(probe, user=OPERATOR)


def copy(change: Callable[[Manifest], Manifest] = lambda found: found) -> Deed:
    """The same object under another name, labels, annotations and owners included."""

    def act(table: Table, cell: Cell) -> None:
        kind, name, namespace = place_of(cell)
        found = table.read(kind, name, namespace)
        owners = {"ownerReferences": found["metadata"]["ownerReferences"]} if "ownerReferences" in found["metadata"] else {}
        made = change(backup(found, name=f"{name}-copy", **owners))
        create(table, made)
        for path in (("metadata", "labels"), ("metadata", "annotations"), ("data",), ("spec",), ("subjects",)):
            value = made.get(path[0], {}).get(path[1]) if len(path) > 1 else made.get(path[0])
            if value is not None and (kind, path) != ("namespace", ("spec",)):
                table.expect(cell, Trace(kind, f"{name}-copy", namespace, path, value))

    return act


def no_more(resource: str) -> Deed:
    """A quota of the namespace that is used up; it counts when this returns."""

    def act(table: Table, cell: Cell) -> None:
        namespace, name = place_of(cell)[2], _quota_of(resource)
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name, "namespace": namespace}}
        table.installed.apply({**quota, "spec": {"hard": {resource: "0"}}})
        table.until(lambda: table.read("resourcequota", name, namespace).get("status", {}).get("used"), "the quota counts")

    return act


def more(resource: str) -> Deed:
    """The quota is lifted."""
    return lambda table, cell: _done(table.kubectl("delete", "resourcequota", _quota_of(resource), "-n", place_of(cell)[2]))


def _quota_of(resource: str) -> str:
    return f"no-more-{resource.replace('/', '-')}"


def close_namespace(table: Table, cell: Cell) -> None:
    table.kubectl("label", "namespace", place_of(cell)[2], f"{CLOSED}=yes")


def open_namespace(table: Table, cell: Cell) -> None:
    """Without a process of its own: meanwhile the operator removes what stands where its own should."""
    Api(table.installed.cluster.kubeconfig).patch(f"/api/v1/namespaces/{place_of(cell)[2]}", {"metadata": {"labels": {CLOSED: None}}})


def apply(*which: str) -> Deed:
    """Apply manifests of the scene again, by kind."""

    def act(table: Table, cell: Cell) -> None:
        request, grant = deal_manifests(cell.scene)
        known = {"AccessRequest": request, "AccessGrant": grant, "DataProduct": product_manifest(cell.scene)}
        known["Domain"] = domain_manifest(cell.scene.name)
        table.installed.apply(*(known[kind] for kind in which))

    return act
