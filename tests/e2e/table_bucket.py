"""Buckets and the marks on them: what befalls them, each on a product of its own."""

from tests.e2e import table_acts as d
from tests.e2e import table_s3 as s3s
from tests.e2e.table_acts import change_tags, on_bucket, then
from tests.e2e.table_eye import GROUP, Picture, picture_bucket
from tests.e2e.table_mesh import SMALL_ACCOUNT, Table, manifests_of
from tests.e2e.table_words import GONE_OVER, LEFT, LOOK, RESTORED, STOPS, WAITS, Act, Cell, Deed, Key, Outcome, Scene
from tests.support.rgw_admin import limit_buckets

TOOLS = {"cost-center": "9999", "scanned-by": "another-tool", "Name": "orders"}
STRANGERS = {f"{GROUP}/{key}": value for key, value in (("mesh", "theirs"), ("namespace", "there"), ("name", "that"), ("uid", "1"))}
OFFICE = ("s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:ListBucket", "s3:PutBucketTagging")
NEW = Outcome("Status says which limit was reached; it is made once the limit is raised", LOOK, Key.NONE, told=True, meanwhile=Key.NONE)


def sight(table: Table, cell: Cell) -> Picture:
    return picture_bucket(table.store_of(cell.scene), table.bucket(cell))


def bucket(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: object) -> Cell:
    """A cell on the bucket of a product that somebody reads."""
    store, asks = str(more.pop("store", "main")), bool(more.pop("asks", True))
    return Cell("Bucket", act, what, Scene(name, store=store, asks=asks), comes, does, sight, **more)  # type: ignore[arg-type]


def marks(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: object) -> Cell:
    """A cell on the tags of such a bucket."""
    store = str(more.pop("store", "main"))
    return Cell("Bucket tags", act, what, Scene(name, store=store), comes, does, sight, **more)  # type: ignore[arg-type]


def give_to_stranger(table: Table, cell: Cell) -> None:
    """Another account makes a bucket of the name before anybody else does."""
    d.erase(table, cell)
    s3 = table.stranger.client("s3")
    s3.create_bucket(Bucket=table.bucket(cell))
    s3.put_object(Bucket=table.bucket(cell), Key="daily/seed", Body=b"theirs")


def take_from_stranger(table: Table, cell: Cell) -> None:
    s3, name = table.stranger.client("s3"), table.bucket(cell)
    for version in s3.list_object_versions(Bucket=name).get("Versions", ()):
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=name)
    d.restore_bucket(table, cell)


def copy_marks(table: Table, cell: Cell) -> None:
    """A bucket that a tool cloned, with every tag of ours; it must stay as it is."""
    s3, name = table.s3(cell), f"{table.bucket(cell)[:50]}-copy"
    s3.create_bucket(Bucket=name)
    s3s.put_tags(s3, name, s3s.tags_of(s3, table.bucket(cell)))
    table.kept[f"copy of {cell.id}"] = name


def sight_of_copy(table: Table, cell: Cell) -> Picture:
    own, copied = sight(table, cell), table.kept.get(f"copy of {cell.id}")
    return Picture(own.ours, (own.others, picture_bucket(table.store, copied).ours if copied else None))


def drop_traces(table: Table, cell: Cell) -> None:
    """Tags, rules and policy go, so that nothing in the bucket is a witness."""
    table.kept[cell.id] = s3s.remove_traces(table.s3(cell), table.bucket(cell))


def make_late(table: Table, cell: Cell) -> None:
    table.installed.apply(*manifests_of(cell.scene))


def accept_loss(table: Table, cell: Cell) -> None:
    table.kept[f"data of {cell.scene.name}"] = "given up"
    words = ("dataproduct", cell.scene.name, "-n", cell.scene.place, f"{GROUP}/recreate={table.bucket(cell)}")
    table.kubectl("annotate", *words)


def lower(table: Table, _cell: Cell) -> None:
    limit_buckets(table.store, SMALL_ACCOUNT, 1)


def raise_again(table: Table, _cell: Cell) -> None:
    limit_buckets(table.store, SMALL_ACCOUNT, 100)


def late_sight(table: Table, cell: Cell) -> Picture:
    found = table.eye.get("dataproduct", cell.scene.name, cell.scene.place).get("status", {})
    return Picture((found.get("storage") or {}).get("ownershipVerified"))


def tags_except(*dropped: str) -> Deed:
    return change_tags(lambda tags: {key: value for key, value in tags.items() if key.removeprefix(f"{GROUP}/") not in dropped})


def fill_tags(tags: dict[str, str]) -> dict[str, str]:
    """A tool's own, as many as a bucket may have."""
    return {f"tool-{number:02}": "x" for number in range(50)} if tags else {}


