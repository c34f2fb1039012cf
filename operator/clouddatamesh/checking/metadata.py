"""Names, labels, annotations and finalizers as the API server demands them of any object."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from clouddatamesh.checking.faults import REQUIRED, Fault, invalid, wrong_type
from clouddatamesh.model.objects import Manifest

_SUBDOMAIN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_NAME: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE: Final = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NAMESPACE: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_PLACES: Final = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
_IS_SUBDOMAIN: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    f"alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_IS_NAMESPACE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    f"character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_NAMESPACE}')"
)
_IS_NAME: Final = f"name part {_PLACES} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_LABEL_NAME}')"
_IS_VALUE: Final = (
    f"a valid label must be an empty string or {_PLACES.removeprefix('must ')} "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_LABEL_VALUE}')"
)
_MOST_NAME, _MOST_LABEL, _MOST_ANNOTATIONS = 253, 63, 256 * 1024
_STRINGS: Final = ("name", "generateName", "namespace", "resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "selfLink")
KNOWN: Final = frozenset(
    {*_STRINGS, "labels", "annotations", "finalizers", "ownerReferences", "generation", "managedFields", "deletionGracePeriodSeconds"}
)


def check_metadata(manifest: Manifest, *, namespaced: bool) -> Iterator[Fault]:
    """Everything that is wrong with the metadata of a manifest that has some."""
    metadata = manifest["metadata"]
    wrong = list(_check_types(metadata))
    yield from wrong
    if wrong:
        return
    yield from _check_name(metadata)
    namespace = metadata.get("namespace")
    if namespaced and namespace and not (re.fullmatch(_NAMESPACE, namespace) and len(namespace) <= _MOST_LABEL):
        yield invalid(("metadata", "namespace"), namespace, _IS_NAMESPACE)
    for name, value in (metadata.get("labels") or {}).items():
        yield from _check_key(("metadata", "labels"), name)
        if not re.fullmatch(_LABEL_VALUE, value) or len(value) > _MOST_LABEL:
            yield invalid(("metadata", "labels"), value, _IS_VALUE if len(value) <= _MOST_LABEL else "must be no more than 63 characters")
    annotations = metadata.get("annotations") or {}
    for name in annotations:
        yield from _check_key(("metadata", "annotations"), name.lower())
    if sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items()) > _MOST_ANNOTATIONS:
        yield Fault(("metadata", "annotations"), "FieldValueTooLong", f"Too long: may not be more than {_MOST_ANNOTATIONS} bytes")
    for name in metadata.get("finalizers") or ():
        yield from _check_key(("metadata", "finalizers"), name)


def _check_types(metadata: Mapping[str, Any]) -> Iterator[Fault]:
    for name in _STRINGS:
        if metadata.get(name) is not None and not isinstance(metadata[name], str):
            yield wrong_type(("metadata", name), metadata[name], "string")
    for name in ("labels", "annotations"):
        found = metadata.get(name)
        if found is not None and not isinstance(found, dict):
            yield wrong_type(("metadata", name), found, "object")
            continue
        yield from (
            wrong_type(("metadata", name, key), value, "string") for key, value in (found or {}).items() if not isinstance(value, str)
        )
    others = {"ownerReferences": ("array", list), "managedFields": ("array", list), "generation": ("integer", int)}
    for name, (wanted, kind) in others.items():
        if metadata.get(name) is not None and not isinstance(metadata[name], kind):
            yield wrong_type(("metadata", name), metadata[name], wanted)
    finalizers = metadata.get("finalizers")
    if finalizers is not None and not (isinstance(finalizers, list) and all(isinstance(one, str) for one in finalizers)):
        yield wrong_type(("metadata", "finalizers"), finalizers, "array")


def _check_name(metadata: Mapping[str, Any]) -> Iterator[Fault]:
    name = metadata.get("name") or ""
    if not name and not metadata.get("generateName"):
        yield Fault(("metadata", "name"), REQUIRED, "Required value: name or generateName is required")
    elif len(name) > _MOST_NAME:
        yield invalid(("metadata", "name"), name, f"must be no more than {_MOST_NAME} characters")
    elif name and not re.fullmatch(_SUBDOMAIN, name):
        yield invalid(("metadata", "name"), name, _IS_SUBDOMAIN)
    elif not name and not re.fullmatch(_SUBDOMAIN, f"{metadata['generateName']}x"):
        yield invalid(("metadata", "generateName"), metadata["generateName"], _IS_SUBDOMAIN)


def _check_key(path: tuple[str, ...], key: str) -> Iterator[Fault]:
    """A qualified name: a name, or a DNS subdomain, a slash and a name."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _MOST_NAME or not re.fullmatch(_SUBDOMAIN, prefix)):
        yield invalid(path, key, f"prefix part {_IS_SUBDOMAIN}")
    if not re.fullmatch(_LABEL_NAME, name):
        yield invalid(path, key, _IS_NAME)
    elif len(name) > _MOST_LABEL:
        yield invalid(path, key, "name part must be no more than 63 characters")
