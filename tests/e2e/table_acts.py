"""What befalls buckets and users: deeds of the store's administrator, by boto3, and of an organisation's policy before the operator."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from hack.tools.children import ToolError
from tests.e2e import table_s3 as s3s
from tests.e2e.table_eye import GROUP, PRIVATE, SEED, Grip, Manifest
from tests.e2e.table_mesh import MESH, Table
from tests.e2e.table_words import Cell, Deed
from tests.support.fault_proxy import ANY, Rule

_ATTEMPTS = 5
"""How often an act on a user is done again where the operator came in between."""
WIDE: Manifest = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]}


def then(*deeds: Deed) -> Deed:
    """One after the other."""

    def act(table: Table, cell: Cell) -> None:
        for deed in deeds:
            deed(table, cell)

    return act


def tried(deed: Deed) -> Deed:
    """A deed that is refused; what was answered is kept."""

    def act(table: Table, cell: Cell) -> None:
        try:
            deed(table, cell)
        except (ToolError, ClientError) as error:
            table.said[cell.id] = str(error)

    return act


def on_bucket(operation: str, **arguments: Any) -> Deed:
    return lambda table, cell: getattr(table.s3(cell), operation)(Bucket=table.bucket(cell), **arguments)


def on_user(operation: str, **arguments: Any) -> Deed:
    return lambda table, cell: getattr(table.iam(cell), operation)(UserName=table.user(cell), **arguments)


def change_tags(change: Callable[[dict[str, str]], Mapping[str, str]]) -> Deed:
    """Read, change, write: as consoles and tools do."""

    def act(table: Table, cell: Cell) -> None:
        s3, bucket = table.s3(cell), table.bucket(cell)
        tags = s3s.tags_of(s3, bucket)
        table.kept[cell.id] = tags
        s3s.put_tags(s3, bucket, change(tags))

    return act


def put_tags_back(table: Table, cell: Cell) -> None:
    s3s.put_tags(table.s3(cell), table.bucket(cell), table.kept[cell.id])


def consent(table: Table, cell: Cell) -> None:
    """The bucket's owner tags it for its product, and keeps its other tags."""
    s3, bucket = table.s3(cell), table.bucket(cell)
    place = f"{MESH}/{cell.scene.place}/{cell.scene.name}"
    s3s.put_tags(s3, bucket, {**s3s.tags_of(s3, bucket), f"{GROUP}/adopt-by": place})


def change_rules(change: Callable[[list[Manifest]], list[Manifest]]) -> Deed:
    def act(table: Table, cell: Cell) -> None:
        s3, bucket = table.s3(cell), table.bucket(cell)
        s3s.put_rules(s3, bucket, change(s3s.rules_of(s3, bucket)))

    return act


def add_statement(effect: str, action: str | list[str], path: str = "", sid: str = "office") -> Deed:
    """Add a statement to the policy of the bucket."""

    def act(table: Table, cell: Cell) -> None:
        bucket = table.bucket(cell)
        place = f"arn:aws:s3:::{bucket}"
        said = {"Sid": sid, "Effect": effect, "Principal": "*", "Action": action, "Resource": [place, f"{place}/{path or 'office/*'}"]}
        s3s.add_statement(table.s3(cell), bucket, said)

    return act


def change_statements(change: Callable[[list[Manifest]], list[Manifest]]) -> Deed:
    """The policy of the bucket, read and written as a whole."""

    def act(table: Table, cell: Cell) -> None:
        s3, bucket = table.s3(cell), table.bucket(cell)
        s3s.put_statements(s3, bucket, change(s3s.statements_of(s3, bucket)))

    return act


def drop_statement(table: Table, cell: Cell) -> None:
    s3, bucket = table.s3(cell), table.bucket(cell)
    s3s.put_statements(s3, bucket, [found for found in s3s.statements_of(s3, bucket) if found.get("Sid") != "office"])


def deny(*actions: str) -> Deed:
    return add_statement("Deny", list(actions))