RESTORE = "restored from a backup with its tags"
BUCKETS = (
    bucket(Act.RESTORE, "it is deleted and restored at once with its tags, without its settings", "bucket-restored", RESTORED,
           then(d.erase, d.restore_bucket)),
    bucket(Act.DELETE, "it is deleted with all that is in it", "bucket-lost", STOPS, d.erase, store="doubt",
           undoes=d.restore_bucket, cause=RESTORE, reason="BucketMissing"),
    bucket(Act.DELETE, "it is deleted, and the loss is accepted", "bucket-given-up", STOPS, d.erase, store="doubt",
           undoes=accept_loss, cause="the annotation recreate", reason="BucketMissing"),
    bucket(Act.REMAKE, "somebody makes one of the name, without tags", "bucket-remade", STOPS, then(d.erase, d.make_bare), store="doubt",
           undoes=d.consent, cause="the tag adopt-by", reason="MarksMissing"),
    bucket(Act.HAND, "it is deleted, and another account makes one of the name", "bucket-strangers", GONE_OVER,
           then(give_to_stranger, d.nudge), store="lost", undoes=take_from_stranger, cause=RESTORE, reason="NotOwned"),
    bucket(Act.HAND, "its owner tags it released", "bucket-released", GONE_OVER,
           change_tags(lambda tags: {**tags, f"{GROUP}/released": "makers/bucket-released"}),
           undoes=d.put_tags_back, cause="the tag is removed", reason="Released"),
    bucket(Act.TAKE, "a bucket policy denies the operator tags, versioning and listing", "bucket-office", WAITS, d.deny(*OFFICE),
           undoes=d.drop_statement, cause="the statement is removed", reason="AccessDenied"),
    bucket(Act.TAKE, "a bucket policy denies the operator every action", "bucket-locked", WAITS, d.deny("s3:*"),
           undoes=d.drop_statement, cause="the statement is removed", reason="AccessDenied"),
    bucket(Act.REFUSE, "an organisation's policy refuses the operator to see it", "bucket-unseen", WAITS, d.refuse("GetBucketTagging"),
           store="guarded", undoes=d.lift, cause="the policy is lifted", reason="AccessDenied"),
    bucket(Act.LIMIT, "its account may have fewer buckets than it has", "bucket-over", LEFT, lower, store="small"),
    Cell("Bucket", Act.LIMIT, "its account may have no more, and a product is new",
         Scene("bucket-capped", store="small", asks=False, late=True), NEW, then(lower, make_late), late_sight,
         undoes=raise_again, cause="the limit is raised", reason="LimitExceeded"),
)  # fmt: skip
MARKS = (
    marks(Act.DELETE, "all are deleted", "tags-deleted", RESTORED, on_bucket("delete_bucket_tagging")),
    marks(Act.REMAKE, "a tool writes its own in their place", "tags-rewritten", RESTORED, change_tags(lambda _: TOOLS)),
    marks(Act.RELABEL, "half of the marks are removed", "tags-halved", RESTORED,
          tags_except("namespace", "namespace-uid", "domain", "mesh")),
    marks(Act.RELABEL, "the uid is removed", "tags-without-uid", RESTORED, tags_except("uid")),
    marks(Act.EDIT, "a tag of spec.storage.tags gets another value", "tags-edited", RESTORED,
          change_tags(lambda tags: {**tags, "cost-center": "9999"})),
    marks(Act.ADD, "a tag is added", "tags-added", LEFT, change_tags(lambda tags: {**tags, "team": "kim"})),
    Cell("Bucket tags", Act.COPY, "another bucket gets a copy of all", Scene("tags-copied"), LEFT, copy_marks, sight_of_copy),
    marks(Act.HAND, "they say that it is another mesh's", "tags-strangers", GONE_OVER,
          then(change_tags(lambda tags: {**tags, **STRANGERS}), d.nudge), store="lost",
          undoes=d.put_tags_back, cause="the tags are put back", reason="NotOwned"),
    marks(Act.DELETE, "they go with rules and policy, so that nothing is a witness; then they are put back", "tags-traceless", STOPS,
          drop_traces, store="doubt", undoes=d.put_tags_back, cause="the tags are put back", reason="MarksMissing"),
    marks(Act.DELETE, "they go with rules and policy, so that nothing is a witness; then its owner consents", "tags-consented", STOPS,
          drop_traces, store="doubt", undoes=d.consent, cause="the tag adopt-by", reason="MarksMissing"),
    marks(Act.TAKE, "a bucket policy denies the operator to read them", "tags-unread", WAITS, d.deny("s3:GetBucketTagging"),
          undoes=d.drop_statement, cause="the statement is removed", reason="AccessDenied"),
    marks(Act.TAKE, "they are deleted, and a bucket policy denies the operator to write them", "tags-unwritten", WAITS,
          then(on_bucket("delete_bucket_tagging"), d.deny("s3:PutBucketTagging")),
          undoes=d.drop_statement, cause="the statement is removed", reason="AccessDenied"),
    marks(Act.LIMIT, "a tool writes as many of its own as a bucket may have", "tags-full", WAITS, change_tags(fill_tags),
          undoes=change_tags(lambda _: {"team": "kim"}), cause="the tool removes them", reason="StoreRefused"),
    marks(Act.REFUSE, "they are deleted, and an organisation's policy refuses the operator to write them", "tags-refused", WAITS,
          then(on_bucket("delete_bucket_tagging"), d.refuse("PutBucketTagging")), store="guarded",
          undoes=d.lift, cause="the policy is lifted", reason="AccessDenied"),
)  # fmt: skip
