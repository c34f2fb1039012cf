"""What the API server takes of AccessRequest and AccessGrant: beside the edge of each rule, and the changes that are allowed."""

from tests.e2e.cases import Manifest, without
from tests.e2e.refusals_access import a_ban, lasting, renewed
from tests.support.manifests import a_grant, a_request

_MOMENTS = ("2027-01-10T00:00:00Z", "2027-01-10T23:59:59.999999+23:59", "2028-02-29T00:00:00-00:00", "2999-12-31T23:59:59.1Z")
_ACCOUNT = {"serviceAccountRef": {"name": "forecast.job"}}

ACCEPTED_ACCESS: dict[str, Manifest] = {
    "the smallest request": without(a_request(), "spec", "mode"),
    "a request for ever": lasting(a_request()),
    "a request for ever, said twice": a_request(permanent=False),
    "a request of a ServiceAccount": a_request(consumer=_ACCOUNT, mode="WriteOnly"),
    "a request of its longest names": a_request(
        dataProductRef={"namespace": "n" * 63, "name": "p" * 253},
        outputPort={"name": "d" * 63, "version": "1.0.0-" + "a" * 58},
        purpose="p" * 1024,
        secretName="s" * 253,
    ),
    "a purpose in other letters": a_request(purpose="\u9700\u8981\u9884\u6d4b"),
    "a request for a dotted product": a_request(dataProductRef={"namespace": "sales", "name": "orders.eu"}),
    **{f"a request for {text}": a_request(duration=text) for text in ("1m", "0d1m", "99999d", "1d2h3m")},
    **{f"a renewal at {moment}": renewed(moment) for moment in _MOMENTS},
    **{f"a grant until {moment}": a_grant(validUntil=moment) for moment in _MOMENTS},
    "a grant for ever": lasting(a_grant()),
    "a grant with a note": a_grant(note="", consumer=_ACCOUNT, mode="ReadWrite"),
    "a grant of a named approver": a_grant(approver="system:serviceaccount:argocd:argocd-application-controller"),
    "a refusal of a named approver": a_grant(decision="Deny", approver="kim@example.com"),
    "a refusal with an end": a_grant(decision="Deny"),
    "a refusal without end": without(a_grant(decision="Deny"), "spec", "validUntil"),
    "a refusal for ever": lasting(a_grant(decision="Deny")),
    "a ban of a namespace": a_ban(),
    "a ban of a namespace from one port": a_ban(outputPort={"name": "daily", "version": "1.0.0"}),
}
_LATER = {"requestedAt": "2027-01-10T00:00:00Z"}
CHANGES_ACCESS: dict[str, list[Manifest]] = {
    "a renewal comes, moves forward, says why and goes": [
        a_request(),
        a_request(renewal=_LATER),
        a_request(renewal={**_LATER, "reason": "more"}),
        renewed("2027-01-10T00:00:00-00:01"),
        renewed("2027-01-10T00:01:00.5Z"),
        a_request(),
    ],
    "a default that is written out": [without(a_request(), "spec", "mode"), a_request(permanent=False)],
    "yes, no and yes again, with another end": [
        a_grant(),
        a_grant(decision="Deny"),
        lasting(a_grant()),
        a_grant(validUntil="2028-01-01T00:00:00Z", note="until the new year"),
        a_grant(),
    ],
    "a named approver says no and yes again": [a_grant(approver="kim"), a_grant(approver="kim", decision="Deny"), a_grant(approver="kim")],
    "a ban that says why": [a_ban(), a_ban(note="They left the data guild")],
}
