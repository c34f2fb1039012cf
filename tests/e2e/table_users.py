"""Users of ours in the store with their policies, groups and keys: those of a producer and of a consumer."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e import table_acts as d
from tests.e2e.table_acts import change_policy, on_key, on_user, then
from tests.e2e.table_eye import QUARANTINE, Manifest, Picture, picture_user
from tests.e2e.table_mesh import Table
from tests.e2e.table_words import (
    FRESH,
    LEFT,
    LOOK,
    RESTORED,
    STOPS,
    TAKEN_OFF,
    WAITS,
    WAITS_FRESH,
    Act,
    Cell,
    Deed,
    Key,
    Outcome,
    Scene,
)

WHO = ("producer", "consumer")
MANAGED = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
RENAMED = Outcome(
    "There is a user of the name with a fresh key again; the renamed one is an orphan, which is gone in seven minutes", LOOK, Key.GRACED
)
LIFTED = {"undoes": d.lift, "cause": "the policy is lifted", "reason": "AccessDenied", "store": "guarded"}


def sight(table: Table, cell: Cell) -> Picture:
    return picture_user(table.store_of(cell.scene), table.user(cell))


def user(object_: str) -> Callable[..., Iterator[Cell]]:
    """The same on the user of a producer and on that of a consumer, or on one of them."""

    def cells(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Iterator[Cell]:
        scene, only = Scene(name, store=more.pop("store", "main")), more.pop("only", "")
        for who in WHO:
            if only in ("", who):
                teller = {"producer": "dataproduct", "consumer": "accessrequest"}[who]
                yield Cell(object_, act, f"{what} ({who})", scene, comes, does, sight, whose=who, teller=teller, **more)

    return cells


def narrow(found: Manifest) -> Manifest:
    return {**found, "Statement": found["Statement"][:1]}


def elsewhere(table: Table, cell: Cell) -> None:
    table.iam(cell).update_user(UserName=table.user(cell), NewPath="/elsewhere/")


def home_again(table: Table, cell: Cell) -> None:
    table.iam(cell).update_user(UserName=table.user(cell), NewPath=table.before[cell.id].ours["path"])


def rename(table: Table, cell: Cell) -> None:
    name = table.user(cell)
    table.iam(cell).update_user(UserName=name, NewUserName=f"{name[:50]}-was")


def copy_user(table: Table, cell: Cell) -> None:
    """Another user with the same rights, elsewhere: nobody's of the mesh."""
    iam, name = table.iam(cell), table.user(cell)
    copied = f"{name[:50]}-copy"
    iam.create_user(UserName=copied, Path="/elsewhere/")
    (policy,) = iam.list_user_policies(UserName=name)["PolicyNames"]
    document = iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]
    iam.put_user_policy(UserName=copied, PolicyName=policy, PolicyDocument=json.dumps(document))
    table.kept[f"copy of {cell.id}"] = copied


def sight_of_copy(table: Table, cell: Cell) -> Picture:
    copied = table.kept.get(f"copy of {cell.id}")
    return Picture(sight(table, cell).ours, picture_user(table.store, copied).ours if copied else None)


def attach_own(name: str) -> Deed:
    """A managed policy of the account's own."""

    def act(table: Table, cell: Cell) -> None:
        made = table.iam(cell).create_policy(PolicyName=f"{name}-{cell.whose}", PolicyDocument=json.dumps(d.WIDE))
        table.iam(cell).attach_user_policy(UserName=table.user(cell), PolicyArn=made["Policy"]["Arn"])

    return act


