"""The policy statements that we write, as values. They are checked by plan/policy_faults.py, which shares no code with this file."""

from clouddatamesh.model.bucket import PREFIX, Statement

_LIST = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
_OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)


def tls_only(bucket: str) -> Statement:
    """Refuse every request that did not come over TLS."""
    return Statement(
        sid=f"{PREFIX}TlsOnly",
        effect="Deny",
        principals=("*",),
        actions=("s3:*",),
        resources=(f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"),
        conditions=(("Bool", "aws:SecureTransport", ("false",)),),
    )


def producer(bucket: str) -> tuple[Statement, ...]:
    """Write, read and list the whole bucket; deleting hides an object, and never destroys a version of it."""
    return (
        Statement(f"{PREFIX}List", "Allow", _LIST, (f"arn:aws:s3:::{bucket}",)),
        Statement(f"{PREFIX}Objects", "Allow", _OBJECTS, (f"arn:aws:s3:::{bucket}/*",)),
    )


def consumer(bucket: str, path: str, mode: str) -> tuple[Statement, ...]:
    """What one mode allows within one path of a bucket."""
    arn = f"arn:aws:s3:::{bucket}"
    within = (("StringLike", "s3:prefix", (path, f"{path}*")),)
    reads = (
        Statement(f"{PREFIX}List", "Allow", ("s3:ListBucket",), (arn,), conditions=within),
        Statement(f"{PREFIX}Read", "Allow", ("s3:GetObject",), (f"{arn}/{path}*",)),
    )
    writes = (
        Statement(
            f"{PREFIX}Write", "Allow", ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"), (f"{arn}/{path}*",)
        ),
    )
    hides = (Statement(f"{PREFIX}Hide", "Allow", ("s3:DeleteObject",), (f"{arn}/{path}*",)),)
    return {"ReadOnly": reads, "ReadWrite": (*reads, *writes, *hides), "WriteOnly": writes}[mode]
