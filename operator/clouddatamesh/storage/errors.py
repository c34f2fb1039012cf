"""One table from what S3, IAM and the wire answer to MeshError. Whatever is unknown is Transient."""

import re
from typing import Final

from botocore import exceptions as wire

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient

_CREDENTIALS: Final = (
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
    "InvalidToken", "UnrecognizedClientException", "NotSignedUp", "AccountProblem", "InvalidSecurity", "MissingAuthenticationToken",
)  # fmt: skip
_DENIED: Final = (
    "AccessDenied", "AccessDeniedException", "Forbidden", "403", "AllAccessDisabled", "UnauthorizedAccess", "AccountNotAuthorized",
)  # fmt: skip
_REFUSED: Final = (
    "InvalidArgument", "InvalidRequest", "InvalidBucketName", "MalformedXML", "MalformedPolicy", "MalformedPolicyDocument",
    "NotImplemented", "IllegalLocationConstraintException", "InvalidLocationConstraint", "InvalidTag",
    "InvalidEncryptionAlgorithmError", "MethodNotAllowed", "InvalidInput", "ValidationError", "InvalidParameterValue", "EntityTooLarge",
    "InvalidBucketState", "InvalidStorageClass", "XAmzContentSHA256Mismatch", "AuthorizationHeaderMalformed", "PermanentRedirect",
    "InvalidAction", "Unsupported", "UnsupportedSignature", "InvalidBucketOwnerAWSAccountID",
)  # fmt: skip
_LIMITS: Final = (
    "TooManyBuckets", "LimitExceeded", "LimitExceededException", "QuotaExceeded", "ServiceQuotaExceededException", "PolicyTooLarge",
)  # fmt: skip
_THROTTLED: Final = (
    "SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "TooManyRequestsException",
    "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded", "503",
)  # fmt: skip
_CONFLICTS: Final = (
    "OperationAborted", "ConditionalRequestConflict", "ConcurrentModification", "ConcurrentModificationException", "DeleteConflict",
    "DeleteConflictException", "EntityTemporarilyUnmodifiable", "EntityTemporarilyUnmodifiableException", "NoSuchBucket",
    "NoSuchEntity", "NoSuchEntityException", "404", "409", "BucketAlreadyOwnedByYou",
)  # fmt: skip
_CODES: Final[dict[str, tuple[type[MeshError], str]]] = {
    **dict.fromkeys(_CREDENTIALS, (Terminal, reasons.CREDENTIALS_INVALID)),
    **dict.fromkeys(_DENIED, (Transient, reasons.ACCESS_DENIED)),
    **dict.fromkeys(_REFUSED, (Terminal, reasons.STORE_REFUSED)),
    **dict.fromkeys(_LIMITS, (Terminal, reasons.LIMIT_EXCEEDED)),
    **dict.fromkeys(_THROTTLED, (Transient, reasons.THROTTLED)),
    **dict.fromkeys(_CONFLICTS, (Transient, reasons.CONFLICT)),
    "BucketAlreadyExists": (Terminal, reasons.NOT_OWNED),
    "EntityAlreadyExists": (Terminal, reasons.NOT_OWNED),
    "BucketNotEmpty": (Terminal, reasons.BUCKET_NOT_EMPTY),
    "RequestTimeTooSkewed": (Transient, reasons.STORE_UNAVAILABLE),
    "RequestTimeout": (Transient, reasons.STORE_UNAVAILABLE),
    "InternalError": (Transient, reasons.STORE_UNAVAILABLE),
    "InternalFailure": (Transient, reasons.STORE_UNAVAILABLE),
    "ServiceUnavailable": (Transient, reasons.STORE_UNAVAILABLE),
    "ServiceFailure": (Transient, reasons.STORE_UNAVAILABLE),
    "ServiceFailureException": (Transient, reasons.STORE_UNAVAILABLE),
}
_UNKNOWN: Final = (Transient, reasons.STORE_UNAVAILABLE)
_KEY_LIKE: Final = re.compile(r"\b(?:AKIA|ASIA|RGW)?[A-Z0-9]{16,}\b|(?:Signature|Credential)=\S+")
_LENGTH: Final = 300


def code_of(error: wire.ClientError) -> str:
    """The store's error code, else the HTTP status: some stores answer an unknown call without an error body."""
    code = error.response.get("Error", {}).get("Code")
    return str(code or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "Unknown"))


def is_known(code: str) -> bool:
    """Whether the table has a code."""
    return code in _CODES


def translate(error: Exception, what: str) -> MeshError:
    """The MeshError that an exception of boto3 stands for; `what` is the operation and the object."""
    if isinstance(error, wire.ClientError):
        code = code_of(error)
        kind, reason = _CODES.get(code, _UNKNOWN)
        said = redact(str(error.response.get("Error", {}).get("Message") or ""))
        remedy = "; check the Secret of the ObjectStore's spec.credentialsSecretRef" if reason == reasons.CREDENTIALS_INVALID else ""
        return kind(reason, f"{what} failed: {code}{f': {said}' if said and said != code else ''}{remedy}")
    if isinstance(error, wire.SSLError):
        return Terminal(reasons.CERTIFICATE_INVALID, f"{what} failed: the store's certificate does not verify; check spec.caBundle")
    if isinstance(error, wire.NoCredentialsError | wire.PartialCredentialsError | wire.CredentialRetrievalError):
        return Terminal(reasons.CREDENTIALS_MISSING, f"{what} failed: no credentials; set spec.credentialsSecretRef or workload identity")
    if isinstance(error, wire.ParamValidationError | wire.InvalidRegionError | wire.UnknownRegionError):
        return Terminal(reasons.STORE_REFUSED, f"{what} failed: {type(error).__name__}")
    where = "check the ObjectStore's spec.endpointUrl and spec.iamEndpointUrl"
    return Transient(reasons.STORE_UNAVAILABLE, f"{what} failed: the store does not answer ({type(error).__name__}); {where}")


def redact(text: str) -> str:
    """The store's words without anything that looks like a key or a signature."""
    return _KEY_LIKE.sub("<redacted>", " ".join(text.split()))[:_LENGTH]
