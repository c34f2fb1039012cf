"""Settings of buckets, each on a product of its own: on RGW, and on moto what RGW cannot."""

import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError

from tests.e2e import table_acts as d
from tests.e2e import table_eye as eye
from tests.e2e import table_s3 as s3s
from tests.e2e.table_acts import change_rules, on_bucket, then
from tests.e2e.table_bucket import sight
from tests.e2e.table_eye import Manifest, Picture
from tests.e2e.table_mesh import STRANGERS_ACCOUNT, Table
from tests.e2e.table_words import LEFT, LOOK, REFUSED, RESTORED, WAITS, Act, Cell, Deed, Outcome, Scene
from tests.support.rgw_admin import account_id

ALL_BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
HALF_BLOCKED = {**ALL_BLOCKED, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
KMS = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/own"}
LIFTED = {"cause": "the statement is removed", "undoes": d.drop_statement, "reason": "AccessDenied"}
LIFTED_BY_OTHERS = {"cause": "the policy is lifted", "undoes": d.lift, "reason": "AccessDenied"}
REFUSING = {**LIFTED_BY_OTHERS, "store": "guarded"}


def setting(object_: str) -> Callable[..., Cell]:
    """A cell on one setting of the bucket of a product that somebody reads."""

    def cell(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Cell:
        store, look = more.pop("store", "main"), more.pop("sees", sight)
        return Cell(object_, act, what, Scene(name, store=store), comes, does, look, **more)

    return cell


def policy(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Cell:
    """A cell on the policy of a bucket, where the store is spoken to over TLS: elsewhere nothing of it is ours."""
    return setting(POLICY)(act, what, name, comes, does, store="tls", sees=sight_of_policy, **more)


def sight_of_policy(table: Table, cell: Cell) -> Picture:
    """What it says, and what it does: the consumer's key without TLS."""
    found, held = sight(table, cell), table.held[cell.scene.name]
    plain = replace(held.grips["consumer"], store=table.store)
    return Picture({**found.ours, "served without TLS": plain.reads()}, found.others)


def sight_of_ownership(table: Table, cell: Cell) -> Picture:
    """Where the store enforces it, it is ours."""
    found = sight(table, cell)
    others = {key: value for key, value in found.others.items() if key != "ownership"}
    return Picture({**found.ours, "ownership": found.others["ownership"]}, others)


def change_ours(**values: Any) -> Deed:
    return d.change_statements(lambda found: [{**one, **values} if is_ours(one) else one for one in found])


def is_ours(statement: Manifest) -> bool:
    return str(statement.get("Sid", "")).startswith("clouddatamesh")


def rename_ours(statements: list[Manifest]) -> list[Manifest]:
    return [{**one, "Sid": f"was{one['Sid']}"} if is_ours(one) else one for one in statements]


def of_a_tool(statements: list[Manifest]) -> list[Manifest]:
    """One statement, about the same bucket."""
    return [{"Sid": "tool", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": statements[0]["Resource"]}]


def let_stranger_read(table: Table, cell: Cell) -> None:
    """Who owns the bucket may lend it; keys of the mesh get nothing by it."""
    place = f"arn:aws:s3:::{table.bucket(cell)}"
    principal = {"AWS": f"arn:aws:iam::{account_id(STRANGERS_ACCOUNT)}:root"}
    said = {"Sid": "lent", "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"{place}/*"}
    s3s.add_statement(table.s3(cell), table.bucket(cell), said)


def stranger_reads(table: Table, cell: Cell) -> bool:
    """Whether somebody without any key reads the port."""
    url = f"{table.store_of(cell.scene).endpoint}/{table.bucket(cell)}/{eye.SEED}"
    try:
        urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - always http://127.0.0.1
    except HTTPError as answer:
        answer.close()
        return False
    return True


def sight_of_public(table: Table, cell: Cell) -> Picture:
    found = sight(table, cell)
    return Picture((found.ours, stranger_reads(table, cell)), found.others)


OPENED = Outcome(
    "Nobody outside the account reads any more; somebody's statement stays, and opens the bucket to all users of the account", LOOK
)


def open_to_all(table: Table, cell: Cell) -> None:
    """What the statement gives is given by whoever wrote it: it is told, not taken."""
    d.add_statement("Allow", "s3:GetObject", "*", sid="public")(table, cell)
    table.kept[f"opened {cell.scene.name}"] = "reads outside its port"


unblock = on_bucket("delete_public_access_block")


def no_rules_of(prefix: str) -> Deed:
    return change_rules(lambda rules: [rule for rule in rules if not rule["ID"].startswith(prefix)])


def expire_sooner(rules: list[Manifest]) -> list[Manifest]:
    return [{**rule, "Expiration": {"Days": 1}} if rule["ID"].startswith("clouddatamesh") else rule for rule in rules]


def encrypt(**default: str) -> Deed:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    return on_bucket("put_bucket_encryption", ServerSideEncryptionConfiguration=rules)


def own(ownership: str) -> Deed:
    return on_bucket("put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})


def version(status: str) -> Deed:
    return on_bucket("put_bucket_versioning", VersioningConfiguration={"Status": status})


MORE_RULES = {"ID": "more-of-theirs", "Filter": {"Prefix": "old/"}, "Status": "Enabled", "Expiration": {"Days": 9}}
CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://shop.example.com"]}]}
PUBLIC = "Bucket: public access"
VERSIONS, RULES, POLICY, ENCRYPTION, OWNERSHIP, OTHERS = (
    f"Bucket: {name}" for name in ("versioning", "lifecycle", "policy", "encryption", "object ownership", "settings that we do not know")
)
SETTINGS = (
    setting(PUBLIC)(Act.DELETE, "the block is deleted", "block-deleted", RESTORED, unblock),
    setting(PUBLIC)(Act.EDIT, "two of its four flags are off", "block-edited", RESTORED,
            on_bucket("put_public_access_block", PublicAccessBlockConfiguration=HALF_BLOCKED)),
    setting(PUBLIC)(Act.WIDEN, "the block is deleted and the bucket opened by a policy", "block-policy", OPENED,
            then(unblock, open_to_all), sees=sight_of_public),
    setting(PUBLIC)(Act.WIDEN, "the block is deleted and the bucket opened by an ACL", "block-acl", RESTORED,
            then(unblock, on_bucket("put_bucket_acl", ACL="public-read")), sees=sight_of_public),
    setting(PUBLIC)(Act.REFUSE, "a public policy is put while the block is on", "block-keeps-policy", REFUSED, d.tried(open_to_all)),
    setting(PUBLIC)(Act.REFUSE, "a public ACL is put while the block is on", "block-keeps-acl", REFUSED,
            d.tried(on_bucket("put_bucket_acl", ACL="public-read"))),
    setting(PUBLIC)(Act.TAKE, "it is deleted, and a bucket policy denies the operator to write it", "block-unwritten", WAITS,
            then(unblock, d.deny("s3:PutBucketPublicAccessBlock")), **LIFTED),
    setting(VERSIONS)(Act.EDIT, "it is suspended", "versions-suspended", RESTORED, version("Suspended")),
    setting(VERSIONS)(Act.TAKE, "it is suspended, and a bucket policy denies the operator to write it", "versions-unwritten", WAITS,
            then(version("Suspended"), d.deny("s3:PutBucketVersioning")), **LIFTED),
    setting(VERSIONS)(Act.TAKE, "a bucket policy denies the operator to read it", "versions-unread", WAITS,
            d.deny("s3:GetBucketVersioning"), **LIFTED),
    setting(VERSIONS)(Act.REFUSE, "it is suspended, and an organisation's policy refuses the operator to write it", "versions-refused",
            WAITS, then(version("Suspended"), d.refuse("PutBucketVersioning")), **REFUSING),
    setting(RULES)(Act.DELETE, "all rules are deleted", "rules-deleted", RESTORED, on_bucket("delete_bucket_lifecycle")),
    setting(RULES)(Act.EDIT, "our rules expire after a day", "rules-edited", RESTORED, change_rules(expire_sooner)),
    setting(RULES)(Act.ADD, "a rule is added", "rules-added", LEFT, change_rules(lambda rules: [*rules, MORE_RULES])),
    setting(RULES)(Act.REMAKE, "a tool writes its own in their place", "rules-rewritten", RESTORED, change_rules(lambda _: [MORE_RULES])),
    setting(RULES)(Act.RELABEL, "ours get other ids", "rules-renamed", RESTORED,
            change_rules(lambda rules: [{**rule, "ID": f"was-{rule['ID']}"} for rule in rules])),
    setting(RULES)(Act.TAKE, "they are deleted, and a bucket policy denies the operator to write them", "rules-unwritten", WAITS,
            then(on_bucket("delete_bucket_lifecycle"), d.deny("s3:PutLifecycleConfiguration")), **LIFTED),
    setting(RULES)(Act.REFUSE, "ours are deleted, and an organisation's policy refuses the operator to write them", "rules-refused", WAITS,
            then(no_rules_of("clouddatamesh"), d.refuse("PutBucketLifecycle")), **REFUSING),
    policy(Act.ADD, "a statement is added", "policy-added", LEFT, d.add_statement("Deny", "s3:DeleteObject", "archive/*")),
    policy(Act.ADD, "a statement lets another account read", "policy-lends", LEFT, let_stranger_read),
    policy(Act.DELETE, "it is deleted", "policy-deleted", RESTORED, on_bucket("delete_bucket_policy")),
    policy(Act.EDIT, "our statements refuse nothing but deleting", "policy-edited", RESTORED, change_ours(Action="s3:DeleteObject")),
    policy(Act.WIDEN, "our statements refuse nobody here", "policy-loosened", RESTORED,
           change_ours(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
    policy(Act.REMAKE, "a tool writes its own in its place", "policy-rewritten", RESTORED, d.change_statements(of_a_tool)),
    policy(Act.RELABEL, "our statements get other names", "policy-renamed", RESTORED, d.change_statements(rename_ours)),
    policy(Act.REFUSE, "it is deleted, and an organisation's policy refuses the operator to write it", "policy-unwritten", WAITS,
           then(on_bucket("delete_bucket_policy"), d.refuse("PutBucketPolicy")), **LIFTED_BY_OTHERS),
    policy(Act.TAKE, "an organisation's policy refuses the operator to read it", "policy-unread", WAITS, d.refuse("GetBucketPolicy"),
           **LIFTED_BY_OTHERS),
    setting(OTHERS)(Act.ADD, "CORS is set", "cors-added", LEFT, on_bucket("put_bucket_cors", CORSConfiguration=CORS)),
    setting(OTHERS)(Act.ADD, "a website is configured (moto)", "website-added", LEFT,
            on_bucket("put_bucket_website", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}), store="moto"),
    setting(ENCRYPTION)(Act.DELETE, "it is deleted (moto)", "encryption-deleted", RESTORED, on_bucket("delete_bucket_encryption"),
            store="moto"),
    setting(ENCRYPTION)(Act.EDIT, "it is set to a key of one's own (moto)", "encryption-kms", LEFT, encrypt(**KMS), store="moto"),
    setting(ENCRYPTION)(Act.EDIT, "it is set to two layers with a key of one's own (moto)", "encryption-dsse", LEFT,
            encrypt(**{**KMS, "SSEAlgorithm": "aws:kms:dsse"}), store="moto"),
    setting(OWNERSHIP)(Act.EDIT, "ACLs count, on a store that enforces no ownership (moto)", "ownership-edited", LEFT, own("ObjectWriter"),
            store="moto"),
    setting(OWNERSHIP)(Act.EDIT, "ACLs count again (moto with AWS's manners)", "ownership-lowered", RESTORED, own("ObjectWriter"),
            store="cloud", sees=sight_of_ownership),
    setting(OWNERSHIP)(Act.DELETE, "it is deleted (moto with AWS's manners)", "ownership-deleted", RESTORED,
            on_bucket("delete_bucket_ownership_controls"), store="cloud", sees=sight_of_ownership),
    setting(OWNERSHIP)(Act.WIDEN, "ACLs count again, and one gives something to others (moto with AWS's manners)", "ownership-acl", WAITS,
            then(own("ObjectWriter"), on_bucket("put_bucket_acl", ACL="authenticated-read")), store="cloud", sees=sight_of_ownership,
            undoes=on_bucket("put_bucket_acl", ACL="private"), cause="the grants are taken off", reason="StoreRefused"),
)  # fmt: skip
