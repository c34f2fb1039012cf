"""What the API server refuses of AccessRequest and AccessGrant by the schema alone.

Nothing that ends in a policy of the store may mean more than one thing.
"""

from tests.e2e.cases import Manifest, Refusal, without
from tests.e2e.refusals_access import a_ban, renewed
from tests.support.manifests import a_grant, a_request

_LOOKALIKE = "d\u0430ily"
_FEW = ("*", "${aws:username}", "..", "Daily", _LOOKALIKE)
_WRONG_NAMES = (*_FEW, "?", "daily*", "d?ily", "$", "a..b", "a/b", "a:b", "-a", "a-", "a b", "a\n", "daily\uff0e", "dai\u200bly", "")
"""No name of any object: wildcards and variables of policies, steps up, capitals, and letters that only look like these. Few: where the
type of the field is the same as elsewhere."""
_WRONG_VERSIONS = ("*", "1.*.0", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0 ", "1.0.0-$", "1.0.0-..*", "\uff11.0.0", "\u0661.0.0", "")
_WRONG_MOMENTS = (
    "2027-01-10T00:00:00", "2027-01-10", "2027-01-10 00:00:00Z", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-10T24:00:00Z",
    "2027-01-10T23:60:00Z", "2027-01-10T23:59:60Z", "2027-01-10T00:00:00+24:00", "2027-01-10T00:00:00+99:99", "2027-01-10T00:00:00+0100",
    "2027-01-10T00:00:00.1234567Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "90d", "tomorrow", "",
)  # fmt: skip
"""No zone, no such moment, none that both Go and Python can tell, or no moment at all."""


def _wrong(what: str, field: str, manifest: Manifest) -> Refusal:
    return Refusal(what, manifest, f"{field}: Invalid value")


REQUEST = (
    *(
        Refusal(f"a request without {field}", without(a_request(), "spec", field), f"spec.{field}: Required value")
        for field in ("dataProductRef", "outputPort", "consumer", "purpose", "secretName")
    ),
    *(
        Refusal(f"a request without {parent}.{field}", without(a_request(), "spec", parent, field),
                f"spec.{parent}.{field}: Required value")
        for parent, field in (("dataProductRef", "namespace"), ("dataProductRef", "name"),
                              ("outputPort", "name"), ("outputPort", "version"))
    ),
    Refusal("a request without spec", without(a_request(), "spec"), "spec: Required value"),
    *(_wrong(f"a request for the port {name!a}", "spec.outputPort.name", a_request(outputPort={"name": name, "version": "1.0.0"}))
      for name in (*_WRONG_NAMES, "a.b")),
    *(_wrong(f"a request for the version {version!a}", "spec.outputPort.version",
             a_request(outputPort={"name": "daily", "version": version})) for version in _WRONG_VERSIONS),
    *(_wrong(f"a request to the namespace {name!a}", "spec.dataProductRef.namespace",
             a_request(dataProductRef={"namespace": name, "name": "orders"})) for name in (*_FEW, "a.b")),
    *(_wrong(f"a request for the product {name!a}", "spec.dataProductRef.name",
             a_request(dataProductRef={"namespace": "sales", "name": name})) for name in _FEW),
    *(_wrong(f"a request for the consumer {name!a}", "spec.consumer.dataProductRef.name",
             a_request(consumer={"dataProductRef": {"name": name}})) for name in _FEW),
    *(_wrong(f"a request for the ServiceAccount {name!a}", "spec.consumer.serviceAccountRef.name",
             a_request(consumer={"serviceAccountRef": {"name": name}})) for name in _FEW),
    *(_wrong(f"a request for the Secret {name!a}", "spec.secretName", a_request(secretName=name)) for name in _FEW),
    Refusal("a Secret's name of 254 characters", a_request(secretName="a" * 254), "spec.secretName: Too long"),
    Refusal("a request to a namespace of 64 characters", a_request(dataProductRef={"namespace": "n" * 64, "name": "orders"}),
            "spec.dataProductRef.namespace: Too long"),
    Refusal("a request for a version of 65 characters", a_request(outputPort={"name": "daily", "version": "1.0.0-" + "a" * 59}),
            "spec.outputPort.version: Too long"),
    *(_wrong(f"a request for the purpose {blank!a}", "spec.purpose", a_request(purpose=blank)) for blank in ("", " ", "\n\t ")),
    Refusal("a request for a purpose of 1,025 characters", a_request(purpose="p" * 1025), "spec.purpose: Too long"),
    *(_wrong(f"a request for {text!a}", "spec.duration", a_request(duration=text))
      for text in ("", "90", "2w", "-90d", "1.5d", "1h1d", "100000d", "90 d", "\u0669d")),
    Refusal("a request that is permanent as text", a_request(permanent="yes"), "spec.permanent: Invalid value"),
    *(Refusal(f"a request for the mode {mode!a}", a_request(mode=mode), "spec.mode: Unsupported value")
      for mode in ("Admin", "readOnly", "*", "")),
    Refusal("a renewal without time", a_request(renewal={"reason": "more"}), "spec.renewal.requestedAt: Required value"),
    Refusal("a renewal for a reason of 1,025 characters", a_request(renewal={"reason": "r" * 1025, "requestedAt": "2027-01-10T00:00:00Z"}),
            "spec.renewal.reason: Too long"),
    *(_wrong(f"a renewal at {moment!a}", "spec.renewal.requestedAt", renewed(moment)) for moment in _WRONG_MOMENTS),
    Refusal("a request that names a principal", a_request(principal="somebody"), 'unknown field "spec.principal"'),
)  # fmt: skip
GRANT = (
    Refusal("a grant without decision", without(a_grant(), "spec", "decision"), "spec.decision: Required value"),
    Refusal("a grant without product", without(a_grant(), "spec", "dataProductRef"), "spec.dataProductRef: Required value"),
    Refusal("a grant without spec", without(a_grant(), "spec"), "spec: Required value"),
    *(
        Refusal(f"a grant without {parent}.{field}", without(a_grant(), "spec", parent, field), f"spec.{parent}.{field}: Required value")
        for parent, field in (("dataProductRef", "name"), ("requestRef", "namespace"), ("requestRef", "name"), ("outputPort", "version"))
    ),
    *(Refusal(f"the decision {word!a}", a_grant(decision=word), "spec.decision: Unsupported value") for word in ("Yes", "approve", "")),
    *(Refusal(f"a grant of the mode {mode!a}", a_grant(mode=mode), "spec.mode: Unsupported value") for mode in ("Admin", "*")),
    *(_wrong(f"a grant for the request {name!a}", "spec.requestRef.name", a_grant(requestRef={"namespace": "inventory", "name": name}))
      for name in _WRONG_NAMES),
    *(_wrong(f"a grant for the namespace {name!a}", "spec.requestRef.namespace", a_grant(requestRef={"namespace": name, "name": "orders"}))
      for name in (*_FEW, "a.b")),
    *(_wrong(f"a ban of the namespace {name!a}", "spec.consumerNamespace", a_ban(consumerNamespace=name))
      for name in (*_FEW, "a.b")),
    *(_wrong(f"a grant of the product {name!a}", "spec.dataProductRef.name", a_grant(dataProductRef={"name": name}))
      for name in _FEW),
    *(_wrong(f"a grant of the port {name!a}", "spec.outputPort.name", a_grant(outputPort={"name": name, "version": "1.0.0"}))
      for name in (*_FEW, "a.b")),
    *(_wrong(f"a grant of the version {version!a}", "spec.outputPort.version", a_grant(outputPort={"name": "daily", "version": version}))
      for version in ("*", "1.0", "1.0.0-$")),
    *(_wrong(f"a grant for the consumer {name!a}", "spec.consumer.dataProductRef.name",
             a_grant(consumer={"dataProductRef": {"name": name}})) for name in _FEW),
    *(_wrong(f"a grant until {moment!a}", "spec.validUntil", a_grant(validUntil=moment)) for moment in _WRONG_MOMENTS),
    Refusal("a grant that is permanent as text", a_grant(permanent="true"), "spec.permanent: Invalid value"),
    Refusal("a note of 1,025 characters", a_grant(note="n" * 1025), "spec.note: Too long"),
    Refusal("a product in another namespace", a_grant(dataProductRef={"namespace": "marketing", "name": "orders"}),
            'unknown field "spec.dataProductRef.namespace"'),
    Refusal("a grant that sets a path", a_grant(path="*"), 'unknown field "spec.path"'),
)  # fmt: skip
ACCESS = (*REQUEST, *GRANT)
