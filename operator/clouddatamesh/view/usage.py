"""How a consumer uses a Secret of granted access: as environment variables, and as files of a service binding."""

import base64
import binascii
from collections.abc import Mapping

from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.raw import value


def fields_of(secret: Manifest) -> dict[str, str]:
    """The texts in a Secret, decoded; what is no base64 text is left out."""
    found: dict[str, str] = {}
    for name, coded in (value(secret, "data") or {}).items():
        try:
            found[name] = base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, ValueError):
            continue
    return found


def environment(fields: Mapping[str, str], root: str, binding: str) -> dict[str, str]:
    """What the AWS CLI, boto3 and clients of the same variables read, and where the files of the binding are.

    `root` is the folder in which the binding's folder is.
    """
    place = f"{root}/{binding}"
    named = {
        "SERVICE_BINDING_ROOT": root,
        "AWS_ACCESS_KEY_ID": fields.get("access-key-id", ""),
        "AWS_SECRET_ACCESS_KEY": fields.get("secret-access-key", ""),
        "AWS_ENDPOINT_URL_S3": fields.get("endpoint", ""),
        "AWS_REGION": fields.get("region", ""),
        "AWS_CA_BUNDLE": f"{place}/ca.crt" if "ca.crt" in fields else "",
        "MESH_URI": fields.get("uri", ""),
        "MESH_BUCKET": fields.get("bucket", ""),
        "MESH_PREFIX": fields.get("prefix", ""),
    }
    return {name: said for name, said in named.items() if said}
