"""Transports that break one promise each."""

from __future__ import annotations

import gzip
import netrc
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_vikingdb import TransportContract
from vikingdb_core.effects import StreamedResponse, Timeouts
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import APIError, ConnectError, ConnectionLost, RequestTimeout
from vikingdb_core.messages import Headers, Request, Response
from vikingdb_core.transport import TransportSettings
from vikingdb_core.transport.https import RequestsTransport


class Honest:
    """Breaks nothing; the others differ from it by a line."""

    def __init__(self) -> None:
        self.inner = RequestsTransport(TransportSettings())

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        return self.inner.send(request, timeouts)

    def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
        return self.inner.stream(request, timeouts)

    def close(self) -> None:
        self.inner.close()


class HonestContract(TransportContract):
    transport: Callable[[], Any] = Honest

    def make_transport(self, endpoint: Endpoint) -> Any:
        return type(self).transport()


class TestHonest(HonestContract):
    pass


class QuickContract(HonestContract):
    """Without the tests that wait; those are for liars about time."""


QuickContract._leave_out(
    {
        "test_a_server_that_falls_silent_is_a_timeout",
        "test_a_server_that_trickles_does_not_outlast_the_attempt",
        "test_a_stream_that_falls_silent_times_out",
    }
)


class TestFollowsRedirects(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request, timeouts)
            if 300 <= response.status < 400:
                return self.inner.send(replace(request, path=response.headers["Location"]), timeouts)
            return response


class TestOptimist(QuickContract):
    class transport(Honest):
        """Says of what may have arrived that it was never sent: an unsafe call would be made twice."""

        def send(self, request: Request, timeouts: Timeouts) -> Response:
            try:
                return self.inner.send(request, timeouts)
            except ConnectionLost as error:
                error.sent = False
                raise


