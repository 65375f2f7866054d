"""Routing: where each plane goes, and which credentials may travel there."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.unit.vector.fakes import MANAGE, READ, FakeTransport, Toy
from vikingdb_core.credentials import IAM, APIKey, Auth, HeaderAuth, NoAuth, Scope
from vikingdb_core.domain import Domain
from vikingdb_core.exceptions import ConfigError, MissingCredentials
from vikingdb_core.messages import Request
from vikingdb_core.routing import InsecureTransportWarning, RegionMismatchWarning
from vikingdb_vector.client import VikingDB
from vikingdb_vector.domain import DOMAIN

KEYS = {"VIKINGDB_AK": "AKAMBIENT", "VIKINGDB_SK": "SKAMBIENT"}
TOKEN_BY_PROVIDER = IAM(provider=type("Provider", (), {"load": lambda self: None})())


class Badge(Auth):
    """A stranger's scheme; nothing is known of it."""

    def sign(self, request: Request, scope: Scope) -> Request:
        return request.with_headers({"X-Badge": "PLANTED"})


def planes(client: Toy | VikingDB) -> tuple[str, str]:
    """Where the data plane and the control plane go."""
    endpoints = client._runtime.endpoints
    return str(endpoints["data"]), str(endpoints["control"])


@pytest.mark.parametrize(
    ("options", "data", "control"),
    [
        ({}, "api-vikingdb.vikingdb.cn-beijing.volces.com", "vikingdb.cn-beijing.volcengineapi.com"),
        (
            {"region": "cn-shanghai"},
            "api-vikingdb.vikingdb.cn-shanghai.volces.com",
            "vikingdb.cn-shanghai.volcengineapi.com",
        ),
        (
            {"region": "cn-guangzhou"},
            "api-vikingdb.vikingdb.cn-guangzhou.volces.com",
            "vikingdb.cn-guangzhou.volcengineapi.com",
        ),
        (
            {"region": "ap-southeast-1"},
            "api-vikingdb.vikingdb.ap-southeast-1.volces.com",
            "vikingdb.ap-southeast-1.volcengineapi.com",
        ),
        (
            {"endpoint": "https://api-vikingdb.vikingdb.cn-shanghai.volces.com", "region": "cn-shanghai"},
            "api-vikingdb.vikingdb.cn-shanghai.volces.com",
            "vikingdb.cn-shanghai.volcengineapi.com",
        ),
        (
            {"host": "api-vikingdb.vikingdb.ap-southeast-1.bytepluses.com"},
            "api-vikingdb.vikingdb.ap-southeast-1.bytepluses.com",
            "vikingdb.ap-southeast-1.byteplusapi.com",
        ),
        (
            {"endpoint": "https://API-VikingDB.vikingdb.cn-beijing.volces.com:443/"},
            "api-vikingdb.vikingdb.cn-beijing.volces.com",
            "vikingdb.cn-beijing.volcengineapi.com",
        ),
    ],
)
def test_a_documented_data_host_has_the_control_host_of_its_own_site(
    options: dict[str, str], data: str, control: str
) -> None:
    assert planes(VikingDB(auth=NoAuth(), **options)) == (f"https://{data}", f"https://{control}")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:8080",
        "http://[::1]:8080/gateway",
        "https://localhost",
        "https://vikingdb.internal.example/prefix",
        "https://10.0.0.7",
        "https://api-vikingdb.vikingdb.cn-beijing.volces.com.evil.example",
    ],
)
def test_any_other_host_serves_both_planes(endpoint: str) -> None:
    assert planes(VikingDB(endpoint=endpoint, auth=NoAuth())) == (endpoint, endpoint)


def test_an_embedded_engine_serves_both_planes() -> None:
    client = VikingDB(endpoint="local://demo", transport=FakeTransport())
    assert planes(client) == ("local://demo", "local://demo")


@pytest.mark.parametrize("endpoint", [None, "https://other.example", "http://127.0.0.1:1"])
def test_a_control_endpoint_given_is_used_whatever_the_data_plane_is(endpoint: str | None) -> None:
    client = VikingDB(endpoint=endpoint, control_endpoint="https://control.example/p", auth=NoAuth())
    assert planes(client)[1] == "https://control.example/p"


