"""What the API server refuses of AccessRequest and AccessGrant by rules: what does not belong together, and what is immutable."""

from tests.e2e.cases import Manifest, Refusal, without
from tests.support.manifests import a_grant, a_request

_ASK_ANEW = "All fields except spec.renewal are immutable; to request something else, create another request"
_ANSWER_ANEW = "All fields except decision, validUntil, permanent and note are immutable; to decide on something else, create another grant"
_CONSUMER = "A consumer is either a product or a ServiceAccount; set exactly one of dataProductRef and serviceAccountRef"
_HOW_LONG = "A request requires a duration; set either duration or permanent: true"
_NO_TIME = "spec.duration is zero; set at least 1m"
_FORWARD = "spec.renewal.requestedAt only moves forward; set the current time"
_ONE_QUESTION = "A grant decides on either one request or a whole namespace; set exactly one of requestRef and consumerNamespace"
_ONLY_REFUSES = "consumerNamespace is only allowed with decision Deny; approve each request of that namespace with its own grant"
_REPEAT = "With requestRef, repeat outputPort, consumer and mode of the request, so that the decision is on exactly that request"
_END = "An approval requires an end; set either validUntil or permanent: true"

_BOTH = {"dataProductRef": {"name": "forecast"}, "serviceAccountRef": {"name": "forecast"}}
_ACCOUNT = {"serviceAccountRef": {"name": "forecast"}}
_OTHER_CONSUMERS: dict[str, Manifest] = {
    "another consumer": {"dataProductRef": {"name": "other"}},
    "a ServiceAccount of the same name": _ACCOUNT,
}
_OTHER_PORTS: dict[str, Manifest] = {
    "another port": {"name": "hourly", "version": "1.0.0"},
    "another patch of the port": {"name": "daily", "version": "1.0.1"},
}


def lasting(manifest: Manifest) -> Manifest:
    """The manifest, asking for or giving access without end."""
    fewer = without(without(manifest, "spec", "duration"), "spec", "validUntil")
    return {**fewer, "spec": {**fewer["spec"], "permanent": True}}


def renewed(at: str) -> Manifest:
    """A request whose renewal was asked for at some time."""
    return a_request(renewal={"requestedAt": at})


def a_ban(**spec: object) -> Manifest:
    """A grant that refuses every request of a namespace."""
    spec = {"decision": "Deny", "consumerNamespace": "inventory", **spec}
    grant = a_grant()
    return {**grant, "spec": {"dataProductRef": grant["spec"]["dataProductRef"], **spec}}


REQUEST_RULES = (
    Refusal("a consumer that is two", a_request(consumer=_BOTH), _CONSUMER),
    Refusal("a consumer that is nobody", a_request(consumer={}), _CONSUMER),
    Refusal("a request that says no time", without(a_request(), "spec", "duration"), _HOW_LONG),
    Refusal("a request for some time and for ever", a_request(permanent=True), _HOW_LONG),
    *(Refusal(f"a duration of {none}", a_request(duration=none), _NO_TIME) for none in ("0m", "0d0h0m", "000d")),
    *(
        Refusal(f"a request that turns to {what}", a_request(dataProductRef=other), _ASK_ANEW, after=a_request())
        for what, other in (
            ("another product", {"namespace": "sales", "name": "returns"}),
            ("a namesake in another namespace", {"namespace": "inventory", "name": "orders"}),
        )
    ),
    *(
        Refusal(f"a request that turns to {what}", a_request(outputPort=other), _ASK_ANEW, after=a_request())
        for what, other in _OTHER_PORTS.items()
    ),
    *(
        Refusal(f"a request that turns to {what}", a_request(consumer=other), _ASK_ANEW, after=a_request())
        for what, other in _OTHER_CONSUMERS.items()
    ),
    Refusal("a request that turns to ReadWrite", a_request(mode="ReadWrite"), _ASK_ANEW, after=a_request()),
    Refusal("a request that loses its mode", without(a_request(), "spec", "mode"), _ASK_ANEW, after=a_request(mode="ReadWrite")),
    Refusal("a request whose purpose changes", a_request(purpose="Something else"), _ASK_ANEW, after=a_request()),
    Refusal("a request whose duration changes", a_request(duration="91d"), _ASK_ANEW, after=a_request()),
    Refusal("a request whose duration is written otherwise", a_request(duration="2160h"), _ASK_ANEW, after=a_request()),
    Refusal("a request that becomes permanent", lasting(a_request()), _ASK_ANEW, after=a_request()),
    Refusal("a request that becomes temporary", a_request(), _ASK_ANEW, after=lasting(a_request())),
    Refusal("a request whose Secret is renamed", a_request(secretName="other-access"), _ASK_ANEW, after=a_request()),
    Refusal("a renewal with another purpose", a_request(purpose="More", renewal={"requestedAt": "2027-01-10T00:00:00Z"}), _ASK_ANEW,
            after=a_request()),
    Refusal("a renewal that moves backward", renewed("2027-01-09T23:59:59Z"), _FORWARD, after=renewed("2027-01-10T00:00:00Z")),
    Refusal("a renewal that moves backward by its zone", renewed("2027-01-10T00:00:00+00:01"), _FORWARD,
            after=renewed("2027-01-10T00:00:00Z")),
    Refusal("a renewal that moves backward by a fraction", renewed("2027-01-10T00:00:00.1Z"), _FORWARD,
            after=renewed("2027-01-10T00:00:00.2Z")),
)  # fmt: skip

