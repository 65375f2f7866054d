"""What ``vikingdb-local serve`` refuses before it starts: options that do not fit, and keys that are none."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.server import CERTIFICATE
from vikingdb_local.command import main
from vikingdb_local.server import serving

SECRET = "SECRETVALUE"
KEYS = ("--access-key", "a", "--secret-key", SECRET)


@pytest.fixture(autouse=True)
def nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise AssertionError("it starts")

    monkeypatch.setattr(serving, "LocalTransport", start)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    return Refused(capsys)


class Refused:
    """What is said to arguments that are refused; never a secret."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        assert main(["serve", "--port", "0", *arguments]) == 1
        printed = self._capsys.readouterr()
        assert printed.out == ""
        assert SECRET not in printed.err
        assert printed.err.count("\n") == 1
        return printed.err


@pytest.mark.parametrize(
    "option",
    ["host", "data", "seed", "embedder", "tos", "tls-cert", "tls-key", "api-key", "keys", "region", "fault"],
)
def test_an_empty_option_is_not_taken_for_one_that_was_left_out(refused: Refused, option: str) -> None:
    assert f"--{option} is empty" in refused(f"--{option}", "", *KEYS)


@pytest.mark.parametrize("name", ["ACCESS_KEY", "SECRET_KEY", "SESSION_TOKEN", "API_KEY"])
def test_neither_is_an_empty_variable(refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"VIKINGDB_LOCAL_{name}", "")
    assert f"VIKINGDB_LOCAL_{name} is empty" in refused()


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "-inf"])
def test_a_clock_that_may_be_off_by_no_number_is_refused(refused: Refused, seconds: str) -> None:
    assert f"--skew-seconds {seconds}: must be a number" in refused(*KEYS, f"--skew-seconds={seconds}")


@pytest.mark.parametrize("option", ["--region", "--skew-seconds"])
def test_what_is_about_signatures_needs_keys_that_sign(refused: Refused, option: str) -> None:
    assert f"{option} is of no effect without" in refused(option, "5", "--api-key", "a")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--api-key", f"{SECRET}é"),
        ("--api-key", f" {SECRET}"),
        ("--api-key", f"{SECRET}\n"),
        ("--api-key", f"{SECRET}\x7f"),
        ("--access-key", f"{SECRET}/a"),
        ("--access-key", f"{SECRET},a"),
        ("--access-key", f"{SECRET};a"),
        ("--secret-key", f"{SECRET}\n"),
        ("--secret-key", f"{SECRET}\udcff"),
        ("--session-token", f"{SECRET} a"),
    ],
)
def test_a_key_that_no_request_can_bear_is_refused_and_not_shown(refused: Refused, option: str, value: str) -> None:
    said = refused(*KEYS, option, value)
    assert option in said
    assert "no request can bear" in said or "no UTF-8" in said


def test_neither_is_one_of_the_environment(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIKINGDB_LOCAL_API_KEY", f"{SECRET}\udcff")
    assert "VIKINGDB_LOCAL_API_KEY has a" in refused()


@pytest.mark.parametrize("option", ["--data", "--tos", "--embedder", "--tls-cert"])
def test_text_that_is_no_utf_8_is_refused(refused: Refused, option: str) -> None:
    assert f"{option} is no UTF-8" in refused(option, "/x/\udcff")


@pytest.mark.parametrize("host", ["é..x", "x" * 80])
def test_a_host_that_can_be_none_is_refused(refused: Refused, host: str) -> None:
    assert f"cannot listen on {host}" in refused("--host", host, *KEYS)


def test_a_file_of_keys_that_is_nested_without_end_is_refused(refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text("a = " + "[" * 3000 + "]" * 3000)
    assert "is no TOML" in refused("--keys", str(file))


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("500&fault=429", "fault is given twice"),
        ("500:0.1&latency_ms=5&latency_ms=500", "latency_ms is given twice"),
        ("500:0.1&fault_on=vector.data.upsrt", "Did you mean 'vector.data.upsert'"),
        ("latencyms=20", "there is no fault 'latencyms=20'"),
    ],
)
def test_faults_that_make_no_sense_are_refused(refused: Refused, fault: str, why: str) -> None:
    assert why in refused("--fault", fault)


# --- TLS ------------------------------------------------------------------------------------------------------------

PARTS = re.findall(r"-----BEGIN [^-]+-----.+?-----END [^-]+-----\n", CERTIFICATE.read_text(), re.DOTALL)
CERT = next(part for part in PARTS if "BEGIN CERTIFICATE" in part)
KEY = next(part for part in PARTS if "PRIVATE KEY" in part)


def openssl(*arguments: str, given: str = "") -> str:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("cert", "key", "named", "why"),
    [
        ("junk", None, "--tls-cert", "no certificate in PEM"),
        (KEY, None, "--tls-cert", "no certificate in PEM"),
        (CERT, None, "--tls-cert", "no private key in PEM; name its file with --tls-key"),
        (CERT, "junk", "--tls-key", "no private key in PEM"),
        (CERT, "other", "--tls-key", "the key is not that of the certificate"),
        (CERT, "encrypted", "--tls-key", "the key is encrypted"),
        (CERT.replace("M", "!"), KEY, "--tls-cert", "cannot be loaded"),
        (".", None, "--tls-cert", "Is a directory"),
    ],
)
def test_files_of_tls_that_do_not_fit_are_refused_before_it_starts(
    refused: Refused, tmp_path: Path, cert: str, key: str | None, named: str, why: str
) -> None:
    if key == "other":
        key = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    elif key == "encrypted":
        key = openssl("pkey", "-aes256", "-passout", "pass:x", given=KEY)
    files = {"--tls-cert": cert, **({} if key is None else {"--tls-key": key})}
    arguments = []
    for option, text in files.items():
        file = tmp_path / option[2:]
        if text == ".":
            file.mkdir()
        else:
            file.write_text(text)
        arguments += [option, str(file)]
    said = refused(*arguments)
    assert f"{named} {tmp_path}" in said
    assert why in said


# --- a wrong line ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--secretkey", SECRET], "there is no option --secretkey. Did you mean '--secret-key'?"),
        ([f"--secretkey={SECRET}"], "there is no option --secretkey. Did you mean '--secret-key'?"),
        ([f"--se={SECRET}"], "there is no option --se."),
        ([SECRET], "there is a value that belongs to no option"),
    ],
)
def test_a_wrong_line_is_refused_without_its_values(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *arguments])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert SECRET not in printed
