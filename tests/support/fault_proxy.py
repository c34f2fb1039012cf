"""A store that fails as real ones do: passes each request on to the real one, but for those that a rule refuses, delays, loses or ages."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

ANY: Final = "*"
_VERBS: Final = {"GET": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Post", "HEAD": "Head"}
_SETTINGS: Final = {
    "tagging": "BucketTagging",
    "policy": "BucketPolicy",
    "versioning": "BucketVersioning",
    "encryption": "BucketEncryption",
    "lifecycle": "BucketLifecycle",
    "publicAccessBlock": "PublicAccessBlock",
    "ownershipControls": "OwnershipControls",
    "acl": "BucketAcl",
    "website": "BucketWebsite",
    "location": "BucketLocation",
    "versions": "ObjectVersions",
    "uploads": "Uploads",
}
_HOP: Final = ("connection", "keep-alive", "transfer-encoding", "expect")


@dataclass(frozen=True)
class Asked:
    """One request. `action` is IAM's or STS's own word, or for S3 as GetBucketTagging, PutObject, CreateBucket, DeleteBucket."""

    method: str
    target: str
    action: str
    bucket: str = ""
    key: str = ""
    user: str = ""
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def writes(self) -> bool:
        """Whether it changes something or tries to."""
        return not self.action.startswith(("Get", "List", "Head"))


@dataclass(frozen=True)
class Answer:
    """What the store says."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


@dataclass(eq=False)
class Rule:
    """What becomes of the requests that it is about, until it is lifted, or has been used `times`, or its seconds are over."""

    action: str = ANY
    bucket: str = ANY
    user: str = ANY
    times: int | None = None
    until: float | None = None
    refuses: tuple[int, str] | None = None
    shows: bytes | None = None
    """A page with which somebody else answers, as well as if all were well."""
    delays: float = 0.0
    does: Callable[[], None] | None = None
    """Something that happens in the moment before the request reaches the store."""
    loses_answer: bool = False
    ages: float = 0.0
    """For so many seconds after a write, a question that was asked before it is answered as it was then."""
    used: int = 0

    def is_about(self, asked: Asked) -> bool:
        """Names match as a whole, or by their beginning where the rule's ends in `*`."""
        pairs = ((self.action, asked.action), (self.bucket, asked.bucket), (self.user, asked.user))
        return all(found.startswith(want[:-1]) if want.endswith(ANY) else found == want for want, found in pairs)

    def is_in_force(self, now: float) -> bool:
        return (self.times is None or self.used < self.times) and (self.until is None or now < self.until)


