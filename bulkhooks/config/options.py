"""Every long option once: name, kind, default, help, section of the help, and the commands that take it.

The command line, the environment (``BULKHOOKS_<OPTION>``), job files, ``Job`` and the JSON schema are all made from
this table. ``Option.value`` alone turns what is written into a value.
"""

from __future__ import annotations

from bulkhooks.config.option import COUNT, FLAG, PATH, PERIOD, PLACE, RATE, SECONDS, SHARD, STORE, TEXT, WHOLE, Option

BASE_URL = "https://spaces.nexudus.com"

READING, DECIDING, API, CHECKS, OUTPUT = "Reading", "Deciding", "Talking to the API", "Looking closer", "Output"
GROUPS = (READING, DECIDING, CHECKS, API, OUTPUT)
"""The sections of the help, in their order."""


def _on(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READS = _on("run check plan")
_LOCATES = _READS | {"template"}
_DECIDES = _on("run plan")
_SENDS = _on("run plan undo health check template export")
_ASKS = _on("run undo health journal")
_WRITES = _on("run check plan undo health results")
_SPEAKS = _on("run check plan undo health results runs journal template export")
_PAGE = _on("serve")

OPTIONS: tuple[Option, ...] = (
    Option(
        "sheet", TEXT, READING, _READS, "Read only this sheet.", "NAME",
        otherwise="every visible sheet with a known header", repeatable=True,
    ),
    Option("map", TEXT, READING, _READS, "A header that is not among the aliases.", '"THEIRS=FIELD"', repeatable=True),
    Option(
        "locations", PLACE, READING, _LOCATES, "The table of locations: a file, or 'live' to ask the API.",
        "FILE|live", otherwise="the sheet Locations of the input, if it has one",
    ),
    Option(
        "name_template", TEXT, READING, _READS, "The name of rows without one.", "TEXT",
        default="{Location} - {Action}",
    ),
    Option(
        "if_exists", TEXT, DECIDING, _DECIDES, "What to do with a webhook that the server already has.",
        "skip|update|fail", default="skip", choices=("skip", "update", "fail"),
    ),
    Option("prune", FLAG, DECIDING, _DECIDES, "Delete what this tool once created and the input no longer names."),
    Option(
        "max_deletes", WHOLE, DECIDING, _DECIDES, "With --prune: more deletions than this, and nothing is sent.", "N",
        default=10,
    ),
    Option("strict", FLAG, DECIDING, _DECIDES, "Any invalid row: send nothing."),
    Option("limit", WHOLE, DECIDING, _DECIDES, "At most N writes in this run.", "N", otherwise="none"),
    Option("canary", WHOLE, DECIDING, _DECIDES, "Send N first; go on only if all of them succeed.", "N", default=0),
    Option("resend_unknown", FLAG, DECIDING, _DECIDES, "Send again what is unknown."),
    Option("expect_no_changes", FLAG, DECIDING, _on("plan"), "Exit 1 if anything would change."),
    Option(
        "confirm_above", WHOLE, DECIDING, _on("run"), "On a terminal ask before more than N writes.", "N", default=100
    ),
    Option("yes", FLAG, DECIDING, _ASKS, "Do not ask.", short="-y"),
    Option(
        "run", TEXT, DECIDING, _on("undo results"), "The run, by its id; 'last' is the newest.", "RUN_ID",
        otherwise="undo: the run of the file; results: last",
    ),
    Option(
        "owned", FLAG, DECIDING, _on("undo"), "Also delete what earlier runs created, all of the file that is ours."
    ),
    Option(
        "keep", PERIOD, DECIDING, _on("run journal"), "Remove runs from the journal that are older than this; a run"
        " does it once it went well.", "PERIOD", otherwise="all are kept",
    ),
    Option("reactivate", FLAG, DECIDING, _on("health"), "Switch on what failures have switched off."),
    Option(
        "since", TEXT, DECIDING, _on("health"), "Only webhooks that fired at or after this time (ISO 8601).", "TIME",
        otherwise="all",
    ),
    Option(
        "only", TEXT, DECIDING, _on("health"), "Only webhooks in this state: healthy, failing, disabled, paused or"
        " never-fired.", "STATE", otherwise="all", repeatable=True,
        choices=("healthy", "failing", "disabled", "paused", "never-fired"),
    ),
    Option("live", FLAG, CHECKS, _on("check"), "Also try the credentials, the locations and the permission to list."),
    Option("probe", FLAG, CHECKS, _on("check"), "Also connect to each distinct URL; sends no event."),
    Option("base_url", TEXT, API, _SENDS, "Where the API is; also NEXUDUS_BASE_URL.", "URL", otherwise=BASE_URL),
    Option("account", TEXT, API, _SENDS, "The credentials for rows that name none.", "NAME", default="default"),
    Option("accounts", PATH, API, _SENDS | _PAGE, "A TOML file of accounts.", "FILE", otherwise="none"),
    Option(
        "auth", TEXT, API, _SENDS, "How to sign in.", "bearer|basic", default="bearer", choices=("bearer", "basic")
    ),
    Option("allow_http", FLAG, API, _SENDS, "Send credentials over plain http."),
    Option("sandbox", FLAG, API, _SENDS | _PAGE, "Send to an embedded sandbox; no credentials, a journal of its own."),
    Option(
        "rate", RATE, API, _SENDS, "Limit on writes; 'none' lifts it.", "N/PERIOD",
        default=("60/min", "5000/day"), repeatable=True,
    ),
    Option(
        "request_rate", RATE, API, _SENDS, "Limit on all requests; 'none' lifts it.", "N/PERIOD",
        default=("1/100ms", "120/min", "5000/h"), repeatable=True,
    ),
    Option("concurrency", WHOLE, API, _SENDS, "Requests in flight.", "N", default=8, least=1),
    Option("timeout", SECONDS, API, _SENDS, "Of one request.", "SECONDS", default=30.0, least=0.001),
    Option(
        "retries", WHOLE, API, _SENDS, "Attempts beyond the first, for what is safe to send again.", "N", default=5
    ),
    Option(
        "give_up_after", SECONDS, API, _SENDS, "The API answers nothing useful for so long: stop.", "SECONDS",
        default=300.0,
    ),
    Option("settle", SECONDS, API, _SENDS, "Wait before an in-doubt webhook is looked up.", "SECONDS", default=30.0),
    Option("wait", FLAG, API, _SENDS, "Sleep until the next slot, however far away it is."),
    Option(
        "max_runtime", SECONDS, API, _SENDS, "Start no new request after that.", "SECONDS",
        otherwise="none",
    ),
    Option(
        "wait_lock", SECONDS, API, _on("run undo"), "Wait so long for another run of the account to end.", "SECONDS",
        default=0.0,
    ),
    Option(
        "journal", STORE, API, _SENDS | {"results", "runs", "journal", "serve"}, "The job's memory: a file, or a"
        " database of PostgreSQL that several machines share.", "PATH|URL", otherwise="in the user's state directory",
    ),
    Option(
        "lease", SECONDS, API, _on("run undo health"), "On a shared journal: without a sign of life for so long, an"
        " account may be taken over.", "SECONDS", default=30.0, least=3,
    ),
    Option(
        "workers", WHOLE, API, _on("run"), "Send the accounts over so many processes of this machine.", "N",
        otherwise="in one process", least=1,
    ),
    Option(
        "scheduler", TEXT, API, _on("run"), "Send the accounts over a cluster of Dask, by its scheduler; it needs a"
        " shared journal.", "ADDRESS", otherwise="none",
    ),
    Option(
        "output", PLACE, OUTPUT, _WRITES, "Results, by suffix: .xlsx, .csv or .jsonl.", "PATH",
        otherwise="run, undo: beside the first input", repeatable=True, short="-o",
    ),
    Option(
        "write_back", FLAG, OUTPUT, _on("run check"),
        "Also write a copy of the input workbook: with the result sheets, of check with the wrong cells marked.",
    ),
    Option(
        "run_id", TEXT, OUTPUT, _on("run"), "What the run is called.", "NAME", otherwise="its time and a random part",
    ),
    Option(
        "shard", SHARD, OUTPUT, _on("run"), "With --run-id: take part I of the N into which the accounts are divided.",
        "I/N", otherwise="all accounts",
    ),
    Option("json", FLAG, OUTPUT, _SPEAKS | {"actions"}, "The summary as one JSON object on stdout."),
    Option(
        "log_format", TEXT, OUTPUT, _SPEAKS | _PAGE, "How logs are written.", "text|json", default="text",
        choices=("text", "json"),
    ),
    Option("log_file", PATH, OUTPUT, _SPEAKS | _PAGE, "Logs go there.", "PATH", otherwise="stderr"),
    Option(
        "verbose", COUNT, OUTPUT, _SPEAKS | {"actions", "serve"}, "Tell of every row; -vv of every request.", short="-v"
    ),
    Option("quiet", FLAG, OUTPUT, _SPEAKS | {"actions"}, "Print nothing where all is well, else one line.", short="-q"),
    Option(
        "metrics_file", PATH, OUTPUT, _on("run"), "Figures for Prometheus' textfile collector.", "PATH",
        otherwise="none",
    ),
    Option("no_progress", FLAG, OUTPUT, _SENDS, "No progress bar."),
    Option("job", PATH, READING, _SPEAKS | _PAGE, "Read options and inputs from a job file.", "FILE", otherwise="none"),
)  # fmt: skip
"""Those of all commands but ``sandbox``; within a group in the order of the help."""


_SANDBOX = frozenset({"sandbox"})
SERVER, LIMITS, FAULTS, DELIVERY = "Server", "Limits", "Faults", "Delivery"
SANDBOX_GROUPS = (SERVER, LIMITS, FAULTS, DELIVERY)

SANDBOX_OPTIONS: tuple[Option, ...] = (
    Option("port", WHOLE, SERVER, _SANDBOX, "On loopback; 0 finds a free one.", "PORT", default=8899),
    Option("host", TEXT, SERVER, _SANDBOX, "A loopback address.", "ADDRESS", default="127.0.0.1"),
    Option("locations", TEXT, SERVER, _SANDBOX, "Ids and ranges.", "IDS", default="1001-1040"),
    Option(
        "network", TEXT, SERVER, _SANDBOX, "A network, and the locations that belong to it: 900 Harbour UK=1001-1010.",
        "ID NAME=IDS", repeatable=True, otherwise="none",
    ),
    Option("suspended", TEXT, SERVER, _SANDBOX, "Locations that are switched off.", "IDS", otherwise="none"),
    Option(
        "role", TEXT, SERVER, _SANDBOX, "What the user may do.", "full|create-only", default="full",
        choices=("full", "create-only"),
    ),
    Option(
        "token_lifetime", SECONDS, SERVER, _SANDBOX, "Of tokens from /api/token.", "SECONDS", otherwise="7 days"
    ),
    Option("state", PATH, SERVER, _SANDBOX, "Keep the webhooks there.", "FILE", otherwise="in memory"),
    Option("ids_from", WHOLE, SERVER, _SANDBOX, "The first id.", "N", default=1, least=1),
    Option("rate", TEXT, LIMITS, _SANDBOX, "Limit on writes to enforce.", "N/PERIOD", repeatable=True),
    Option("request_rate", TEXT, LIMITS, _SANDBOX, "Limit on all requests to enforce.", "N/PERIOD", repeatable=True),
    Option(
        "latency", TEXT, FAULTS, _SANDBOX, "Seconds, 20ms, or a range: 10-160ms.", "TIME", otherwise="none"
    ),
    Option(
        "fault", TEXT, FAULTS, _SANDBOX, "error-500, drop-before, drop-after or slow, and how often: drop-after=0.1.",
        "KIND=PROBABILITY", repeatable=True,
    ),
    Option(
        "seed", WHOLE, FAULTS, _SANDBOX, "Makes faults and latency the same every time.", "N", otherwise="a new one"
    ),
    Option("secret", TEXT, DELIVERY, _SANDBOX, "Signs deliveries.", "TEXT", otherwise="not signed"),
    Option(
        "retry_delays", TEXT, DELIVERY, _SANDBOX, "Before each further try of a delivery.", "SECONDS,…",
        default="1,5,30",
    ),
)  # fmt: skip
"""Those of ``bulkhooks sandbox``, which has no job file."""


PAGE, SIGN_IN = "The page", "Behind a sign-in"
SERVE_GROUPS = (PAGE, SIGN_IN)

SERVE_OPTIONS: tuple[Option, ...] = (
    Option("port", WHOLE, PAGE, _PAGE, "On loopback; 0 finds a free one.", "PORT", default=8765),
    Option("no_open", FLAG, PAGE, _PAGE, "Print the address, and open no browser."),
    Option("behind_proxy", FLAG, SIGN_IN, _PAGE, "Trust the sign-in of a proxy, instead of keys and cookies."),
    Option(
        "public_url", TEXT, SIGN_IN, _PAGE, "Where people find the page: https://hooks.example.com.", "URL",
        otherwise="has to be given",
    ),
    Option("user_header", TEXT, SIGN_IN, _PAGE, "Has the user's name.", "NAME", default="X-Forwarded-User"),
    Option(
        "proxy_address", TEXT, SIGN_IN, _PAGE, "The proxy's own address; whoever else asks is turned away.", "IP",
        otherwise="has to be given",
    ),
    Option("bind", TEXT, SIGN_IN, _PAGE, "Listen there instead of on loopback.", "ADDRESS", default="127.0.0.1"),
)  # fmt: skip
"""Those of ``bulkhooks serve`` that are about the page, and stand in no job file."""


def of_command(command: str) -> list[Option]:
    """The options of a command."""
    return [option for option in (*OPTIONS, *SANDBOX_OPTIONS, *SERVE_OPTIONS) if command in option.commands]


BY_NAME = {option.name: option for option in OPTIONS if option.name != "job"}
"""Those that may stand in a job file, and are fields of ``Job``."""
