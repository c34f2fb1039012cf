"""One table from what S3, IAM, STS and the wire answer to MeshError. Whatever is unknown is Transient."""

import re
from collections.abc import Iterable
from typing import Final

from botocore import exceptions as wire

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.storage.clock import SKEWED, is_skewed

_Verdict = tuple[type[MeshError], str]

_CREDENTIALS: Final = (
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "AuthFailure", "ExpiredToken", "InvalidToken",
    "UnrecognizedClient", "NotSignedUp", "AccountProblem", "InvalidSecurity", "MissingAuthenticationToken", "TokenRefreshRequired",
    "IDPRejectedClaim", "InvalidIdentityToken", "ExpiredTradeInToken", "InvalidAuthorizationMessage", "InvalidAuthenticationCode",
)  # fmt: skip
_DENIED: Final = (
    "AccessDenied", "Forbidden", "403", "AllAccessDisabled", "UnauthorizedAccess", "AccountNotAuthorized", "RegionDisabled",
    "AccountNotManagementOrDelegatedAdministrator", "CallerIsNotManagementAccount", "ServiceAccessNotEnabled",
    "OutboundWebIdentityFederationDisabled", "SessionDurationEscalation",
)  # fmt: skip
_REFUSED: Final = (
    "InvalidArgument", "InvalidRequest", "InvalidBucketName", "MalformedXML", "MalformedPolicy", "MalformedPolicyDocument",
    "NotImplemented", "501", "IllegalLocationConstraint", "InvalidLocationConstraint", "InvalidTag", "InvalidEncryptionAlgorithmError",
    "MethodNotAllowed", "405", "InvalidInput", "ValidationError", "InvalidParameterValue", "EntityTooLarge", "InvalidBucketState",
    "InvalidStorageClass", "XAmzContentSHA256Mismatch", "AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidAction",
    "Unsupported", "UnsupportedSignature", "InvalidBucketOwnerAWSAccountID", "UnsupportedMediaType", "InvalidPrefix",
    "InvalidAnnotationName", "AnnotationNameTooLong", "InvalidWriteOffset", "EncryptionTypeMismatch", "IdempotencyParameterMismatch",
    "TooManyParts", "InvalidObjectState", "ObjectAlreadyInActiveTierError", "ObjectNotInActiveTierError", "InvalidPublicKey",
    "InvalidCertificate", "MalformedCertificate", "KeyPairMismatch", "DuplicateCertificate", "DuplicateSSHPublicKey",
    "UnrecognizedPublicKeyEncoding", "InvalidUserType", "PasswordPolicyViolation", "PolicyEvaluation", "PolicyNotAttachable",
    "NotSupportedService", "UnmodifiableEntity", "FeatureDisabled", "FeatureEnabled", "RoleTemplateDisabled", "RoleModified",
    "NameConflict", "OrganizationNotFound", "OrganizationNotInAllFeaturesMode", "MissingContentMD5", "InvalidDigest", "BadDigest",
    "InvalidBucketAclWithObjectOwnership",
)  # fmt: skip
_LIMITS: Final = (
    "TooManyBuckets", "LimitExceeded", "QuotaExceeded", "ServiceQuotaExceeded", "PolicyTooLarge", "PackedPolicyTooLarge",
    "JWTPayloadSizeExceeded", "AnnotationLimitExceeded", "ReportGenerationLimitExceeded",
)  # fmt: skip
_THROTTLED: Final = (
    "SlowDown", "Throttling", "Throttled", "RequestThrottled", "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded", "429",
)  # fmt: skip
_CONFLICTS: Final = (
    "OperationAborted", "ConditionalRequestConflict", "ConcurrentModification", "DeleteConflict", "EntityTemporarilyUnmodifiable",
    "NoSuchBucket", "NoSuchEntity", "NoSuchKey", "NoSuchUpload", "NoSuchAnnotation", "NoSuchVersion", "404", "409",
    "BucketAlreadyOwnedByYou", "ReportExpired", "ReportInProgress", "ReportNotPresent",
)  # fmt: skip
_DOWN: Final = (
    "RequestTimeout", "InternalError", "InternalFailure", "ServiceUnavailable", "ServiceFailure", "500", "502",
    "503", "504", "IDPCommunicationError", "OpenIdIdpCommunicationError",
)  # fmt: skip
_CODES: Final[dict[str, _Verdict]] = {
    **dict.fromkeys(_CREDENTIALS, (Terminal, reasons.CREDENTIALS_INVALID)),
    **dict.fromkeys(_DENIED, (Transient, reasons.ACCESS_DENIED)),
    **dict.fromkeys(_REFUSED, (Terminal, reasons.STORE_REFUSED)),
    **dict.fromkeys(_LIMITS, (Terminal, reasons.LIMIT_EXCEEDED)),
    **dict.fromkeys(_THROTTLED, (Transient, reasons.THROTTLED)),
    **dict.fromkeys(_CONFLICTS, (Transient, reasons.CONFLICT)),
    **dict.fromkeys(_DOWN, (Transient, reasons.STORE_UNAVAILABLE)),
    **dict.fromkeys(SKEWED, (Transient, reasons.CLOCK_SKEWED)),
    "BucketAlreadyExists": (Terminal, reasons.NOT_OWNED),
    "EntityAlreadyExists": (Terminal, reasons.NOT_OWNED),
    "BucketNotEmpty": (Terminal, reasons.BUCKET_NOT_EMPTY),
}
"""By code, without the `Exception` that some services append."""

