"""Namespaces of Domains and what the operator makes in them: limits, isolation and bindings, each act on a Domain of its own."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e import table_deeds as d
from tests.e2e.table_acts import then, tried
from tests.e2e.table_deeds import backup, patch
from tests.e2e.table_eye import GROUP, Manifest, Picture, picture_child, picture_object, value_at
from tests.e2e.table_mesh import Table, Trace
from tests.e2e.table_words import AT_ONCE, LEFT, LOOK, REFUSED, REPAIRED, WAITS, Act, Cell, Deed, Key, Outcome, Scene

LABEL = f"{GROUP}/domain"
QUOTA, LIMITS, NETWORK, OWNERS, SECRETS = (
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "RoleBinding of owners",
    "RoleBinding of the operator",
)
CHILDREN = {
    QUOTA: "resourcequota/clouddatamesh",
    LIMITS: "limitrange/clouddatamesh",
    NETWORK: "networkpolicy/clouddatamesh",
    OWNERS: "rolebinding/clouddatamesh-owners",
    SECRETS: "rolebinding/clouddatamesh-operator",
}
COUNTED = {
    NETWORK: "count/networkpolicies.networking.k8s.io",
    OWNERS: "count/rolebindings.rbac.authorization.k8s.io",
    LIMITS: "count/limitranges",
}
FORMER = "00000000-0000-0000-0000-000000000000"
INTRUDER = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "intruder"}
EDITS: dict[str, dict[str, Any]] = {
    QUOTA: {"spec": {"hard": {"pods": "9000"}}},
    LIMITS: {"spec": {"limits": [{"type": "Container", "default": {"cpu": "64"}}]}},
    NETWORK: {"spec": {"ingress": [{}]}},
    OWNERS: {"subjects": [INTRUDER]},
    SECRETS: {"subjects": [INTRUDER]},
}
ADDITIONS: dict[str, Callable[[Manifest], dict[str, Any]]] = {
    QUOTA: lambda _: {"spec": {"hard": {"secrets": "100"}}},
    LIMITS: lambda found: {"spec": {"limits": [*found["spec"]["limits"], {"type": "Pod", "max": {"cpu": "1"}}]}},
    NETWORK: lambda found: {"spec": {"ingress": [*found["spec"]["ingress"], {}]}},
    OWNERS: lambda found: {"subjects": [*found["subjects"], INTRUDER]},
    SECRETS: lambda found: {"subjects": [*found["subjects"], INTRUDER]},
}
RELEASED = Outcome("What it made in its namespaces goes, the namespaces stay; applied again it takes them back", LOOK)
REMADE = Outcome("The operator recreates it as it was", LOOK, Key.NONE)
MADE = Outcome("The operator recreates it as it was", AT_ONCE, Key.NONE)
UNMADE = Outcome("Status says why; the operator recreates it once the cause is gone", LOOK, Key.NONE, told=True)
NOT_TAKEN = Outcome("The copy is not the Domain's: our label goes off it, all else stays, and nothing is made in it", LOOK)
HELD = Outcome("It continues to work until it is gone; then the operator recreates it", LOOK, Key.NONE)
FOREIGN = Outcome("The foreign object stays, status says so; ours is made once it is gone", LOOK, Key.NONE, told=True)


def sight(table: Table, cell: Cell) -> Picture:
    return picture_child(table.eye.get(*d.place_of(cell)))


def child(act: Act, what: str, name: str, comes: Outcome, does: Callable[[str], Deed], **more: Any) -> Iterator[Cell]:
    """The same on every child of a Domain; `does` is told which one it is. `apart`: each of them in a Domain of its own."""
    only, apart = more.pop("only", CHILDREN), more.pop("apart", False)
    for number, (object_, named) in enumerate(CHILDREN.items()):
        if object_ in only:
            scene = Scene(f"{name}-{number}" if apart else name, kind="domain")
            yield Cell(object_, act, what, scene, comes, does(object_), sight, child=named, teller="domain", **more)


def add_to(object_: str) -> Deed:
    def act(table: Table, cell: Cell) -> None:
        patch(ADDITIONS[object_](table.read(*d.place_of(cell))))(table, cell)

    return act


def bare(found: Manifest) -> Manifest:
    """Somebody's own of the same name: other content, no mark."""
    made = backup(found, labels={"theirs": "yes"}, annotations={})
    if "subjects" in made:
        return {**made, "subjects": [INTRUDER]}
    return made


def remake_foreign(table: Table, cell: Cell) -> None:
    d.insist(bare)(table, cell)
    table.kept[cell.id] = table.read(*d.place_of(cell))