_OTHER_REQUESTS: dict[str, Manifest] = {
    "another request": {"namespace": "inventory", "name": "other"},
    "a namesake of the request": {"namespace": "marketing", "name": "orders-for-forecast"},
}
GRANT_RULES = (
    Refusal("a grant for two consumers", a_grant(consumer=_BOTH), _CONSUMER),
    Refusal("a grant for nobody", a_grant(consumer={}), _CONSUMER),
    Refusal("a grant that answers nothing", without(a_ban(), "spec", "consumerNamespace"), _ONE_QUESTION),
    Refusal("a grant that answers a request and a namespace", a_grant(decision="Deny", consumerNamespace="inventory"), _ONE_QUESTION),
    Refusal("an approval of a whole namespace", a_ban(decision="Approve", permanent=True), _ONLY_REFUSES),
    Refusal("a ban that becomes an approval", a_ban(decision="Approve", permanent=True), _ONLY_REFUSES, after=a_ban()),
    *(
        Refusal(f"a grant that leaves out {field}", without(a_grant(), "spec", field), _REPEAT)
        for field in ("outputPort", "consumer", "mode")
    ),
    Refusal("a refusal that leaves out mode", without(a_grant(decision="Deny"), "spec", "mode"), _REPEAT),
    Refusal("a ban of one consumer", a_ban(consumer=_ACCOUNT), _REPEAT),
    Refusal("a ban of one mode", a_ban(mode="ReadOnly"), _REPEAT),
    Refusal("an approval without end", without(a_grant(), "spec", "validUntil"), _END),
    Refusal("an approval until some time and for ever", a_grant(permanent=True), _END),
    Refusal("a refusal that becomes an approval without end", without(a_grant(), "spec", "validUntil"), _END,
            after=without(a_grant(decision="Deny"), "spec", "validUntil")),
    Refusal("a grant that turns to another product", a_grant(dataProductRef={"name": "returns"}), _ANSWER_ANEW, after=a_grant()),
    *(
        Refusal(f"a grant that turns to {what}", a_grant(outputPort=other), _ANSWER_ANEW, after=a_grant())
        for what, other in _OTHER_PORTS.items()
    ),
    *(
        Refusal(f"a grant that turns to {what}", a_grant(consumer=other), _ANSWER_ANEW, after=a_grant())
        for what, other in _OTHER_CONSUMERS.items()
    ),
    *(
        Refusal(f"a grant that turns to {what}", a_grant(requestRef=other), _ANSWER_ANEW, after=a_grant())
        for what, other in _OTHER_REQUESTS.items()
    ),
    Refusal("a grant that turns to WriteOnly", a_grant(mode="WriteOnly"), _ANSWER_ANEW, after=a_grant()),
    Refusal("a ban that turns to another namespace", a_ban(consumerNamespace="marketing"), _ANSWER_ANEW, after=a_ban()),
    Refusal("a ban that is given a port later", a_ban(outputPort={"name": "daily", "version": "1.0.0"}), _ANSWER_ANEW, after=a_ban()),
    Refusal("a ban that loses its port", a_ban(), _ANSWER_ANEW, after=a_ban(outputPort={"name": "daily", "version": "1.0.0"})),
    Refusal("a grant that turns to another approver", a_grant(approver="lee"), _ANSWER_ANEW, after=a_grant(approver="kim")),
    Refusal("a grant that gets an approver later", a_grant(approver="kim"), _ANSWER_ANEW, after=a_grant()),
    Refusal("a grant that loses its approver", a_grant(), _ANSWER_ANEW, after=a_grant(approver="kim")),
    Refusal("a ban that becomes an answer", a_grant(decision="Deny"), _ANSWER_ANEW, after=a_ban()),
    Refusal("an answer that becomes a ban", a_ban(), _ANSWER_ANEW, after=a_grant(decision="Deny")),
)  # fmt: skip
ACCESS_RULES = (*REQUEST_RULES, *GRANT_RULES)
