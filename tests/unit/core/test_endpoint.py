"""Endpoint: what is read from its text, what is refused, and what counts as this machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vector.fakes import READ, AsyncToy, FakeTransport, Toy
from vikingdb_core.config import resolve
from vikingdb_core.credentials import NoAuth
from vikingdb_core.endpoint import Endpoint
from vikingdb_core.exceptions import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h.example", Endpoint("https", "h.example")),
        ("  https://h.example/  ", Endpoint("https", "h.example")),
        ("HTTPS://H.Example:443/", Endpoint("https", "h.example")),
        ("http://h.example:80", Endpoint("http", "h.example")),
        ("https://h.example:80", Endpoint("https", "h.example", 80)),
        ("h.example", Endpoint("https", "h.example")),
        ("h.example:8443/gateway", Endpoint("https", "h.example", 8443, "/gateway")),
        ("localhost:8080", Endpoint("https", "localhost", 8080)),
        ("https://h.example/a/b/", Endpoint("https", "h.example", None, "/a/b")),
        ("https://h.example/a%20b", Endpoint("https", "h.example", None, "/a b")),
        ("http://[::1]:8080", Endpoint("http", "::1", 8080)),
        ("http://127.0.0.1:0", Endpoint("http", "127.0.0.1", 0)),
        ("local://", Endpoint("local")),
        ("local://Demo", Endpoint("local", "Demo")),
        ("local:///var/lib/books/", Endpoint("local", "", None, "/var/lib/books")),
        ("local:///My Books", Endpoint("local", "", None, "/My Books")),
        ("local://demo?seed=walkthrough&x=", Endpoint("local", "demo", None, "", (("seed", "walkthrough"), ("x", "")))),
        ("local://?seed=a%20b%26c", Endpoint("local", options=(("seed", "a b&c"),))),
        ("other://Host:9", Endpoint("other", "Host", 9)),
        ("other://[::1]:9", Endpoint("other", "::1", 9)),
        ("other://Host:", Endpoint("other", "Host")),
    ],
)
def test_what_a_text_reads_as(text: str, expected: Endpoint) -> None:
    assert Endpoint.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must be a URL"),
        ("   ", "must be a URL"),
        (None, "must be a URL"),
        (b"https://h.example", "must be a URL"),
        ("https://", "has no host"),
        ("http:///path", "has no host"),
        ("https://h.example:port", "is not a URL"),
        ("https://h.example:65536", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("::1", "is not a URL"),
        ("https://h example", "space or a backslash"),
        ("https://h.example\\@other.example", "credentials|backslash"),
        ("https://h.ex\tample", "space or a backslash"),
        ("https://h.example/a\nb", "space or a backslash"),
        ("https://h.example?a=1", "must not have a query"),
        ("https://h.example#top", "must not have a fragment"),
        ("local://demo#top", "must not have a fragment"),
        ("local:/folder", "one slash after its scheme"),
        ("https:/h.example", "one slash after its scheme"),
        *((text, "a database in memory is 'local://'") for text in (":memory:", "local", "local:", "local://:memory:")),
    ],
)
def test_what_is_no_endpoint_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:PLANTED@h.example",
        "https://PLANTED@h.example",
        "https://:PLANTED@h.example",
        "user:PLANTED@h.example",
        "local://user:PLANTED@demo",
        "https://user:PLANTED@h.example:99999",
        "https://user:PLANTED@[h.example",
        "https://user:PLAN/TED@h.example",
        "https://user:PLANTED@h.exampl\u2100",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint.parse(text)
    assert "PLAN" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h.example:443/a/", "https://h.example/a"),
        ("http://[::1]:8080/a b", "http://[::1]:8080/a%20b"),
        ("https://h.example/书", "https://h.example/%E4%B9%A6"),
        ("local://Demo?seed=a b", "local://Demo?seed=a%20b"),
        ("local:///My Books", "local:///My Books"),
    ],
)
def test_how_an_endpoint_is_shown(text: str, shown: str) -> None:
    assert str(Endpoint.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "netloc"),
    [
        ("https://h.example:443", "h.example"),
        ("https://h.example:8443", "h.example:8443"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://[::1]", "[::1]"),
    ],
)
def test_the_host_header_of_an_endpoint(text: str, netloc: str) -> None:
    assert Endpoint.parse(text).netloc == netloc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://localhost:8080", True),
        ("http://LOCALHOST", True),
        ("http://app.localhost", True),
        ("http://127.0.0.1", True),
        ("https://127.9.9.9:1", True),
        ("http://[::1]:8080", True),
        ("http://0.0.0.0", False),
        ("http://[::2]", False),
        ("http://127.0.0.1.nip.example", False),
        ("http://notlocalhost", False),
        ("http://localhost.example", False),
        ("http://192.168.0.1", False),
        ("local://", False),
        ("local://localhost", False),
        ("other://127.0.0.1", False),
    ],
)
def test_loopback_is_http_to_this_machine_and_nothing_else(text: str, expected: bool) -> None:
    assert Endpoint.parse(text).is_loopback is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("http://h", False), ("https://h", False), ("local://", True), ("other://h", True)]
)
def test_embedded_is_every_scheme_but_http(text: str, expected: bool) -> None:
    endpoint = Endpoint.parse(text)
    assert endpoint.is_embedded is expected
    assert endpoint.is_http is not expected


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://h.example", "https://h.example/read"),
        ("https://h.example/gateway/v2/", "https://h.example/gateway/v2/read"),
        ("https://h.example/a%20b/%E4%B9%A6", "https://h.example/a%20b/%E4%B9%A6/read"),
        ("http://[::1]:8080/p", "http://[::1]:8080/p/read"),
    ],
)
def test_the_prefix_of_an_endpoint_is_kept_on_the_wire(endpoint: str, url: str) -> None:
    wire = FakeTransport()
    Toy(endpoint=endpoint, transport=wire, auth=NoAuth()).call(READ)
    assert wire.requests[0].url == url


def test_the_folder_of_an_embedded_engine_is_no_prefix_of_paths() -> None:
    assert Endpoint.parse("local:///var/lib/books").join("/read") == "/read"


def test_an_unknown_scheme_is_refused_naming_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no transport for ftp:// is installed; .*http://, https://"):
        Toy(endpoint="ftp://h.example", auth=NoAuth())


def test_an_unknown_scheme_is_refused_for_the_control_plane_too() -> None:
    with pytest.raises(ConfigError, match="no transport for ftp://"):
        Toy(endpoint="https://h.example", control_endpoint="ftp://h.example", auth=NoAuth())


def test_an_async_client_without_an_async_transport_says_what_there_is() -> None:
    with pytest.raises(
        ConfigError, match=r"no asynchronous transport for ftp:// .*synchronous client, or pass transport="
    ):
        AsyncToy(endpoint="ftp://h.example", auth=NoAuth())


def test_a_transport_passed_in_carries_any_scheme() -> None:
    wire = FakeTransport()
    Toy(endpoint="ftp://h.example", transport=wire).call(READ)
    assert wire.requests[0].endpoint.scheme == "ftp"


label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
host = st.lists(label, min_size=1, max_size=4).map(".".join) | st.ip_addresses(v=4).map(str)
host |= st.ip_addresses(v=6).map(str)
port = st.none() | st.integers(0, 65535)
readable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/"), min_size=1)
prefix = st.lists(readable, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))
options = st.lists(st.tuples(readable, st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))).map(tuple)
name = st.from_regex(r"[A-Za-z0-9._-]{0,12}", fullmatch=True)

http_endpoints = st.builds(Endpoint, st.sampled_from(["http", "https"]), host, port, prefix)
# Above embedded engines nothing is decoded, so that a folder may be called what it likes except ? and #.
folders = prefix.filter(lambda path: not set(path) & set("?#")).filter(lambda path: path == path.rstrip())
embedded_endpoints = st.builds(Endpoint, st.just("local"), name, st.none(), folders, options)


@given(http_endpoints | embedded_endpoints)
def test_an_endpoint_reads_back_from_what_it_shows(endpoint: Endpoint) -> None:
    if endpoint.port == {"http": 80, "https": 443}.get(endpoint.scheme):
        endpoint = Endpoint(endpoint.scheme, endpoint.host, None, endpoint.prefix)
    assert Endpoint.parse(str(endpoint)) == endpoint


pieces = ["https", "local", "//", "::1", "80", "%41", *":/@[]?#%=&+h书 \\"]
url_like = st.lists(st.sampled_from(pieces), max_size=12).map("".join)


@given(st.text() | url_like)
def test_any_text_is_an_endpoint_or_a_config_error(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except ConfigError:
        return
    assert Endpoint.parse(str(endpoint)) == endpoint


@given(st.text() | url_like)
def test_any_text_in_the_environment_is_an_endpoint_or_names_the_variable(text: str) -> None:
    says = ""
    try:
        source = resolve({}, environ={"VIKINGDB_ENDPOINT": text}).sources["endpoint"]
    except ConfigError as error:
        says = error.message
    assert "VIKINGDB_ENDPOINT" in says or source == ("environment VIKINGDB_ENDPOINT" if text else "default")
