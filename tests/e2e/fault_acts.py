"""What people do to access, all of it at one moment; tests/e2e/test_faults_access.py says what must follow."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tests.e2e.access import Access, Deal
from tests.e2e.actors import Actors
from tests.e2e.acts import WIDE
from tests.e2e.places import SET_UP, Place, in_seconds
from tests.support.manifests import a_domain

AUTO, CAPPED, MANUAL = {"approval": "Auto"}, {"maxDuration": "1m"}, {"approval": "Manual"}
PLACES = ("fault-full", "fault-closing", "fault-leaving")
"""Each a domain of its own, which a test may spoil: a quota that is used up, a namespace that cannot end, one that ends."""
CAPS = ("capped-removed", "capped-raised", "capped-renumbered")
CROWD = tuple(f"crowd-{number:02}" for number in range(21))
MANAGED = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
GROUP = "everything"
MINE = '{"metadata":{"finalizers":["example.com/mine"]}}'
ENDS = 20
"""Seconds of an answer that is renewed: near its end from half of them on, so that the other half is left for the next answer."""
COUNTED = "count/accessgrants.clouddatamesh.dev"


@dataclass(frozen=True)
class Faults:
    """The main pair of domains, and the further ones by name. All ask from the same namespace."""

    main: Place
    others: dict[str, Place]

    @property
    def mesh(self) -> Actors:
        return self.main.mesh


def open_places(mesh: Actors) -> Faults:
    """Six domains, and a product in each that offers."""
    makers = ("fault-makers", *PLACES)
    mesh.installed.apply(*(a_domain(name) for name in (*makers, "fault-users")))
    mesh.installed.wait_all("domain", (*makers, "fault-users"), seconds=SET_UP)
    main, *others = (Place(mesh, name, "fault-users") for name in makers)
    main.offer(
        {"auto": AUTO, "manual": MANUAL, "crowded": AUTO, "bucketless": MANUAL, "forced": MANUAL, "wide": MANUAL, "wide-gone": MANUAL}
    )
    main.offer(dict.fromkeys(CAPS, CAPPED))
    for place in others:
        place.offer({"inside": AUTO})
    return Faults(main, {place.makers: place for place in others})


EARLY = ("attached", "grouped")


def give_early(faults: Faults) -> dict[str, Access]:
    """What must wait for a look of the schedule is spoilt while all else is being made."""
    main = faults.main
    given = main.give(main.deal("bucketless", "bucketless"), *(main.deal(name, "manual") for name in EARLY))
    make_group(faults.mesh)
    widen(faults.mesh, given["attached"].principal, producer(main, "wide"))
    join(faults.mesh, given["grouped"].principal)
    lose_bucket(main)
    return given


def give_all(faults: Faults) -> dict[str, Access]:
    """Access by the ports' own answers and by grants; of each the key is kept."""
    main = faults.main
    auto = ("deleted", "refused-by-policy", "renewing", "unguarded")
    given = main.give(*(main.deal(name, "auto") for name in auto), answered=False)
    hasty = main.deal("hasty", "auto")
    given |= main.give(Deal({**hasty.request, "spec": {**hasty.request["spec"], "duration": "1m"}}, hasty.grant), answered=False)
    given |= main.give(*(main.deal(name, "crowded") for name in CROWD), answered=False)
    manual = ("remade", "held-secret", "kept-secret", "attached-ended", "grouped-ended", "wide-orphan")
    given |= main.give(*(main.deal(name, "manual") for name in manual), main.deal("forced", "forced"))
    for name, deals in (("fault-full", ("full-ended", "full-deleted")), ("fault-closing", ("closing",)), ("fault-leaving", ("leaving",))):
        given |= faults.others[name].give(*(faults.others[name].deal(deal, "inside") for deal in deals), answered=False)
    return given | main.give(*(main.deal(name, name) for name in CAPS))


def answer_of(place: Place, request: str) -> str:
    """The one grant by which a port answered."""
    (grant,) = place.grants_of(request)
    return str(grant["metadata"]["name"])


def refuse(place: Place, name: str, resource: str, operation: str, what: str) -> None:
    """A platform team's own admission policy in the namespace of makers or users; it is in force when this returns."""
    rules = [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": [resource], "operations": [operation]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": f"!({what})", "message": "Not here"}]}
    policy = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    bound = {"policyName": name, "validationActions": ["Deny"]}
    place.apply({**policy, "kind": "ValidatingAdmissionPolicy", "spec": spec})
    place.apply({**policy, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound})


def tries(faults: Faults) -> dict[str, Callable[[], str]]:
    """What must be refused before the acts begin, as nothing is written by these."""
    full, main = faults.others["fault-full"], faults.main
    create = ("create", "--dry-run=server", "-f", "-")
    return {
        "count": lambda: full.says(*create, stdin=json.dumps(full.deal("full-ended", "inside").grant)),
        "answer": lambda: main.says(*create, stdin=json.dumps(main.deal("refused-by-policy", "auto").grant)),
        "product": lambda: main.says("delete", "--dry-run=server", "dp", "inside", "-n", "fault-closing"),
        "secret": lambda: main.says("delete", "--dry-run=server", "secret", "kept-secret", "-n", main.users),
    }