class FaultProxy:
    """`with FaultProxy(store.endpoint) as proxy:` has an `endpoint` of its own; `proxy.add(Rule(…))` until `proxy.lift(rule)`."""

    def __init__(self, endpoint: str) -> None:
        self._target = endpoint
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._written: dict[str, float] = {}
        self._known: dict[tuple[str, bytes], tuple[float, Answer]] = {}
        self.asked: list[Asked] = []
        self.adds: tuple[tuple[str, str], ...] = ()
        """Headers that every request has besides when it reaches the store."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="fault-proxy", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody answers at the endpoint any more."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()

    def point_at(self, endpoint: str) -> None:
        """Another store answers here from now on."""
        self._target = endpoint

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def lift(self, *rules: Rule) -> None:
        with self._lock:
            self._rules = [rule for rule in self._rules if rule not in rules]

    def is_asked(self, action: str, *, since: int = 0, bucket: str = ANY) -> bool:
        """Whether a request went by, of those after the first `since`."""
        rule = Rule(action, bucket)
        return any(rule.is_about(asked) for asked in self.asked[since:])

    def handle(self, asked: Asked, send: Callable[[str], Answer]) -> Answer | None:
        """The answer to one request, None where it is lost on its way back."""
        rules = self._take_rules(asked)
        time.sleep(max((rule.delays for rule in rules), default=0.0))
        for rule in rules:
            if rule.does is not None:
                rule.does()
        refusal = next((rule.refuses for rule in rules if rule.refuses), None)
        if refusal is not None:
            return refuse(asked, *refusal)
        page = next((rule.shows for rule in rules if rule.shows is not None), None)
        if page is not None:
            return Answer(200, (("Content-Type", "text/html"),), page)
        aged = self._old_answer(asked, max((rule.ages for rule in rules), default=0.0))
        answer = aged or send(self._target)
        self._note(asked, answer, is_aged=aged is not None)
        return None if any(rule.loses_answer for rule in rules) else answer

    def _take_rules(self, asked: Asked) -> list[Rule]:
        with self._lock:
            self.asked.append(asked)
            found = [rule for rule in self._rules if rule.is_in_force(time.monotonic()) and rule.is_about(asked)]
            for rule in found:
                rule.used += 1
        return found

    def _old_answer(self, asked: Asked, ages: float) -> Answer | None:
        if asked.writes or not ages:
            return None
        with self._lock:
            written = self._written.get(_subject(asked), 0.0)
            at, answer = self._known.get((asked.target, asked.body), (0.0, None))
        return answer if at < written and time.monotonic() - written < ages else None

    def _note(self, asked: Asked, answer: Answer, *, is_aged: bool) -> None:
        with self._lock:
            if asked.writes:
                self._written[_subject(asked)] = time.monotonic()
            elif not is_aged:
                self._known[(asked.target, asked.body)] = (time.monotonic(), answer)


def _subject(asked: Asked) -> str:
    return asked.user or asked.bucket


def refuse(asked: Asked, status: int, code: str) -> Answer:
    """An error in the words of S3 or of IAM; a HEAD has no body."""
    error = f"<Code>{code}</Code><Message>{code} by a rule of the test</Message>"
    is_form = asked.method == "POST" and bool(asked.body)
    body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>" if is_form else f"<Error>{error}</Error>"
    return Answer(status, (("Content-Type", "application/xml"),), b"" if asked.method == "HEAD" else body.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """Of more connections at once than the usual five, the kernel lets those that come after wait for a second or three."""
    proxy: FaultProxy

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[object] = set()
        super().__init__(address, handler)

    def process_request(self, request: object, client_address: object) -> None:
        self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        self._open.discard(request)
        super().shutdown_request(request)  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for request in tuple(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(2)  # type: ignore[attr-defined]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        body = self._read_body()
        asked = _parse(self.command, self.path, body, is_form="x-www-form-urlencoded" in self.headers.get("Content-Type", ""))
        asked = replace(asked, headers=tuple(self.headers.items()))
        answer = self.server.proxy.handle(asked, lambda target: self._send(target, body))
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        length = next((value for name, value in answer.headers if name.lower() == "content-length"), None)
        if length is None:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names of the base class

    def _read_body(self) -> bytes:
        """Stock clients send objects in chunks where they speak over TLS."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            """Trailers."""
        return body

    def _send(self, target: str, body: bytes) -> Answer:
        """To the real store; the Host stays as it was signed."""
        place = urlsplit(target)
        wire = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        try:
            wire.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            length = (("Content-Length", str(len(body))),) if "Transfer-Encoding" in self.headers else ()
            for name, value in (*self.headers.items(), *self.server.proxy.adds, *length):
                if name.lower() not in _HOP:
                    wire.putheader(name, value)
            wire.endheaders(body or None)
            found = wire.getresponse()
            headers = tuple((name, value) for name, value in found.getheaders() if name.lower() not in _HOP)
            return Answer(found.status, headers, found.read())
        finally:
            wire.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        """Not on stderr: `asked` has it."""


def _parse(method: str, target: str, body: bytes, *, is_form: bool) -> Asked:
    if is_form:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        return Asked(method, target, form.get("Action", ""), user=form.get("UserName", ""), body=body)
    place = urlsplit(target)
    bucket, _, key = unquote(place.path).lstrip("/").partition("/")
    asked = parse_qs(place.query, keep_blank_values=True)
    return Asked(method, target, _action(method, key, tuple(asked), has_bucket=bool(bucket)), bucket, key, body=body)


def _action(method: str, key: str, asked: tuple[str, ...], *, has_bucket: bool) -> str:
    if key:
        return f"{_VERBS[method]}Object"
    setting = next((_SETTINGS[name] for name in asked if name in _SETTINGS), "")
    if setting:
        return f"{_VERBS[method]}{setting}"
    if not has_bucket:
        return "ListBuckets"
    return {"PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket", "POST": "DeleteObjects"}.get(method, "ListObjects")
