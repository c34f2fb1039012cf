"""The table from answers of the API server to MeshError, walked over every reason that Kubernetes knows."""

import json
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Away, MeshError, Terminal, Transient, Waiting
from clouddatamesh.kube.errors import KNOWN_REASONS, LABEL_LAGS, ApiError, is_failed_test, is_other_uid, translate

STATUS_REASONS = (
    "", "Unauthorized", "Forbidden", "NotFound", "AlreadyExists", "Conflict", "Gone", "Invalid", "ServerTimeout", "StorageReadError",
    "Timeout", "TooManyRequests", "BadRequest", "MethodNotAllowed", "NotAcceptable", "RequestEntityTooLarge", "UnsupportedMediaType",
    "InternalError", "Expired", "ServiceUnavailable",
)  # fmt: skip
"""metav1.StatusReason of k8s.io/apimachinery v0.36.4, pkg/apis/meta/v1/types.go."""


def an_answer(status: int, reason: str = "", message: str = "", *causes: dict[str, str], name: str = "") -> ApiError:
    body: dict[str, Any] = {"kind": "Status", "reason": reason, "message": message, "details": {"name": name, "causes": list(causes)}}
    return ApiError(status, json.dumps(body).encode())


def meant(error: ApiError, *, quiet: bool = False) -> tuple[type[MeshError], str]:
    found = translate(error, "Creating Secret sales/orders", quiet=quiet)
    return type(found), found.reason


def test_every_reason_that_kubernetes_knows_is_in_the_table() -> None:
    assert set(STATUS_REASONS) == KNOWN_REASONS


@pytest.mark.parametrize("reason", STATUS_REASONS)
def test_only_what_somebody_must_change_is_terminal(reason: str) -> None:
    kind, _ = meant(an_answer(400, reason, "no"))
    terminal = {"AlreadyExists", "Invalid", "BadRequest", "RequestEntityTooLarge"}
    assert kind is (Terminal if reason in terminal else Transient)


def test_what_is_unknown_is_transient() -> None:
    assert meant(an_answer(418, "Teapot", "short and stout")) == (Transient, reasons.CLUSTER_UNAVAILABLE)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"Unauthorized", reasons.ACCESS_DENIED),
        (403, b"<html>", reasons.ACCESS_DENIED),
        (429, b"Too many requests, please try again later.", reasons.CLUSTER_UNAVAILABLE),
        (502, b"", reasons.CLUSTER_UNAVAILABLE),
        (500, b"[]", reasons.CLUSTER_UNAVAILABLE),
    ],
)
def test_an_answer_that_is_no_status_is_judged_by_its_code(status: int, body: bytes, reason: str) -> None:
    kind, found = meant(ApiError(status, body))
    assert (issubclass(kind, Transient), found) == (True, reason)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ApiError(429, b"Too many requests, please try again later."), Away),
        (an_answer(429, "TooManyRequests", "the server has received too many requests"), Away),
        (ApiError(502, b"<html>"), Away),
        (an_answer(503, "ServiceUnavailable", "apiserver is shutting down"), Away),
        (an_answer(504, "Timeout", "request did not complete within requested timeout"), Away),
        (an_answer(500, "InternalError", 'failed calling webhook "validate.kyverno.svc-fail": connection refused'), Transient),
        (an_answer(500, "ServerTimeout", "the server cannot complete the requested operation at this time"), Transient),
        (an_answer(503, "ServiceUnavailable", 'admission webhook "w" denied the request: no'), Terminal),
        (an_answer(404, "", "404 page not found"), Transient),
    ],
    ids=str,
)
def test_only_a_server_that_serves_nobody_is_away(answer: ApiError, kind: type[MeshError]) -> None:
    """An admission webhook that does not answer refuses some writes, for as long as it likes, while all else goes on."""
    assert meant(answer)[0] is kind


RBAC = (
    'secrets is forbidden: User "system:serviceaccount:a:b" cannot create resource "secrets" in API group "" in the namespace "sales": '
    'RBAC: clusterrole.rbac.authorization.k8s.io "x" not found'
)


