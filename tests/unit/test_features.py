"""Which settings buckets get by what a store was found able to do, and what is said of a protection that no request has tried."""

from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model import bucket as b
from clouddatamesh.plan.features import is_aws, level, missing_of, partition_of, settings_of, unclear_of, unproven_of
from clouddatamesh.status.objectstore import report
from tests.e2e.refusals import WHOLE
from tests.support.manifests import a_store
from tests.support.worlds import ABLE
from tests.unit.test_objectstore import KNOWN, world

OLD = {"name": b.TLS_ONLY, "supported": True}
PROVEN = {**OLD, "proof": "Refused"}
UNPROVEN = {**OLD, "proof": "Unproven", "message": "no endpoint without TLS is known"}
HTTPS = {"endpointUrl": "https://s3.example.com"}
AWS: dict[str, Any] = {"endpointUrl": None}


def a_store_with(*capabilities: dict[str, Any], **spec: Any) -> ObjectStore:
    """A store that can do everything, but for what is told otherwise."""
    told = {entry["name"] for entry in capabilities}
    found = [*(entry for entry in ABLE if entry["name"] not in told), *capabilities]
    manifest = a_store(**{**HTTPS, **spec})
    manifest["spec"] = {name: value for name, value in manifest["spec"].items() if value is not None}
    metadata = {**manifest["metadata"], "uid": "u", "generation": 1}
    return ObjectStore.model_validate({**manifest, "metadata": metadata, "status": {**KNOWN, "capabilities": found}})


@pytest.mark.parametrize(
    ("entry", "spec", "written"),
    [
        (PROVEN, {}, True),
        (UNPROVEN, {}, True),
        (OLD, {}, False),
        (OLD, AWS, True),
        (PROVEN, {"endpointUrl": "http://s3.example.com"}, False),
        (PROVEN, {"baseline": {"tlsOnly": "Off"}}, False),
        ({"name": b.TLS_ONLY, "supported": False}, {}, False),
    ],
    ids=["proven", "unproven", "probed with the former statement", "the same on AWS", "http", "off", "not supported"],
)
def test_the_statements_are_written_only_where_they_were_found_to_let_tls_pass(
    entry: dict[str, Any], spec: dict[str, Any], written: bool
) -> None:
    assert (b.TLS_ONLY in settings_of(a_store_with(entry, **spec))) is written


@pytest.mark.parametrize(("wanted", "unclear"), [("IfSupported", ()), ("Required", (b.TLS_ONLY,)), ("Off", ())])
def test_a_verdict_on_the_former_statement_is_none_where_the_protection_is_required(wanted: str, unclear: tuple[str, ...]) -> None:
    store = a_store_with(OLD, baseline={"tlsOnly": wanted})
    assert unclear_of(store) == unclear


def test_what_did_not_show_yet_is_unclear_and_not_unsupported() -> None:
    late = a_store_with({"name": b.ENCRYPTION, "supported": False, "failures": 1})
    assert (unclear_of(late), b.ENCRYPTION in settings_of(late)) == ((b.ENCRYPTION,), False)
    settled = a_store_with({"name": b.ENCRYPTION, "supported": False})
    assert unclear_of(settled) == ()
    worked = a_store_with({"name": b.ENCRYPTION, "supported": True, "failures": 2})
    assert (unclear_of(worked), b.ENCRYPTION in settings_of(worked)) == ((), True)


@pytest.mark.parametrize(
    ("entry", "spec", "told"),
    [
        (UNPROVEN, {}, (b.TLS_ONLY,)),
        (UNPROVEN, AWS, (b.TLS_ONLY,)),
        (PROVEN, {}, ()),
        (UNPROVEN, {"baseline": {"tlsOnly": "Off"}}, ()),
        (UNPROVEN, {"endpointUrl": "http://s3.example.com"}, ()),
        ({**UNPROVEN, "name": b.LIFECYCLE}, {}, ()),
    ],
)
def test_a_protection_that_no_request_has_tried_is_said_to_be_unproven(
    entry: dict[str, Any], spec: dict[str, Any], told: tuple[str, ...]
) -> None:
    store = a_store_with(entry, **spec)
    assert (unproven_of(store), missing_of(store)) == (told, ())
    ready = report(store, world()).ready
    assert ready.status == "True"
    assert ("not proven by a refused request: TlsOnly" in ready.message) is bool(told)


@pytest.mark.parametrize(
    ("url", "region", "aws", "partition", "wanted"),
    [
        (None, "eu-central-1", True, "aws", "Required"),
        (None, "cn-north-1", True, "aws-cn", "Required"),
        ("https://s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", True, "aws-us-gov", "Required"),
        ("https://bucket.vpce-1a.s3.eu-central-1.vpce.amazonaws.com", "eu-central-1", True, "aws", "Required"),
        ("https://s3.example.com", "cn-north-1", False, "aws", "IfSupported"),
    ],
)
def test_aws_is_aws_by_whatever_endpoint(url: str | None, region: str, aws: bool, partition: str, wanted: str) -> None:
    store = a_store_with(endpointUrl=url, region=region)
    assert (is_aws(store), partition_of(store), level(store, b.ENCRYPTION)) == (aws, partition, wanted)


MISSING: dict[str, Any] = {"name": b.ENCRYPTION, "supported": False, "message": "PutBucketEncryption: AccessDenied"}
NO_USERS: dict[str, Any] = {"name": b.IDENTITIES, "supported": False}
DEMANDING: dict[str, Any] = {"baseline": {"encryption": "Required"}}


@pytest.mark.parametrize(
    ("entries", "spec", "way_out"),
    [
        ((MISSING,), DEMANDING, "; relax spec.baseline"),
        ((MISSING,), AWS, "; allow the credentials what is named, as all of it is required on AWS"),
        ((NO_USERS,), {}, "; use a store with Identities, which every mesh requires"),
        ((NO_USERS,), AWS, "; allow the credentials what is named, as all of it is required on AWS"),
        ((MISSING, NO_USERS), DEMANDING, "; relax spec.baseline; use a store with Identities, which every mesh requires"),
        (
            (),
            {"endpointUrl": "http://s3.test", "baseline": {"tlsOnly": "Required"}},
            "; use https in spec.endpointUrl; relax spec.baseline",
        ),
    ],
)
def test_a_way_out_is_named_only_where_it_leads_out(entries: tuple[dict[str, Any], ...], spec: dict[str, Any], way_out: str) -> None:
    ready = report(a_store_with(*entries, **spec), world()).ready
    assert (ready.status, ready.reason) == ("False", reasons.CAPABILITY_MISSING)
    assert ready.message.partition(")")[0].startswith("The store cannot do what is required: ")
    assert ready.message.endswith(f"){way_out}")


@pytest.mark.parametrize(
    ("spec", "overruled"),
    [
        ({"endpointUrl": "https://s3.eu-central-1.amazonaws.com", "baseline": {"tlsOnly": "Off"}}, True),
        ({**AWS, "baseline": {"encryption": "IfSupported"}}, True),
        (AWS, False),
        ({**AWS, "baseline": WHOLE}, False),
        ({"baseline": {"tlsOnly": "Off"}}, False),
    ],
)
def test_a_baseline_that_is_not_followed_is_told(spec: dict[str, Any], overruled: bool) -> None:
    ready = report(a_store_with(**spec), world()).ready
    assert ready.status == "True"
    assert ("; spec.baseline is not followed, as on AWS every protection is Required" in ready.message) is overruled