SHANGHAI = "https://api-vikingdb.vikingdb.cn-shanghai.volces.com"


@pytest.mark.parametrize(
    ("options", "region", "source"),
    [
        ({"endpoint": SHANGHAI}, "cn-shanghai", "the endpoint's own"),
        ({"host": "api-vikingdb.vikingdb.ap-southeast-1.bytepluses.com"}, "ap-southeast-1", "the endpoint's own"),
        ({"endpoint": SHANGHAI, "region": "cn-shanghai"}, "cn-shanghai", "argument"),
        ({"endpoint": "https://vikingdb.internal.example"}, "cn-beijing", "default"),
        ({"endpoint": "http://127.0.0.1:8080"}, "cn-beijing", "default"),
    ],
)
def test_a_signature_is_for_the_region_of_a_documented_host_unless_another_is_given(
    options: dict[str, str], region: str, source: str
) -> None:
    wire = FakeTransport()
    client = VikingDB(auth=IAM("AKDEMO", "SKDEMO"), transport=wire, **options)
    client.ping()
    assert f"/{region}/vikingdb/request" in wire.requests[0].headers["Authorization"]
    assert (client.config.region, client.config.sources["region"]) == (region, source)


def test_a_region_that_is_not_the_endpoints_is_warned_of_and_used() -> None:
    with pytest.warns(RegionMismatchWarning, match="in region cn-shanghai.*signed for cn-beijing"):
        client = VikingDB(endpoint=SHANGHAI, region="cn-beijing", auth=IAM("AKDEMO", "SKDEMO"))
    assert client.config.region == "cn-beijing"


def test_a_config_shows_the_endpoints_that_follow_from_the_region() -> None:
    shown = VikingDB(region="cn-shanghai", auth=NoAuth()).config.explain()
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in shown.splitlines()}
    assert rows["endpoint"] == [SHANGHAI, "the region's own"]
    assert rows["control_endpoint"] == ["https://vikingdb.cn-shanghai.volcengineapi.com", "follows endpoint"]


def test_requests_go_where_their_plane_is_and_are_signed_for_it() -> None:
    wire = FakeTransport()
    client = Toy(region="here", transport=wire, auth=IAM("AKDEMO", "SKDEMO"))
    client.call(READ)
    client.call(MANAGE)
    data, control = wire.requests
    assert (data.url, data.headers["Host"]) == ("https://data.here.example/read", "data.here.example")
    assert (control.url, control.headers["Host"]) == (
        "https://control.here.example/?Action=Manage",
        "control.here.example",
    )
    assert "/here/toy/request" in data.headers["Authorization"]
    assert "/here/toy-admin/request" in control.headers["Authorization"]


def test_an_unknown_region_without_an_endpoint_is_refused_naming_those_there_are() -> None:
    known = "ap-southeast-1, cn-beijing, cn-guangzhou, cn-shanghai"
    with pytest.raises(ConfigError, match=rf"region 'cn-hangzhou'; pass endpoint=…, or one of the regions: {known}"):
        VikingDB(region="cn-hangzhou", auth=NoAuth())
    assert VikingDB(region="cn-hangzhou", endpoint="https://h.example", auth=NoAuth()).config.region == "cn-hangzhou"


def test_a_domain_without_sites_needs_an_endpoint() -> None:
    class Homeless(Toy):
        domain = Domain("homeless", "Homeless", "homeless", (READ,), {"data": "homeless"})

    with pytest.raises(ConfigError, match="the homeless domain names no place where its service runs; pass endpoint="):
        Homeless(auth=NoAuth())
    assert Homeless(endpoint="https://h.example", auth=NoAuth())._runtime.endpoints.keys() == {"data"}


def test_no_two_sites_share_a_host() -> None:
    hosts = [host for site in DOMAIN.sites for host in site.hosts.values()]
    assert len(set(hosts)) == len(hosts)
    for site in DOMAIN.sites:
        assert site.hosts.keys() == DOMAIN.planes.keys()