@pytest.mark.parametrize(
    ("message", "kind", "reason"),
    [
        (RBAC, Transient, reasons.ACCESS_DENIED),
        ('secrets "x" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=5', Terminal, reasons.LIMIT_EXCEEDED),
        ('secrets "x" is forbidden: status unknown for quota: q, resources: secrets', Waiting, reasons.QUOTA_NOT_COUNTED),
        (
            "secrets \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            Terminal,
            reasons.ADMISSION_REFUSED,
        ),
        (
            f"rolebindings \"x\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: {LABEL_LAGS} a",
            Transient,
            reasons.ADMISSION_REFUSED,
        ),
        ('admission webhook "w.example.org" denied the request: no', Terminal, reasons.ADMISSION_REFUSED),
    ],
    ids=["RBAC", "quota used up", "quota not counted", "policy", "our own, which does not see a new label yet", "webhook"],
)
def test_a_forbidden_says_what_is_meant(message: str, kind: type[MeshError], reason: str) -> None:
    assert meant(an_answer(403, "Forbidden", message)) == (kind, reason)


@pytest.mark.parametrize(("status", "reason"), [(400, "BadRequest"), (500, "InternalError"), (403, ""), (422, "Invalid")])
def test_a_webhook_may_choose_its_code(status: int, reason: str) -> None:
    answer = an_answer(status, reason, 'admission webhook "w" denied the request: no')
    assert meant(answer) == (Terminal, reasons.ADMISSION_REFUSED)


def test_a_namespace_that_goes_is_waited_for() -> None:
    answer = an_answer(403, "Forbidden", "it is being terminated", {"reason": "NamespaceTerminating", "field": "metadata.namespace"})
    assert meant(answer) == (Waiting, reasons.NAMESPACE_TERMINATING)


def test_a_message_names_verb_and_resource_as_the_server_did() -> None:
    assert 'cannot create resource "secrets"' in translate(an_answer(403, "Forbidden", RBAC), "Creating Secret a/b", quiet=True).message


@pytest.mark.parametrize("reason", [reason for reason in STATUS_REASONS if reason != "AlreadyExists"])
def test_of_a_secret_no_words_are_repeated_that_may_hold_its_content(reason: str) -> None:
    for message in (
        "planted",
        'admission webhook "w" denied the request: planted',
        'Secret "x" is invalid: data[a]: Invalid value: "planted"',
    ):
        assert "planted" not in translate(an_answer(422, reason, message), "Creating Secret a/b", quiet=True).message


def test_a_message_is_one_line_of_bounded_length() -> None:
    message = translate(an_answer(422, "Invalid", "a\nb " * 1000), "Creating ResourceQuota a/b").message
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize(
    "answer",
    [
        an_answer(404, "NotFound", 'domains "x" not found', name="x"),
        an_answer(
            409, "Conflict", 'cannot be fulfilled on domains "x": uid mismatch: the provided object specified uid 1, and no existing'
        ),
        an_answer(
            409, "Conflict", 'cannot be fulfilled on domains "x": the UID in the precondition (1) does not match the UID in record (2)'
        ),
        an_answer(422, "Invalid", "metadata.uid: Invalid value", {"reason": "FieldValueInvalid", "field": "metadata.uid"}),
    ],
    ids=["gone", "apply to what is gone", "delete of another", "apply to another"],
)
def test_another_object_of_the_name_is_recognised(answer: ApiError) -> None:
    assert is_other_uid(answer)


@pytest.mark.parametrize(
    "answer",
    [
        an_answer(409, "Conflict", 'cannot be fulfilled on domains "fluid": the object has been modified'),
        an_answer(422, "Invalid", 'Domain "fluid" is invalid: spec.a: Required value', {"reason": "FieldValueRequired", "field": "spec.a"}),
        an_answer(403, "Forbidden", "uid mismatch: "),
        an_answer(404, "NotFound", "the server could not find the requested resource"),
        ApiError(404, b"default backend - 404"),
    ],
)
def test_an_object_whose_name_only_sounds_like_it_is_not(answer: ApiError) -> None:
    assert not is_other_uid(answer)


def test_a_failed_test_of_a_patch_is_told_from_an_invalid_object() -> None:
    assert is_failed_test(an_answer(422, "Invalid", "the server rejected our request due to an error in our request"))
    assert not is_failed_test(an_answer(422, "Invalid", "no", {"reason": "FieldValueRequired", "field": "status.a"}))
    assert not is_failed_test(an_answer(422, "", 'admission webhook "policy.example.com" denied the request: no'))