def delete_foreign(table: Table, cell: Cell) -> None:
    found, was = table.read(*d.place_of(cell)), table.kept[cell.id]
    same = [(one["metadata"]["uid"], one["metadata"]["labels"], one.get("subjects")) for one in (found, was)]
    assert same[0] == same[1], "it is still theirs"
    d.delete(table, cell)


def with_other_role(found: Manifest) -> Manifest:
    return {**backup(found), "roleRef": {**found["roleRef"], "name": "view"}}


def of_former_domain(found: Manifest) -> Manifest:
    """As a backup has it of the time before the Domain was made again."""
    annotations = found["metadata"]["annotations"]
    kind, place, name, _ = annotations[f"{GROUP}/owner"].split("/")
    return backup(found, annotations={**annotations, f"{GROUP}/owner": f"{kind}/{place}/{name}/{FORMER}"})


def each(deed: Deed) -> Callable[[str], Deed]:
    return lambda _: deed


INSIDE = (
    *child(Act.EDIT, "what it allows is changed", "t-edited", REPAIRED, lambda object_: patch(EDITS[object_])),
    *child(Act.ADD, "something more is allowed or limited", "t-added", REPAIRED, add_to),
    *child(Act.ADD, "a label and an annotation", "t-labelled", LEFT, each(then(d.add_label, d.add_annotation))),
    *child(Act.RELABEL, "our labels are removed", "t-relabelled", REPAIRED, each(patch({"metadata": {"labels": None}}))),
    *child(Act.COPY, "under another name", "t-copied", LEFT, each(d.copy())),
    *child(Act.DELETE, "by hand", "t-deleted", MADE, each(d.delete)),
    *child(Act.REMAKE, "with another content and without marks", "t-foreign", FOREIGN, each(remake_foreign), undoes=delete_foreign,
           cause="it is removed", reason="NotOwned", apart=True),
    *child(Act.REMAKE, "with another role", "t-other-role", REPAIRED, each(d.insist(with_other_role)), only=(OWNERS, SECRETS), apart=True),
    *child(Act.RESTORE, "as it was", "t-restored", REPAIRED, each(d.insist(backup)), apart=True),
    *child(Act.RESTORE, "with the mark of an earlier Domain of the name", "t-former", REPAIRED,
           each(d.insist(of_former_domain)), apart=True),
    *child(Act.HOLD, "one more is added", "t-held", LEFT, each(d.leave("metadata", "finalizers", value=[d.MINE]))),
    *child(Act.HOLD, "and it is deleted", "t-held-deleted", HELD, each(then(d.hold, d.delete)), undoes=d.let_go,
           cause="the finalizer is removed"),
    *child(Act.LIMIT, "the namespace may have no more, and it is deleted", "t-counted", UNMADE,
           lambda object_: then(d.no_more(COUNTED[object_]), d.delete),
           undoes=lambda table, cell: d.more(COUNTED[cell.object])(table, cell),
           cause="the quota is lifted", reason="LimitExceeded", only=tuple(COUNTED), apart=True),
    *child(Act.REFUSE, "it is changed, and admission refuses to change it back", "t-frozen", WAITS,
           lambda object_: then(d.freeze, patch(EDITS[object_])), undoes=d.thaw, cause="the rule is removed", reason="AdmissionRefused"),
)  # fmt: skip


# Namespaces


def sight_of_namespace(table: Table, cell: Cell) -> Picture:
    """By its label alone a namespace is the Domain's."""
    found = table.eye.get("namespace", cell.scene.name)
    return Picture(value_at(found, ("metadata", "labels", LABEL)) if found else "gone")


