"""The faults of the law `repaired`, each with its repair, and the mesh on which they come down."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks, names
from tests.reconcile.access_flows import REQUEST, a_port, principal
from tests.reconcile.causes_in_cluster import (
    ACCESS_SECRET,
    GRANT,
    PRODUCER_SECRET,
    PRODUCT,
    SALES,
    Repair,
    binding,
    blind,
    distrust_clock,
    edit,
    hold,
    lose_object,
    lose_status,
    mark,
    refuse_creates,
    relabel,
    unhold,
    usurp,
    write_into,
)
from tests.reconcile.causes_in_stores import (
    change_bucket,
    change_user,
    cluster_uid,
    consent,
    full_account,
    go_down,
    lose_ability,
    lose_bucket,
    lose_bucket_to_a_stranger,
    lose_credentials,
    lose_user,
    mesh_bucket,
    move_endpoint,
    move_iam_endpoint,
    producer,
    refuse,
    replace_user,
    retag,
    store_id,
    swap_store,
    switch_account,
    wider,
    without_active_keys,
)
from tests.reconcile.flows import ENDPOINT, limited
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh


@dataclass(frozen=True)
class Fault:
    """`cause` does it and answers what repairs it. Faults that are `on` the same thing are not combined."""

    name: str
    on: str
    cause: Callable[[Mesh], Repair]


def a_mesh() -> Mesh:
    """Two domains, two products, a request in effect; sales has limits."""
    mesh = Mesh().apply(a_store(), a_domain("sales", resources=limited()), a_domain("inventory")).settle()
    mesh.apply(a_product(outputPorts=[a_port()]), a_product("forecast", "inventory"), a_request(), a_grant()).settle()
    mesh.stores.at(ENDPOINT).put_object(mesh.bucket_of(), count=3)
    return mesh


FAULTS: Final = (
    Fault("the bucket is public", "bucket", change_bucket(public_access_blocked=False, policy=(), encryption=None)),
    Fault("the bucket's tags are gone", "bucket", retag(witness=True)),
    Fault("the bucket's tags and witness are gone", "bucket", retag(witness=False)),
    Fault("the bucket's marks are gone and consent comes", "bucket", consent),
    Fault("the bucket carries another's marks", "bucket", retag(witness=True, mesh="acme", namespace="hr", name="other", uid="uid-other")),
    Fault("the bucket is let go and kept after all", "bucket", retag(witness=True, released="sales/orders")),
    Fault("the bucket is lost and restored", "bucket", lose_bucket(Mesh.bucket_of)),
    Fault("the bucket is a stranger's for a while", "bucket", lose_bucket_to_a_stranger),
    Fault("the bucket's tags are refused", "bucket", refuse("observe")),
    Fault("a setting of the bucket is refused", "bucket", refuse("observe Encryption")),
    Fault("all buckets are refused", "bucket", refuse("observe", all_buckets=True)),
    Fault("neither buckets nor their list are answered", "bucket", refuse("observe", "list buckets", all_buckets=True)),
    Fault("the mesh's bucket is lost and restored", "mesh bucket", lose_bucket(mesh_bucket)),
    Fault("the marker is gone", "marker", lose_user(lambda m: names.marker_name(m.settings.mesh, cluster_uid(m), store_id(m)))),
    Fault("the producer's policy is deleted", "producer", change_user(producer, lambda user: replace(user, policy=None))),
    Fault("the producer's policy is wider", "producer", change_user(producer, wider)),
    Fault("the producer's keys are deleted", "producer", change_user(producer, lambda user: replace(user, keys=()))),
    Fault("the producer's keys are disabled", "producer", change_user(producer, without_active_keys)),
    Fault("the producer has more policies and a group", "producer",
          change_user(producer, lambda user: replace(user, other_policies=("x",), attached=("arn:X",), groups=("g",)))),
    Fault("the producer's user is deleted", "producer", lose_user(producer)),
    Fault("the producer's user is somebody's for a while", "producer", replace_user),
    Fault("the producer's user is deleted and the account full", "producer", full_account),
    Fault("the consumer's policy is deleted", "consumer", change_user(principal, lambda user: replace(user, policy=None))),
    Fault("the consumer's policy is wider", "consumer", change_user(principal, wider)),
    Fault("the consumer's keys are deleted", "consumer", change_user(principal, lambda user: replace(user, keys=()))),
    Fault("the consumer's user is deleted", "consumer", lose_user(principal)),
    Fault("the producer's Secret is deleted", "producer secret", lose_object(PRODUCER_SECRET)),
    Fault("the producer's Secret is edited", "producer secret", write_into(PRODUCER_SECRET, **{"secret-access-key": "theirs"})),
    Fault("the producer's Secret says another bucket", "producer secret", write_into(PRODUCER_SECRET, bucket="theirs")),
    Fault("the producer's Secret is held while it goes", "producer secret", hold(PRODUCER_SECRET)),
    Fault("the producer's Secret is somebody's for a while", "producer secret", usurp(PRODUCER_SECRET)),
    Fault("a quota refuses the producer's Secret", "producer secret",
          refuse_creates("Secret", PRODUCER_SECRET, reasons.LIMIT_EXCEEDED)),
    Fault("the consumer's Secret is deleted", "consumer secret", lose_object(ACCESS_SECRET)),
    Fault("the consumer's Secret is edited", "consumer secret", write_into(ACCESS_SECRET, **{"access-key-id": "theirs"})),
    Fault("the consumer's Secret is held while it goes", "consumer secret", hold(ACCESS_SECRET)),
    Fault("the consumer's Secret is somebody's for a while", "consumer secret", usurp(ACCESS_SECRET)),
    Fault("an admission policy refuses the consumer's Secret", "consumer secret",
          refuse_creates("Secret", ACCESS_SECRET, reasons.ADMISSION_REFUSED)),
    Fault("Secrets cannot be read", "reads", blind("Secret")),
    Fault("a binding is deleted", "binding", lose_object(binding())),
    Fault("a binding is edited", "binding", edit(binding(), subjects=[])),
    Fault("a binding's role is another", "binding", edit(binding(), roleRef={"kind": "ClusterRole", "name": "view"})),
    Fault("a binding loses our label", "binding", relabel(binding(), marks.MANAGED_LABEL)),
    Fault("a binding loses its domain's label", "binding", relabel(binding(), marks.DOMAIN_LABEL)),
    Fault("an admission policy refuses a binding", "binding",
          refuse_creates("RoleBinding", binding(), reasons.ADMISSION_REFUSED)),
    Fault("the inbox is deleted", "inbox", lose_object(Key("AccessInbox", "sales", "orders"))),
    Fault("the namespace is labelled for another domain", "namespace", mark(SALES, labels={marks.DOMAIN_LABEL: "inventory"})),
    Fault("the namespace loses its mark", "namespace", mark(SALES, annotations={marks.HELD_ANNOTATION: ""})),
    Fault("a binding loses its mark", "binding", mark(binding(), annotations={marks.OWNER_ANNOTATION: ""})),
    Fault("the namespace loses its domain's label", "namespace", relabel(Key("Namespace", "", "sales"), marks.DOMAIN_LABEL)),
    Fault("the request loses our finalizer", "request", unhold(REQUEST)),
    Fault("the grant loses our finalizer", "grant", unhold(GRANT)),
    Fault("the product loses our finalizer", "product", unhold(PRODUCT)),
    Fault("the store does not answer", "store", go_down),
    Fault("the credentials are wrong", "store", lose_credentials),
    Fault("another account answers", "store", switch_account),
    Fault("an empty store answers", "store", swap_store),
    Fault("the endpoint is another for a while", "store", move_endpoint),
    Fault("the IAM endpoint is another for a while", "store", move_iam_endpoint),
    Fault("the store can do less for a while", "store", lose_ability),
    Fault("the request's status is lost", "request", lose_status(REQUEST)),
    Fault("the grant's status is lost", "grant", lose_status(GRANT)),
    Fault("the product's status is lost", "product", lose_status(PRODUCT)),
    Fault("the store's status is lost", "store", lose_status(Key("ObjectStore", "", "main"))),
    Fault("a domain's status is lost", "domain", lose_status(Key("Domain", "", "sales"))),
    Fault("a domain loses our finalizer", "domain", unhold(Key("Domain", "", "sales"))),
    Fault("the store loses our finalizer", "store", unhold(Key("ObjectStore", "", "main"))),
    Fault("the clock is not trusted", "clock", distrust_clock),
)  # fmt: skip