def refuse(action: str) -> Deed:
    """An organisation's policy refuses the operator one call: on the bucket of the scene, or on the user of the cell."""

    def act(table: Table, cell: Cell) -> None:
        bucket, user = (ANY, table.user(cell)) if cell.whose else (table.bucket(cell), ANY)
        table.kept[f"rule of {cell.id}"] = table.proxy_of(cell).add(Rule(action, bucket, user, refuses=(403, "AccessDenied")))

    return act


def lift(table: Table, cell: Cell) -> None:
    table.proxy_of(cell).lift(table.kept[f"rule of {cell.id}"])


def erase(table: Table, cell: Cell) -> None:
    """A bucket with all that is in it; its tags are in a backup."""
    s3, bucket = table.s3(cell), table.bucket(cell)
    table.kept[cell.id] = s3s.tags_of(s3, bucket)
    for version in s3.list_object_versions(Bucket=bucket).get("Versions", ()):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def make_bare(table: Table, cell: Cell) -> None:
    """A bucket of the name with the data, and nothing else."""
    s3, bucket = table.s3(cell), table.bucket(cell)
    s3.create_bucket(Bucket=bucket)
    for key in (SEED, PRIVATE):
        s3.put_object(Bucket=bucket, Key=key, Body=b"restored\n")


restore_bucket = then(make_bare, put_tags_back)


def add_key(table: Table, cell: Cell) -> None:
    """Somebody makes himself a key of one of our users."""
    held = table.held[cell.scene.name]
    made = table.iam(cell).create_access_key(UserName=table.user(cell))["AccessKey"]
    table.added[cell.id] = Grip(held.store, held.bucket, made["AccessKeyId"], made["SecretAccessKey"])


def delete_user(table: Table, cell: Cell) -> None:
    """With its policies and keys; once more where a look of the operator fell between and put something back."""
    iam, user = table.iam(cell), table.user(cell)

    def act() -> None:
        for policy in iam.list_user_policies(UserName=user)["PolicyNames"]:
            iam.delete_user_policy(UserName=user, PolicyName=policy)
        for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=user)

    _insist(act, "DeleteConflict", "NoSuchEntity")


def remake_user(table: Table, cell: Cell) -> None:
    """Deleted, and made by hand under the name and path of ours."""
    path = table.before[cell.id].ours["path"]

    def act() -> None:
        delete_user(table, cell)
        table.iam(cell).create_user(UserName=table.user(cell), Path=path)

    _insist(act, "EntityAlreadyExists")


def _insist(act: Callable[[], object], *passing: str) -> None:
    """Again where the store says one of these, a few times."""
    for _ in range(_ATTEMPTS):
        try:
            act()
        except ClientError as error:
            if error.response["Error"]["Code"] not in passing:
                raise
        else:
            return
    act()


def change_policy(change: Callable[[Manifest], Manifest]) -> Deed:
    """The one inline policy of a user."""

    def act(table: Table, cell: Cell) -> None:
        iam, user = table.iam(cell), table.user(cell)
        (name,) = iam.list_user_policies(UserName=user)["PolicyNames"]
        found = iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]
        iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(change(found)))

    return act


def drop_policy(table: Table, cell: Cell) -> None:
    iam, user = table.iam(cell), table.user(cell)
    for name in iam.list_user_policies(UserName=user)["PolicyNames"]:
        iam.delete_user_policy(UserName=user, PolicyName=name)


def on_key(act: Callable[[Any, str, str], object]) -> Deed:
    """Something done to the present key: a client of IAM, the user, the key's id."""
    return lambda table, cell: act(table.iam(cell), table.user(cell), table.held[cell.scene.name].grips[cell.whose].id)  # type: ignore[return-value]


def nudge(table: Table, cell: Cell) -> None:
    """A loss counts when it was seen twice; somebody asks for the first look, so that the second one comes within the wait."""
    scene = cell.scene
    table.kubectl("annotate", "dataproduct", scene.name, "-n", scene.place, f"{GROUP}/reconcile-requested-at=now")