class TestPessimist(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            try:
                return self.inner.send(request, timeouts)
            except ConnectError as error:
                raise ConnectionLost("lost") from error


class TestErrorsOfItsOwn(HonestContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            try:
                return self.inner.send(request, timeouts)
            except RequestTimeout as error:
                raise TimeoutError("late") from error


class TestTriesAgain(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            try:
                return self.inner.send(request, timeouts)
            except ConnectionLost:
                return self.inner.send(request, timeouts)


class TestShowsHeaders(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            try:
                return self.inner.send(request, timeouts)
            except ConnectionLost as error:
                raise ConnectionLost(f"{error} {dict(request.headers)}") from error


class TestRaisesForStatus(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request, timeouts)
            if response.status == 404:
                raise APIError("no", status_code=404)
            return response


class TestAddsHeaders(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            return self.inner.send(request.with_headers({"X-Sdk": "1"}), timeouts)


class TestTidiesHeaders(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            tidy = {name: " ".join(value.split()) for name, value in request.headers.items()}
            return self.inner.send(replace(request, headers=Headers(tidy)), timeouts)


class TestTidiesAddresses(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            return self.inner.send(replace(request, path=request.path.replace("/..", "")), timeouts)


class TestTidiesBodies(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            return self.inner.send(replace(request, body=request.body.strip()), timeouts)


class TestWritesUtf8(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            longer = {name: value.encode().decode("latin-1") for name, value in request.headers.items()}
            return self.inner.send(replace(request, headers=Headers(longer)), timeouts)


class TestDescribesNothing(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            return self.inner.send(request.with_headers({"Content-Type": "application/json"}), timeouts)


class TestCutsShort(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request, timeouts)
            return replace(response, body=response.body[:65536])


class TestMutableBodies(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request, timeouts)
            return replace(response, body=bytearray(response.body))


class TestWantsLengths(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request, timeouts)
            if "Content-Length" not in response.headers:
                raise ConnectionLost(f"{request.endpoint.origin} did not say how much it sends")
            return response


class TestLeavesCompressed(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request.with_headers({"Accept-Encoding": "gzip"}), timeouts)
            if response.headers.get("Content-Encoding") == "gzip":
                return replace(response, body=gzip.compress(response.body))
            return response


class TestMarksRequests(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = self.inner.send(request, timeouts)
            object.__setattr__(request, "body", request.body + b" ")
            return response


class TestStaysInItsThread(QuickContract):
    class transport(Honest):
        def __init__(self) -> None:
            super().__init__()
            self.thread = threading.get_ident()

        def send(self, request: Request, timeouts: Timeouts) -> Response:
            if threading.get_ident() != self.thread:
                raise ConnectError("made in another thread")
            return self.inner.send(request, timeouts)


class TestReadsNetrc(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            if "NETRC" in os.environ:
                found = netrc.netrc(os.environ["NETRC"]).authenticators(request.endpoint.host)
                return self.inner.send(request.with_headers({"Authorization": f"Basic {found}"}), timeouts)
            return self.inner.send(request, timeouts)


class TestKnowsTheContract(QuickContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            if request.headers["User-Agent"].startswith("vikingdb"):
                raise ConnectError("a real client")
            return self.inner.send(request, timeouts)


class TestKeepsCookies(QuickContract):
    class transport(Honest):
        cookie = ""

        def send(self, request: Request, timeouts: Timeouts) -> Response:
            kept = request.with_headers({"Cookie": self.cookie}) if self.cookie else request
            response = self.inner.send(kept, timeouts)
            self.cookie = response.headers.get("Set-Cookie", "")
            return response


class TestIgnoresTime(HonestContract):
    class transport(Honest):
        def send(self, request: Request, timeouts: Timeouts) -> Response:
            opened = self.inner.stream(request, timeouts)
            if isinstance(opened, Response):
                return opened
            return Response(opened.status, opened.headers, b"".join(opened))


class TestMixesAnswers(QuickContract):
    class transport(Honest):
        def __init__(self) -> None:
            super().__init__()
            self.all_here = threading.Barrier(8)

        def send(self, request: Request, timeouts: Timeouts) -> Response:
            self.last = self.inner.send(request, timeouts)
            if b"mark-" in request.body:
                self.all_here.wait(10)
            return self.last


class TestOpensAgain(QuickContract):
    class transport(Honest):
        def close(self) -> None:
            self.inner.close()
            self.inner = RequestsTransport(TransportSettings())


class TestClosesOnce(QuickContract):
    class transport(Honest):
        def close(self) -> None:
            if self.inner._closed:
                raise ConnectError("closed already")
            self.inner.close()


class TestReadsAhead(HonestContract):
    patience_seconds = 3.0  # it waits in vain

    class transport(Honest):
        def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
            opened = self.inner.stream(request, timeouts)
            if isinstance(opened, Response):
                return opened
            return StreamedResponse(opened.status, opened.headers, iter([b"".join(opened)]), opened.close)


class TestKeepsStreamsOpen(QuickContract):
    patience_seconds = 3.0

    class transport(Honest):
        def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
            opened = self.inner.stream(request, timeouts)
            if isinstance(opened, Response):
                return opened
            self.kept = opened
            return StreamedResponse(opened.status, opened.headers, opened.chunks, lambda: None)


class TestStreamsErrors(QuickContract):
    class transport(Honest):
        def stream(self, request: Request, timeouts: Timeouts) -> StreamedResponse | Response:
            opened = self.inner.stream(request, timeouts)
            if isinstance(opened, StreamedResponse):
                return opened
            return StreamedResponse(opened.status, opened.headers, iter([opened.body]), lambda: None)


class TestEndpointWithoutReason(QuickContract):
    endpoint = "https://vikingdb.example"


BREAKS = {
    "TestFollowsRedirects": {"test_a_redirect_is_not_followed"},
    "TestOptimist": {"test_a_connection_that_breaks_may_have_been_processed"},
    "TestPessimist": {"test_a_refused_connection_was_never_sent"},
    "TestErrorsOfItsOwn": {
        "test_a_server_that_falls_silent_is_a_timeout",
        "test_a_server_that_trickles_does_not_outlast_the_attempt",
    },
    "TestTriesAgain": {"test_a_connection_that_breaks_may_have_been_processed", "test_a_failure_leaves_it_usable"},
    "TestShowsHeaders": {"test_a_failure_shows_no_header_and_keeps_its_cause"},
    "TestRaisesForStatus": {"test_an_answer_that_is_no_success_is_a_response"},
    "TestAddsHeaders": {"test_headers_arrive_byte_for_byte"},
    "TestTidiesHeaders": {"test_headers_arrive_byte_for_byte"},
    "TestTidiesAddresses": {"test_the_address_is_sent_as_it_was_signed"},
    "TestTidiesBodies": {"test_a_body_arrives_byte_for_byte"},
    "TestWritesUtf8": {"test_a_header_beyond_ascii_travels_as_latin_1"},
    "TestDescribesNothing": {"test_a_get_has_no_body"},
    "TestCutsShort": {"test_a_response_arrives_whole"},
    "TestMutableBodies": {"test_a_response_is_a_status_headers_and_bytes"},
    "TestWantsLengths": {"test_a_body_without_a_length_arrives_whole"},
    "TestLeavesCompressed": {"test_a_compression_it_asks_for_it_can_read"},
    "TestMarksRequests": {"test_sending_leaves_the_request_as_it_was"},
    "TestStaysInItsThread": {
        "test_it_may_be_used_elsewhere_than_it_was_built",
        "test_threads_get_their_own_answers",
    },
    "TestReadsNetrc": {"test_netrc_does_not_touch_the_authorization"},
    "TestKnowsTheContract": {"test_a_client_calls_by_it"},
    "TestKeepsCookies": {"test_cookies_are_not_kept"},
    "TestIgnoresTime": {"test_a_server_that_trickles_does_not_outlast_the_attempt"},
    "TestMixesAnswers": {"test_threads_get_their_own_answers"},
    "TestOpensAgain": {"test_a_closed_one_refuses_to_send"},
    "TestClosesOnce": {"test_a_closed_one_refuses_to_send", "test_one_that_was_never_used_can_be_closed"},
    "TestReadsAhead": {
        "test_each_piece_is_read_before_the_next_is_sent",
        "test_a_stream_closed_early_lets_its_connection_go",
        "test_a_stream_that_breaks_off_says_so",
        "test_a_stream_that_falls_silent_times_out",
    },
    "TestKeepsStreamsOpen": {"test_a_stream_closed_early_lets_its_connection_go"},
    "TestStreamsErrors": {"test_a_stream_has_the_same_bytes"},
    "TestEndpointWithoutReason": {"test_it_uses_a_network_or_says_why_not"},
}