SECRETS = [
    pytest.param(APIKey("KEYDEMO"), id="api key"),
    pytest.param(HeaderAuth({"X-Top-User-Id": "1"}), id="header"),
    pytest.param(IAM("AKDEMO", "SKDEMO", "STSDEMO"), id="session token"),
    pytest.param(TOKEN_BY_PROVIDER, id="provider, which may bring a session token"),
    pytest.param(Badge(), id="a stranger's"),
]


@pytest.mark.parametrize("auth", SECRETS)
def test_a_secret_does_not_travel_unencrypted_to_another_machine(auth: Auth) -> None:
    with pytest.raises(ConfigError, match=r"would send a secret to http://h\.example unencrypted; use https"):
        Toy(endpoint="http://h.example", auth=auth)
    with pytest.raises(ConfigError, match="unencrypted"):
        Toy(endpoint="https://h.example", control_endpoint="http://control.example", auth=auth)
    with pytest.raises(ConfigError, match="unencrypted"):
        Toy(host="h.example", scheme="http", auth=auth)


def test_a_session_token_of_the_client_does_not_travel_unencrypted_either() -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        Toy(endpoint="http://h.example", auth=IAM("AKDEMO", "SKDEMO"), sts_token="STSDEMO")


@pytest.mark.parametrize("auth", SECRETS)
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]", "https://h.example"])
def test_a_secret_may_travel_encrypted_and_on_this_machine(auth: Auth, endpoint: str) -> None:
    Toy(endpoint=endpoint, auth=auth)


@pytest.mark.parametrize("auth", SECRETS)
def test_whoever_says_so_may_send_a_secret_unencrypted_and_is_warned(auth: Auth) -> None:
    with pytest.warns(InsecureTransportWarning, match=r"http://h\.example travel unencrypted"):
        Toy(endpoint="http://h.example", auth=auth, allow_insecure=True)


def test_signatures_over_plain_http_are_warned_of_once_where_the_client_is_built() -> None:
    with pytest.warns(InsecureTransportWarning) as warned:
        Toy(host="h.example", scheme="http", auth=IAM("AKDEMO", "SKDEMO"))
    assert [Path(each.filename) for each in warned] == [Path(__file__)]


@pytest.mark.parametrize(
    ("endpoint", "auth"),
    [
        ("http://h.example", NoAuth()),
        ("http://127.0.0.1", IAM("AKDEMO", "SKDEMO")),
        ("https://h.example", IAM("AKDEMO", "SKDEMO")),
    ],
)
def test_nothing_is_warned_of_where_nothing_can_be_read(endpoint: str, auth: Auth) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Toy(endpoint=endpoint, auth=auth)


AMBIENT = [KEYS, {"VIKINGDB_API_KEY": "KEYAMBIENT"}, {**KEYS, "VIKINGDB_SESSION_TOKEN": "STSAMBIENT"}]


@pytest.mark.parametrize("variables", AMBIENT)
@pytest.mark.parametrize("endpoint", ["local://", "local://demo", "local:///folder", "http://[::1]:80", "localhost"])
def test_credentials_of_the_environment_never_go_to_this_machine(
    endpoint: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    wire = FakeTransport()
    client = Toy(endpoint=endpoint, transport=wire)
    client.call(READ)
    client.call(MANAGE)
    for request in wire.requests:
        assert not {"Authorization", "X-Security-Token"} & set(request.headers)
        assert "AMBIENT" not in str(dict(request.headers))


def test_credentials_of_the_environment_are_not_sent_to_a_control_plane_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    options = {"region": "here", "control_endpoint": "http://127.0.0.1:8080"}
    with pytest.raises(MissingCredentials, match=r"not sent to http://127\.0\.0\.1:8080; pass auth="):
        Toy(**options)
    Toy(auth=IAM("AKDEMO", "SKDEMO"), **options)


def test_credentials_passed_in_do_go_to_this_machine() -> None:
    wire = FakeTransport()
    Toy(endpoint="http://127.0.0.1", transport=wire, auth=APIKey("KEYDEMO")).call(READ)
    assert wire.requests[0].headers["Authorization"] == "Bearer KEYDEMO"
