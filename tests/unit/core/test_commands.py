"""Commands: a word becomes a command through installed metadata, and a broken one harms no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vikingdb_core.commands
from tests.support.commands import Run
from tests.support.installing import SitePackages
from vikingdb_core import discovery
from vikingdb_core.commands import FOUND_TROUBLE, OK, USAGE

GREET = """
    class Greet:
        help = "say hello"

        def add_arguments(self, parser):
            parser.add_argument("--to", default="world")

        def run(self, arguments):
            print(f"hello {arguments.to}")
            return 0

    GREET = Greet()
"""


def install(site: SitePackages, source: str = GREET, *, name: str = "greet", distribution: str = "acme-greet") -> None:
    module = distribution.replace("-", "_")
    site.install(distribution, entry_points={"vikingdb.commands": {name: f"{module}:GREET"}}, **{module: source})


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_command_all_are_listed(run: Run, site: SitePackages, words: tuple[str, ...]) -> None:
    install(site)
    ran = run(*words)
    assert ran.code == OK
    for line in ("doctor   what could keep a client from working", "greet    from acme-greet 0.3", "plugins  what is"):
        assert line in ran.out


def test_what_others_offer_is_not_imported_to_be_listed(run: Run, site: SitePackages) -> None:
    install(site, "raise AssertionError('imported')")
    assert run().code == OK
    assert run("plugins").code == OK
    assert "acme_greet" not in sys.modules


def test_a_strangers_command_runs_by_its_name_with_its_options(run: Run, site: SitePackages) -> None:
    install(site)
    assert run("greet").out == "hello world\n"
    assert run("greet", "--to", "you").out == "hello you\n"


def test_a_command_may_be_a_module_and_may_be_added_by_the_program(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "acme_module.py").write_text(
        "help = 'x'\ndef add_arguments(parser): ...\ndef run(arguments):\n    print('ran')\n    return 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import acme_module

    discovery.add(discovery.COMMANDS, "module", acme_module)
    try:
        ran = run("module")
    finally:
        discovery.remove(discovery.COMMANDS, "module")
        del sys.modules["acme_module"]
    assert (ran.code, ran.out) == (7, "ran\n")


def test_an_unknown_command_is_a_wrong_usage_and_the_nearest_is_suggested(run: Run) -> None:
    ran = run("docter")
    assert ran.code == USAGE
    assert ran.out == ""
    assert "there is no command 'docter'. Did you mean 'doctor'? Commands: doctor, plugins" in ran.err


@pytest.mark.parametrize("words", [("--verbose",), ("doctor", "--pnig"), ("doctor", "extra"), ("doctor", "--region")])
def test_an_unknown_option_is_a_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.code == USAGE
    assert words[-1] in ran.err


def test_a_command_explains_its_options(run: Run) -> None:
    ran = run("doctor", "--help")
    assert ran.code == OK
    for option in ("--ping", "--domain", "--endpoint", "--region", "--profile", "--json"):
        assert option in ran.out


def test_the_version_is_cores(run: Run) -> None:
    assert run("--version").out == f"vikingdb-core {vikingdb_core.__version__}\n"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("GREAT = 1", "has no attribute 'GREET'"),
        ("GREET = object()", "must be an object with help, add_arguments and run"),
        (GREET.replace("GREET = Greet()", "GREET = Greet"), "must be an object with help, add_arguments and run"),
        (GREET.replace("return 0", "return None"), "must return an exit code, not None"),
    ],
)
def test_a_broken_command_is_reported_with_its_distribution_and_harms_no_other(
    run: Run, site: SitePackages, source: str, says: str
) -> None:
    install(site, source)
    ran = run("greet")
    assert ran.code == FOUND_TROUBLE
    assert says in ran.err
    assert "acme-greet 0.3" in ran.err
    assert run("plugins").code == OK


def test_what_a_command_raises_names_the_distribution_it_is_from(run: Run, site: SitePackages) -> None:
    install(site, GREET.replace("return 0", "raise LookupError('no')"))
    with pytest.raises(LookupError, match="no") as caught:
        run("greet")
    assert caught.value.__notes__ == ["in the command 'greet', from acme-greet 0.3"]


def test_an_error_of_the_sdk_in_a_command_is_its_message_and_its_notes(run: Run, site: SitePackages) -> None:
    raising = """
        from vikingdb_core.exceptions import PermissionDenied
        error = PermissionDenied("not yours", status_code=403)
        error.add_note("ask for it")
        raise error
    """
    install(site, GREET.replace("return 0", raising.replace("\n        ", "\n            ").strip()))
    ran = run("greet")
    assert ran.code == FOUND_TROUBLE
    assert ran.err == "vikingdb: not yours (http_status=403)\nask for it\n"


def test_two_distributions_with_one_command_are_refused(run: Run, site: SitePackages) -> None:
    install(site)
    install(site, distribution="other-greet")
    ran = run("greet")
    assert ran.code == FOUND_TROUBLE
    for part in ("acme-greet 0.3", "other-greet 0.3", "both offer 'greet'; uninstall one of them"):
        assert part in ran.err
    assert not {"acme_greet", "other_greet"} & set(sys.modules)


def test_nobody_can_take_the_place_of_a_command_of_core(run: Run, site: SitePackages) -> None:
    install(site, name="plugins")
    ran = run("plugins")
    assert ran.code == FOUND_TROUBLE
    assert "both offer 'plugins'. Uninstall one of them" in ran.text
    assert "acme_greet" not in sys.modules


def test_without_metadata_the_reason_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_scan", dict)
    discovery.forget()
    try:
        listed, named = run(), run("doctor")
    finally:
        monkeypatch.undo()
        discovery.forget()
    assert "reinstall it" in listed.text
    assert named.code == USAGE
    assert "reinstall it" in named.err


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, timeout=60, env={**os.environ, "COLUMNS": "80", **environment}
    )


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [((), OK, "usage: python -m vikingdb COMMAND"), (("plugins",), OK, "No problems found."), (("x",), USAGE, "")],
)
def test_python_m_vikingdb_and_the_script_are_the_same_table(words: tuple[str, ...], code: int, says: str) -> None:
    done = python("-m", "vikingdb", *words)
    script = subprocess.run(
        [Path(sys.executable).with_name("vikingdb"), *words], capture_output=True, timeout=60, env=os.environ
    )
    assert done.returncode == script.returncode == code
    assert says in done.stdout.decode()
    assert done.stdout.replace(b"python -m vikingdb", b"vikingdb") == script.stdout


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    code = (
        "import os, sys\n"
        "reading, writing = os.pipe()\n"
        "os.close(reading)\n"
        "os.dup2(writing, 1)\n"
        "from vikingdb_core.commands import main\n"
        "sys.exit(main(['plugins']))"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (FOUND_TROUBLE, b"")


def test_a_narrow_character_set_loses_characters_and_not_the_output() -> None:
    done = python("-m", "vikingdb", "doctor", PYTHONIOENCODING="ascii")
    assert done.stderr == b""
    assert b"pass auth=IAM(ak=?, sk=?)" in b" ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        ([], "requests pydantic pluggy orjson numpy volcengine vikingdb_vector vikingdb_local"),
        (["plugins"], "requests pydantic pluggy orjson numpy volcengine vikingdb_vector vikingdb_local"),
        (["doctor"], "numpy volcengine vikingdb_local aiohttp"),
    ],
)
def test_a_command_loads_no_more_than_it_needs(words: list[str], forbidden: str) -> None:
    script = (
        "import sys\nfrom vikingdb_core.commands import main\n"
        f"main({words})\nprint([m for m in {forbidden.split()} if m in sys.modules], file=sys.stderr)"
    )
    done = python("-c", script)
    assert done.stderr.decode().strip() == "[]"


def test_the_example_of_the_contract_is_a_command(run: Run, site: SitePackages) -> None:
    (block,) = (vikingdb_core.commands.__doc__ or "").split("::\n")[1:]
    source, _, metadata = block.partition("[project")
    assert 'greet = "acme_greet:GREET"' in metadata
    install(site, source)
    assert run("greet", "--to", "you").out == "hello you\n"