_NO_ANSWER: Final = (
    "ConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError", "HTTPClientError", "ProxyConnectionError",
    "ReadTimeoutError", "ResponseStreamingError", "IncompleteReadError", "ChecksumError", "FlexibleChecksumError", "AwsChunkedWrapperError",
    "EventStreamError", "MetadataRetrievalError", "ResponseParserError", "NotAnAnswerError",
)  # fmt: skip
_NO_CREDENTIALS: Final = (
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "UnknownCredentialError", "NoAuthTokenError",
    "TokenRetrievalError", "UnknownTokenProviderError", "SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "ProfileNotFound",
    "RefreshWithMFAUnsupportedError", "LoginError", "LoginAuthorizationCodeError", "LoginInsufficientPermissions", "LoginRefreshRequired",
    "LoginTokenLoadError", "ConfigNotFound", "ConfigParseError", "InfiniteLoopConfigError",
)  # fmt: skip
_NEVER_SENT: Final = (
    "ParamValidationError", "ValidationError", "AliasConflictParameterError", "RangeError", "UnknownKeyError", "UnknownParameterError",
    "MissingParametersError", "InvalidRegionError", "UnknownRegionError", "NoRegionError", "InvalidDNSNameError", "InvalidHostLabelError",
    "BaseEndpointResolverError", "EndpointVariantError", "EndpointProviderError", "EndpointResolutionError", "UnknownEndpointError",
    "UnknownFIPSEndpointError", "UnknownEndpointResolutionBuiltInName", "InvalidEndpointConfigurationError", "ServiceNotInRegionError",
    "InvalidEndpointDiscoveryConfigurationError", "InvalidConfigError", "InvalidChecksumConfigError", "InvalidDefaultsMode",
    "InvalidExpressionError", "InvalidIMDSEndpointError", "InvalidIMDSEndpointModeError", "InvalidMaxRetryAttemptsError",
    "InvalidProxiesConfigError", "InvalidRetryConfigurationError", "InvalidRetryModeError", "InvalidS3AddressingStyleError",
    "InvalidS3UsEast1RegionalEndpointConfigError", "InvalidSTSRegionalEndpointsConfigError", "ApiVersionNotFoundError",
    "DataNotFoundError", "UnknownServiceError", "UnknownServiceStyle", "UnknownSignatureVersionError", "UnsupportedSignatureVersionError",
    "UnknownClientMethodError", "UnsupportedOutpostResourceError", "UnsupportedS3AccesspointConfigurationError", "UnsupportedS3ArnError",
    "UnsupportedS3ConfigurationError", "UnsupportedS3ControlArnError", "UnsupportedS3ControlConfigurationError",
    "UnsupportedServiceProtocolsError", "MD5UnavailableError", "MissingDependencyException", "UnseekableStreamError",
    "OperationNotPageableError", "PaginationError", "WaiterConfigError", "WaiterError", "MissingServiceIdError",
    "UndefinedModelAttributeError", "StubResponseError", "StubAssertionError", "UnStubbedResponseError", "CapacityNotAvailableError",
)  # fmt: skip
_CERTIFICATE: Final = (Terminal, reasons.CERTIFICATE_INVALID)
_EXCEPTIONS: Final[dict[str, _Verdict]] = {
    **dict.fromkeys(_NO_ANSWER, (Transient, reasons.STORE_UNAVAILABLE)),
    **dict.fromkeys(_NO_CREDENTIALS, (Terminal, reasons.CREDENTIALS_MISSING)),
    **dict.fromkeys(_NEVER_SENT, (Terminal, reasons.STORE_REFUSED)),
    "SSLError": _CERTIFICATE,
}
"""By the name of botocore's exception class."""

