"""No secret is left behind: every byte that failing, verbose runs leave is searched for them."""

from __future__ import annotations

import pytest

from tests.processes import UNLIMITED, bulkhooks, sandbox_process

TOKEN, PASSWORD, SEED, QUERY = "tok-5up3r-53cr3t", "pa55-w0rd-0f-m1ne", "JBSWY3DPEHPK3PXP", "hidden-in-a-query"
SECRETS = (TOKEN, PASSWORD, SEED)

RUNS = {
    "a token that is wrong": {"NEXUDUS_TOKEN": TOKEN},
    "a password that is wrong": {
        "NEXUDUS_USERNAME": "admin@example.com",
        "NEXUDUS_PASSWORD": PASSWORD,
        "NEXUDUS_TOTP_SECRET": SEED,
    },
    "Basic with a wrong password": {
        "NEXUDUS_USERNAME": "admin@example.com",
        "NEXUDUS_PASSWORD": PASSWORD,
        "BULKHOOKS_AUTH": "basic",
    },
    "a token with a line break": {"NEXUDUS_TOKEN": f"{TOKEN}\nX-More: {PASSWORD}"},
    "a command that fails": {"NEXUDUS_TOKEN_COMMAND": f"sh -c 'echo {TOKEN}; exit 3'"},
    "an address with a password": {"NEXUDUS_TOKEN": TOKEN, "BULKHOOKS_BASE_URL": f"https://me:{PASSWORD}@127.0.0.1:1/"},
    "nobody who answers": {"NEXUDUS_TOKEN": TOKEN, "BULKHOOKS_BASE_URL": "http://127.0.0.1:9"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a sandbox."""
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as address:
        yield address


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_failing_verbose_run_leaves_no_secret(name, log_format, tmp_path, server):
    """Journal, results, log, stdout and stderr hold none, whatever goes wrong."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://a.example/x\n")
    environment = {"BULKHOOKS_BASE_URL": server, **RUNS[name]}
    ended = bulkhooks(
        "run", "hooks.csv", "-vv", "--log-format", log_format, "--log-file", "run.log", "-o", "out.csv", "-o",
        "out.xlsx", "-o", "out.jsonl", "--journal", "journal.db", "--give-up-after", "1", *UNLIMITED, cwd=tmp_path,
        **environment,
    )  # fmt: skip
    assert ended.returncode in {2, 3, 4}
    assert "Traceback" not in ended.stderr
    left = ended.stdout.encode() + ended.stderr.encode()
    for path in tmp_path.rglob("*"):
        left += path.read_bytes() if path.is_file() else b""
    for secret in SECRETS:
        assert secret.encode() not in left


def test_queries_of_endpoints_stay_out_of_the_log(tmp_path):
    """They are in the sheet, where they belong, and nowhere else."""
    (tmp_path / "hooks.csv").write_text(
        f"BusinessId,Action,URL\n1001-1002,BookingCreate,https://u:{PASSWORD}@a.example/x?key={QUERY}\n1001,6,ftp://a?{QUERY}\n"
    )
    ended = bulkhooks(
        "run", "hooks.csv", "--sandbox", "-vv", "--log-file", "run.log", "-o", "out.csv", *UNLIMITED, cwd=tmp_path
    )
    assert ended.returncode == 1
    log = (tmp_path / "run.log").read_text("utf-8")
    assert "created" in log
    for text in (log, ended.stdout, ended.stderr):
        assert QUERY not in text
        assert PASSWORD not in text
