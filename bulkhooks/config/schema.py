"""The JSON Schema of job files, for editors: ``python -m bulkhooks.config.schema`` prints it.

Made from the table of options, so that an editor and the program hold a job file to the same words. The package carries
it as ``job.schema.json``.
"""

from __future__ import annotations

import json
from typing import Any

from bulkhooks.config.accounts import VARIABLE
from bulkhooks.config.job_file import NOTIFY_ON
from bulkhooks.config.option import COUNT, FLAG, PERIOD, SECONDS, SHARD, WHOLE, Kind, Option
from bulkhooks.config.options import BY_NAME

Schema = dict[str, Any]


def job_schema() -> Schema:
    """The schema (draft 2020-12) as the object that it is."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A job of bulkhooks",
        "description": "What `bulkhooks run --job FILE` does. Relative paths start at the job file.",
        **_table(
            {
                "job": _table(_job()),
                "accounts": {
                    "description": "Credentials by the name that the Account column has; never the secrets themselves.",
                    "type": "object",
                    "additionalProperties": _account(),
                },
                "notify": _table(_notify()),
            }
        ),
    }


def _table(properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _job() -> Schema:
    several = _one_or_several({"type": "string", "minLength": 1})
    return {
        "name": _text("How the job is called in reports; the stem of the file's name where this is not given."),
        "input": {
            "description": "Paths and globs of the sheets. A glob leaves out *.results.* and ~$*; - is stdin.",
            **several,
        },
        **{option.name: _of_option(option) for option in BY_NAME.values()},
    }


def _of_option(option: Option) -> Schema:
    kinds: dict[Kind, Schema] = {FLAG: {"type": "boolean"}, SECONDS: {"type": "number", "minimum": option.least}}
    kinds[PERIOD] = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([sSdDwWhH]|[mM][iI][nN])\s*$"}
    kinds[SHARD] = {"type": "string", "pattern": r"^\s*\d{1,6}\s*/\s*\d{1,6}\s*$"}
    whole = {"type": "integer", "minimum": option.least}
    one: Schema = kinds.get(option.kind) or (whole if option.kind in {COUNT, WHOLE} else {"type": "string"})
    if option.choices:
        one["enum"] = list(option.choices)
    found: Schema = {"description": _description(option), **(_one_or_several(one) if option.repeatable else one)}
    default = option.initial
    if default not in (None, (), ""):
        found["default"] = list(default) if isinstance(default, tuple) else default
    return found


def _description(option: Option) -> str:
    words = " {date}, {time}, {job} and {input} may stand in it; with {input} each input has its own."
    return option.help + (words if option.name == "output" else "")


def _one_or_several(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _text(description: str) -> Schema:
    return {"description": description, "type": "string", "minLength": 1}


def _variable(holds: str) -> Schema:
    return {
        "description": f"The name of the variable that holds {holds}.",
        "type": "string",
        "pattern": f"^{VARIABLE}$",
    }


def _account() -> Schema:
    needs_both = {"anyOf": [{"required": ["token_env"]}, {"required": ["username_env", "password_env"]}]}
    return {
        **_table(
            {
                "token_env": _variable("a bearer token"),
                "username_env": _variable("the user name"),
                "password_env": _variable("the password"),
                "base_url": _text("Where this account's API is."),
                "rate": {
                    "description": "Limits on this account's writes, such as 60/min.",
                    **_one_or_several({"type": "string"}),
                },
            }
        ),
        "dependentSchemas": {"username_env": needs_both, "password_env": needs_both},
    }


def _notify() -> Schema:
    return {
        "url_env": _variable("the address that the summary is POSTed to"),
        "on": {"description": "When.", "enum": list(NOTIFY_ON), "default": "failure"},
        "ping_env": _variable("the address of a dead man's switch, which is told of start, success and failure"),
        "apprise_env": _variable("the addresses of mailboxes and services that apprise knows, one a line"),
        "attach": {
            "description": "Send the results along to the addresses of apprise_env.",
            "type": "boolean",
            "default": False,
        },
    }


if __name__ == "__main__":
    print(json.dumps(job_schema(), indent=2))  # noqa: T201