QUARANTINED = Outcome(
    "It stays as the cloud left it, and keeps the key from what it denies; nothing of ours changes", LOOK, Key.NONE, heals=False
)
quarantine = on_user("attach_user_policy", PolicyArn=QUARANTINE)
attach = on_user("attach_user_policy", PolicyArn=MANAGED)
join = on_user("add_user_to_group", GroupName="office")
add_inline = on_user("put_user_policy", PolicyName="mine", PolicyDocument=json.dumps(d.WIDE))
widen = change_policy(lambda _: d.WIDE)
disable = on_key(lambda iam, name, key: iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive"))
delete_key = on_key(lambda iam, name, key: iam.delete_access_key(UserName=name, AccessKeyId=key))
USER, POLICY, ATTACHED, GROUP, KEY = "User", "User: policy", "User: attached policies", "User: groups", "User: key"
USERS_CELLS: tuple[Cell, ...] = (
    *user(USER)(Act.RELABEL, "it is renamed", "user-renamed", RENAMED, rename),
    Cell(USER, Act.COPY, "another user gets a copy of its policy", Scene("user-copied"), LEFT, copy_user, sight_of_copy, whose="producer"),
    *user(USER)(Act.DELETE, "it is deleted with keys and policy", "user-deleted", FRESH, d.delete_user),
    *user(USER)(Act.REMAKE, "it is deleted and recreated by hand, with a key", "user-remade", FRESH,
          then(d.remake_user, d.add_key)),
    *user(USER)(Act.RELABEL, "it is moved to another path", "user-moved", STOPS, elsewhere, undoes=home_again,
          cause="it is moved back", reason="NotOwned"),
    *user(USER)(Act.TAKE, "an organisation's policy refuses the operator to see it", "user-unseen", WAITS, d.refuse("GetUser"), **LIFTED),
    *user(USER)(Act.REFUSE, "it is deleted, and an organisation's policy refuses the operator to make users", "user-unmade", WAITS_FRESH,
          then(d.delete_user, d.refuse("CreateUser")), **LIFTED),
    *user(POLICY)(Act.WIDEN, "it allows everything", "policy-widened", TAKEN_OFF, widen),
    *user(POLICY)(Act.EDIT, "it loses a statement", "policy-narrowed", RESTORED, change_policy(narrow)),
    *user(POLICY)(Act.DELETE, "it is deleted", "policy-dropped", RESTORED, d.drop_policy),
    *user(POLICY)(Act.ADD, "a second one allows everything", "policy-second", TAKEN_OFF, add_inline),
    *user(POLICY)(Act.REFUSE, "it allows everything, and an organisation's policy refuses the operator to write it", "policy-kept-wide",
          WAITS, then(widen, d.refuse("PutUserPolicy")), **LIFTED),
    *user(ATTACHED)(Act.WIDEN, "a managed policy is attached", "attached-managed", TAKEN_OFF, attach),
    *user(ATTACHED)(Act.WIDEN, "a policy of the account's own is attached (moto)", "attached-own", TAKEN_OFF, attach_own("wide"),
          store="moto"),
    *user(ATTACHED)(Act.WIDEN, "a policy of the account's own, named as those of the cloud's quarantine, is attached (moto)",
          "attached-like", TAKEN_OFF, attach_own("AWSCompromisedKeyQuarantineV2"), store="moto", only="producer"),
    *user(ATTACHED)(Act.TAKE, "the cloud puts it into quarantine (moto)", "attached-quarantine", QUARANTINED, quarantine, store="moto",
          only="producer"),
    *user(ATTACHED)(Act.REFUSE, "one is attached, and an organisation's policy refuses the operator to detach it", "attached-kept", WAITS,
          then(attach, d.refuse("DetachUserPolicy")), **LIFTED),
    *user(GROUP)(Act.WIDEN, "it becomes a member of a group with more rights", "group-joined", TAKEN_OFF, join),
    *user(GROUP)(Act.REFUSE, "it becomes a member, and an organisation's policy refuses the operator to undo that", "group-kept", WAITS,
          then(join, d.refuse("RemoveUserFromGroup")), **LIFTED),
    *user(KEY)(Act.TAKE, "it is disabled", "key-disabled", FRESH, disable),
    *user(KEY)(Act.DELETE, "it is deleted", "key-deleted", FRESH, delete_key),
    *user(KEY)(Act.ADD, "somebody makes a second one", "key-second", TAKEN_OFF, d.add_key),
    *user(KEY)(Act.REMAKE, "it is deleted, and somebody makes another one", "key-remade", FRESH, then(delete_key, d.add_key)),
    *user(KEY)(Act.REFUSE, "it is disabled, and an organisation's policy refuses the operator to make keys", "key-unmade",
          WAITS_FRESH, then(disable, d.refuse("CreateAccessKey")), **LIFTED),
)  # fmt: skip