def space(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Cell:
    return Cell("Namespace", act, what, Scene(name, kind="domain"), comes, does, sight_of_namespace, teller="domain", **more)


def freeze_unlabelled(table: Table, cell: Cell) -> None:
    d.freeze(table, cell)
    patch({"metadata": {"labels": {LABEL: None}}})(table, cell)


def copy_namespace(table: Table, cell: Cell) -> None:
    """With a label of one's own, that must stay."""
    name = f"{cell.scene.name}-copy"
    made = backup(table.read("namespace", cell.scene.name), name=name)
    d.create(table, {**made, "metadata": {**made["metadata"], "labels": {**made["metadata"]["labels"], d.MINE: "yes"}}})
    for path, value in ((("metadata", "labels", d.MINE), "yes"), (("metadata", "labels", LABEL), None)):
        table.expect(cell, Trace("namespace", name, "", path, value))
    table.expect(cell, Trace("rolebinding", "clouddatamesh-owners", name, ("kind",), None))


SPACES = (
    space(Act.ADD, "a label and an annotation", "ns-labelled", LEFT, then(d.add_label, d.add_annotation)),
    space(Act.RELABEL, "our label is removed", "ns-unlabelled", REPAIRED, patch({"metadata": {"labels": {LABEL: None}}})),
    space(Act.RELABEL, "every label is removed", "ns-bare", REPAIRED, patch({"metadata": {"labels": None}})),
    space(Act.HAND, "our label names another Domain", "ns-anothers", REPAIRED, patch({"metadata": {"labels": {LABEL: "ns-labelled"}}})),
    space(Act.HOLD, "one more is added", "ns-held", LEFT, d.leave("metadata", "finalizers", value=[d.MINE])),
    space(Act.COPY, "under another name", "ns-copied", NOT_TAKEN, copy_namespace),
    space(Act.DELETE, "with what the Domain made in it", "ns-deleted", REMADE, d.delete),
    space(Act.REFUSE, "our label is removed, and admission refuses to write it", "ns-frozen", WAITS, freeze_unlabelled, undoes=d.thaw,
          cause="the rule is removed", reason="AdmissionRefused"),
)  # fmt: skip


# Domains


def sight_of_domain(table: Table, cell: Cell) -> Picture:
    return picture_object(table.eye.get("domain", cell.scene.name))


def domain(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Cell:
    look = more.pop("sees", sight_of_domain)
    return Cell("Domain", act, what, Scene(name, kind="domain"), comes, does, look, teller="domain", **more)


def remake_domain(table: Table, cell: Cell) -> None:
    """Restored by a backup tool: it vanished with its finalizer, and is there again without status and under another uid."""
    made = backup(table.read("domain", cell.scene.name))
    d.strip(table, cell)
    d.replace_object(table, made)


def copy_domain(table: Table, cell: Cell) -> None:
    """The copy names the same namespace, which has a Domain already."""
    made = backup(table.read("domain", cell.scene.name), name=f"{cell.scene.name}-copy")
    d.create(table, {**made, "spec": {**made["spec"], "namespaces": [{"name": cell.scene.name}]}})
    table.expect(cell, Trace("domain", f"{cell.scene.name}-copy", "", ("spec", "namespaces"), [{"name": cell.scene.name}]))
    table.expect(cell, Trace("namespace", cell.scene.name, "", ("metadata", "labels", LABEL), cell.scene.name))


def edit_frozen(table: Table, cell: Cell) -> None:
    """Its own status cannot be written, and one of its children is changed."""
    d.freeze(table, cell)
    table.kubectl("patch", "rolebinding", "clouddatamesh-owners", "-n", cell.scene.name, "--type=merge", "-p", json.dumps(EDITS[OWNERS]))


def sight_of_owners(table: Table, cell: Cell) -> Picture:
    """The uid of the Domain does not matter."""
    found = table.eye.get("rolebinding", "clouddatamesh-owners", cell.scene.name)
    return Picture((found.get("subjects"), found.get("roleRef"), value_at(found, ("metadata", "labels", LABEL))))


lose_status = patch({"status": None}, "--subresource=status", *d.BREAK_GLASS)
drop_finalizer = patch({"metadata": {"finalizers": None}})
DOMAINS = (
    domain(Act.ADD, "a label and an annotation", "do-labelled", LEFT, then(d.add_label, d.add_annotation)),
    domain(Act.HOLD, "ours is removed", "do-unheld", REPAIRED, drop_finalizer),
    domain(Act.HOLD, "one of one's own is added", "do-held", LEFT, d.hold_for_good),
    domain(Act.EDIT, "the status is lost", "do-forgotten", REPAIRED, lose_status),
    domain(Act.EDIT, "its home is another namespace", "do-moved", REFUSED, tried(patch({"spec": {"namespaces": [{"name": "elsewhere"}]}}))),
    domain(Act.COPY, "under another name, with the same namespace", "do-copied", LEFT, copy_domain),
    domain(Act.REFUSE, "admission refuses the operator to change it, and a binding of its is changed", "do-frozen", REPAIRED, edit_frozen,
           sees=sight_of_owners),
    domain(Act.DELETE, "without anything in its namespaces; then applied again", "do-deleted", RELEASED, d.delete_and_wait,
           undoes=d.apply("Domain"), cause="it is applied again", sees=sight_of_owners),
    domain(Act.RESTORE, "without status, as another object", "do-restored", REPAIRED, remake_domain),
)  # fmt: skip
