"""From one HTTP request to its response: authenticated, throttled, hit by a fault or performed."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from aiohttp import web

from ..faults.responses import respond
from ..faults.rules import FaultRules, gateway_of
from ..fleets.faults import Fault
from ..protocol import sigv4
from ..protocol.errors import (
    NOT_A_CLIENT,
    AuthenticationError,
    ServiceError,
    unauthenticated,
    unknown_operation,
)
from ..protocol.parser import ParsedRequest, parse
from ..protocol.serializer import HttpResponse, serialize, serialize_error
from ..services.request import Request
from ..services.router import perform
from ..services.web_identity import is_unsigned, unsigned_request
from ..state.backend import Backend
from ..state.token_buckets import TokenBuckets
from .counters import CountedCall, Counters
from .cross_site import cross_site_reason


class RequestHandler:
    """Answers requests from a backend and counts them."""

    def __init__(
        self,
        backend: Backend,
        buckets: TokenBuckets,
        faults: FaultRules,
        counters: Counters,
        now: Callable[[], float],
        host: str,
    ) -> None:
        self._backend, self._buckets, self._faults, self._counters = backend, buckets, faults, counters
        self._now, self._host = now, host

    def handle(self, http: web.BaseRequest, body: bytes) -> tuple[HttpResponse, Fault | None]:
        """The response, and the fault that has hit the call if one has."""
        parsed = parse(http.method, http.path, http.rel_url.raw_query_string, http.headers, body)
        call = CountedCall(parsed.service.name, parsed.operation)
        request_id = str(uuid.uuid4())
        reason = None if "Authorization" in http.headers else cross_site_reason(http.headers, self._host)
        if reason is not None:
            # Nothing of it is counted: a page of another site must change nothing here.
            denied = parsed.service.denied
            refused = ServiceError(denied.code, f"An unsigned request was refused: {reason}", denied.status)
            return serialize_error(parsed.service, refused, request_id), None
        fault = None
        try:
            request = self._authenticate(http, parsed, body, call)
            self._buckets.charge(parsed.service, parsed.operation, call.account_id, call.region)
            fault = self._faults.choose(request)
            if fault is not None:
                response = respond(fault, request, perform, request_id)
            else:
                response = serialize(parsed.service, parsed.operation, perform(request), request_id)
        except AuthenticationError as error:
            response = serialize_error(parsed.service, unauthenticated(parsed.service, error), request_id)
        except ServiceError as error:
            response = serialize_error(parsed.service, error, request_id)
        self._counters.record(call, response.status)
        return response, fault

    def _authenticate(
        self, http: web.BaseRequest, parsed: ParsedRequest, body: bytes, call: CountedCall
    ) -> Request:
        """The request with its principal; fills in what is learnt about the call on the way."""
        if not parsed.service.supported:
            raise unknown_operation(parsed.service, parsed.operation)
        now = self._now()
        if is_unsigned(parsed):
            request = unsigned_request(self._backend, parsed, now)
            call.account_id = request.account_id
            return request
        signature = sigv4.read_signature(http.headers)
        call.region = signature.region
        credentials = self._backend.credentials
        try:
            principal = credentials.authenticate(signature.key_id, signature.token, now)
        except AuthenticationError:
            self._counters.mismatches += credentials.has_token_of_another(signature.key_id, signature.token)
            raise
        call.account_id = principal.account_id
        self._verify(signature, principal.secret, http, parsed, body, now)
        if not self._backend.is_enabled(parsed.service.name, principal.account_id, signature.region):
            raise AuthenticationError("unknown", NOT_A_CLIENT)
        if parsed.params is None:
            raise ServiceError("SerializationException", "The request body is not a JSON object.")
        request = Request(
            self._backend, parsed.service, parsed.operation, signature.region, principal, parsed.params, now
        )
        self._counters.mismatches += _names_another_account(request)
        return request

    def _verify(
        self,
        signature: sigv4.Signature,
        secret: str,
        http: web.BaseRequest,
        parsed: ParsedRequest,
        body: bytes,
        now: float,
    ) -> None:
        """Raises AuthenticationError unless the request was signed just so, for this service, just now."""
        sigv4.check_time(signature, now, parsed.service.clock_minutes)
        if signature.region not in self._backend.regions:
            raise AuthenticationError("signature", "Credential should be scoped to a valid region. ")
        if signature.service != parsed.service.name:
            raise AuthenticationError(
                "signature", f"Credential should be scoped to correct service: '{parsed.service.name}'. "
            )
        try:
            sigv4.check_signature(signature, secret, http.method, http.raw_path, http.headers, body)
        except AuthenticationError:
            self._counters.mismatches += 1
            raise


def _names_another_account(request: Request) -> bool:
    """Whether a call is about a gateway of an account other than its principal's."""
    arn = gateway_of(request) if request.service.name == "storagegateway" else None
    return arn is not None and arn.count(":") >= 5 and arn.split(":")[4] != request.account_id
