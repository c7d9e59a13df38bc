"""The page behind a sign-in: the unit and the containers say what the program takes."""

from __future__ import annotations

import configparser
import ipaddress
import shlex

import yaml

from bulkhooks.cli.app import app
from bulkhooks.config.sources import resolve_page
from bulkhooks.web.serve import check_proxy
from tests.jobs.command_lines import JOBS, unit

PLACE = JOBS / "page"


def _options(words):
    """What the real parser and the real checks make of a command line."""
    command = app.commands["serve"]
    flags = command.make_context("serve", list(words)).params
    _, options = resolve_page(flags, {})
    check_proxy(options)
    return options


def _of_unit():
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string((PLACE / "bulkhooks-page.service").read_text("utf-8").replace("\\\n", " "))
    return parser["Service"]


def test_the_unit_starts_what_the_program_takes_under_the_restrictions_of_the_schedule():
    service = _of_unit()
    program, command, *words = shlex.split(service["ExecStart"].replace("%S", "/var/lib"))
    assert (program, command) == ("/opt/bulkhooks/bin/bulkhooks", "serve")
    options = _options(words)
    assert options["behind_proxy"]
    assert ipaddress.ip_address(options["bind"]).is_loopback
    schedule = unit("bulkhooks.service")["Service"]
    assert {name: service[name] for name in schedule if name.startswith(("Protect", "Private", "Restrict"))} == {
        name: schedule[name] for name in schedule if name.startswith(("Protect", "Private", "Restrict"))
    }


def test_the_containers_fit_each_other_and_the_program():
    services = yaml.safe_load((PLACE / "compose.yaml").read_text("utf-8"))["services"]
    page, proxy = services["page"], services["sign-in"]
    command, *words = page["command"]
    assert command == "serve"
    options = _options(words)
    assert options["bind"] == page["networks"]["inside"]["ipv4_address"]
    assert options["proxy_address"] == proxy["networks"]["inside"]["ipv4_address"]
    assert proxy["environment"]["OAUTH2_PROXY_UPSTREAMS"] == f"http://{options['bind']}:{options['port']}"
    assert proxy["environment"]["OAUTH2_PROXY_REDIRECT_URL"].startswith(options["public_url"])
    assert "ports" not in page
    assert "ARG EXTRAS" in (JOBS / "Dockerfile").read_text("utf-8")