_UNKNOWN: Final[_Verdict] = (Transient, reasons.STORE_UNAVAILABLE)
_KEY_LIKE: Final = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|\b(?!RGW\d)[A-Z0-9]{20}\b|(?:Signature|Credential)=\S+|[0-9a-f]{64}")
_SHORTEST_HIDDEN: Final = 6
_LENGTH: Final = 300
_REMEDIES: Final = {
    reasons.CREDENTIALS_INVALID: "; check the Secret of the ObjectStore's spec.credentialsSecretRef",
    reasons.STORE_UNAVAILABLE: "; check the ObjectStore's spec.endpointUrl and spec.iamEndpointUrl",
    reasons.CLOCK_SKEWED: "; the store's clock and this machine's differ by more than it takes: set the clocks",
    reasons.CREDENTIALS_MISSING: "; set spec.credentialsSecretRef or workload identity",
}


def code_of(error: wire.ClientError) -> str:
    """The store's error code, else the HTTP status: some stores answer an unknown call without an error body."""
    code = (error.response.get("Error") or {}).get("Code")
    return str(code or status_of(error) or "Unknown")


def status_of(error: wire.ClientError) -> int:
    """The HTTP status, 0 where none came."""
    return int((error.response.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0)


def verdict_of_code(code: str) -> _Verdict | None:
    """Class and reason of an error code, None where the table has none."""
    return _CODES.get(code) or _CODES.get(code.removesuffix("Exception"))


def verdict_of_exception(name: str) -> _Verdict | None:
    """Class and reason of one of botocore's own exceptions, None where the table has none."""
    return _EXCEPTIONS.get(name)


def translate(error: Exception, what: str, *, hide: Iterable[str] = ()) -> MeshError:
    """The MeshError that an exception of boto3 means; `what` is operation and object, `hide` is never shown."""
    if isinstance(error, wire.ClientError):
        code = code_of(error)
        message = str((error.response.get("Error") or {}).get("Message") or "")
        return translate_code(code, message, what, hide=hide)
    kind, reason = next(filter(None, map(verdict_of_exception, (base.__name__ for base in type(error).__mro__))), _UNKNOWN)
    return kind(reason, f"{what} failed: {_wire_words(reason, type(error).__name__)}{_REMEDIES.get(reason, '')}")


def translate_code(code: str, message: str, what: str, *, hide: Iterable[str] = ()) -> MeshError:
    """The MeshError of an error code and the store's words; DeleteObjects hands these out inside an answer of 200."""
    if what == "ListBuckets" and code.startswith("NoSuch"):
        return Terminal(reasons.STORE_REFUSED, f"{what} failed: {code}; spec.endpointUrl is no S3 service: most have a URL without a path")
    kind, reason = verdict_of_code(SKEWED[0] if is_skewed(code, message) else code) or _UNKNOWN
    said = redact(message, hide=hide)
    words = f": {said}" if said and said != code else ""
    remedy = _REMEDIES[reason] if reason in (reasons.CREDENTIALS_INVALID, reasons.CLOCK_SKEWED) else ""
    return kind(reason, f"{what} failed: {code}{words}{remedy}")


def _wire_words(reason: str, name: str) -> str:
    words = {
        reasons.CERTIFICATE_INVALID: "the store's certificate does not verify; check spec.caBundle",
        reasons.CREDENTIALS_MISSING: f"no credentials ({name})",
        reasons.STORE_REFUSED: f"the request could not be made ({name})",
    }
    if name == "NotAnAnswerError":
        return "somebody else than the store answered, as a proxy does with a page of its own"
    return words.get(reason, f"the store does not answer ({name})")


def redact(text: str, *, hide: Iterable[str] = ()) -> str:
    """The store's words on one line, without the given strings and without anything that looks like a key or a signature."""
    for hidden in hide:
        if len(hidden) >= _SHORTEST_HIDDEN:
            text = text.replace(hidden, "<redacted>")
    return _KEY_LIKE.sub("<redacted>", " ".join(text.split()))[:_LENGTH].rstrip(". ")