def close_places(faults: Faults) -> None:
    """Grants can no more be made in one namespace, by its quota; for one request, by a policy; products of another cannot be deleted."""
    full, main = faults.others["fault-full"], faults.main
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full", "namespace": full.makers}}
    full.apply({**quota, "spec": {"hard": {COUNTED: "0"}}})
    refuse(main, "no-more-answers", "accessgrants", "CREATE", "object.spec.?requestRef.name.orValue('') == 'refused-by-policy'")
    refuse(main, "products-stay", "dataproducts", "DELETE", "request.namespace == 'fault-closing'")
    refuse(main, "secrets-stay", "secrets", "DELETE", "oldObject.metadata.name == 'kept-secret'")
    for what, tried in tries(faults).items():
        main.mesh.installed.until(tried, what=f"the refusal of the {what}")


def act(faults: Faults, given: Mapping[str, Access]) -> dict[str, str]:
    """Everything at one moment. Returns facts that the tests need later."""
    main = faults.main
    facts = {name: main.grants_of(name)[0]["metadata"]["uid"] for name in ("deleted", "unguarded")}
    facts |= {name: producer(main, name) for name in ("wide", "wide-gone")}
    widen(faults.mesh, facts["wide-gone"], given["attached-ended"].principal, given["wide-orphan"].principal)
    join(faults.mesh, given["grouped-ended"].principal)
    for name, place in (("full-ended", faults.others["fault-full"]), ("refused-by-policy", main)):
        end_while_renewal_waits(place, name)
    main.delete("agrant", answer_of(main, "deleted"))
    faults.others["fault-full"].delete("agrant", answer_of(faults.others["fault-full"], "full-deleted"))
    main.kubectl("delete", "namespace", "fault-closing", "--wait=false")
    change_caps(main)
    hold_secrets(faults)
    named = {found["metadata"]["name"]: found["spec"].get("requestRef", {}).get("name") for found in main.items("agrant", main.makers)}
    main.vanish("areq", *CROWD, namespace=main.users)
    main.delete("agrant", *(answer for answer, request in named.items() if request in CROWD))
    main.vanish("areq", "remade", "wide-orphan", namespace=main.users)
    main.delete("agrant", "for-remade", "for-wide-orphan", "for-attached-ended", "for-grouped-ended")
    main.apply(given["remade"].deal.request)
    main.delete("dp", "wide-gone")
    return facts


def end_while_renewal_waits(place: Place, name: str) -> None:
    """The owner moves the end of an answer to a few seconds from now, and the consumer asks for more time at once."""
    place.patch("agrant", answer_of(place, name), {"validUntil": in_seconds(5)})
    renew(place, name)


def renew(place: Place, name: str) -> None:
    place.patch("areq", name, {"renewal": {"reason": "it goes on", "requestedAt": in_seconds(0)}}, namespace=place.users)


def change_caps(place: Place) -> None:
    """The owner takes a cap off, raises it, and makes the port again under a number that differs only after the major version."""
    port = {"name": "daily", "version": "1.0.0", "path": "daily/"}
    ports = {"removed": port, "raised": {**port, "access": {"maxDuration": "90d"}}, "renumbered": {**port, "version": "1.0.1"}}
    for how, changed in ports.items():
        assert not place.patch("dp", f"capped-{how}", {"outputPorts": [changed]})


def hold_secrets(faults: Faults) -> None:
    """Consumers put finalizers of their own on Secrets; then a grant, a product and a whole namespace are to go."""
    main = faults.main
    for name in ("held-secret", "forced", "leaving"):
        main.kubectl("patch", "secret", name, "-n", main.users, "--type=merge", "-p", MINE)
    main.delete("agrant", "for-held-secret", "for-kept-secret")
    main.kubectl("annotate", "dp", "forced", "-n", main.makers, "clouddatamesh.dev/force-delete=forced")
    main.delete("dp", "forced")
    main.kubectl("delete", "namespace", "fault-leaving", "--wait=false")


# Somebody with rights in the store gives our users more, by ways that are no inline policies.


def producer(place: Place, product: str) -> str:
    return str(place.mesh.product(product, place.makers)["status"]["producer"]["principal"])


def make_group(mesh: Actors) -> None:
    mesh.iam.create_group(GroupName=GROUP)
    mesh.iam.put_group_policy(GroupName=GROUP, PolicyName=GROUP, PolicyDocument=WIDE)


def join(mesh: Actors, *users: str) -> None:
    for user in users:
        mesh.iam.add_user_to_group(GroupName=GROUP, UserName=user)


def widen(mesh: Actors, *users: str) -> None:
    for user in users:
        mesh.iam.attach_user_policy(UserName=user, PolicyArn=MANAGED)


def lose_bucket(place: Place) -> None:
    """Somebody deletes a bucket with all that is in it."""
    s3, bucket = place.mesh.s3, place.mesh.bucket("bucketless", place.makers)
    found = s3.list_object_versions(Bucket=bucket)
    for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def renew_often(place: Place, name: str, *, times: int) -> None:
    """Each answer is ended soon by its owner while the consumer asks again, so that the port answers again at once."""
    for _ in range(times):
        former = resting_on(place, name)
        assert not place.patch("agrant", former, {"validUntil": in_seconds(ENDS)})
        renew(place, name)
        place.mesh.installed.until(partial(rests_on_another, place, name, former), what="the next answer")
        place.mesh.installed.until(partial(is_later, in_seconds(0)), what="a later second")


def resting_on(place: Place, name: str) -> str:
    """The grant that the request's status names."""
    status = place.mesh.installed.get("areq", name, place.users).get("status", {})
    return str(status.get("grantRef", {}).get("name"))


def rests_on_another(place: Place, name: str, former: str) -> bool:
    return resting_on(place, name) not in ("None", former)


def is_later(moment: str) -> bool:
    """By a second at least: times of objects have no smaller parts."""
    return in_seconds(0) > moment
