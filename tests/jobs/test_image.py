"""The image's recipe: its steps are tried as far as that goes without a container."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile

from tests.jobs.command_lines import JOBS, parse, pod

ROOT = JOBS.parent


def _steps() -> list[tuple[str, str]]:
    text = (JOBS / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def _copied() -> list[str]:
    """What the build stage takes from the checkout."""
    sources = []
    for word, rest in _steps():
        if word == "COPY" and "--from" not in rest:
            sources += rest.split()[:-1]
    return sources


def test_what_is_copied_is_there_and_not_ignored():
    """Every source is in the checkout, and the ignore file lets exactly these through."""
    assert all((ROOT / source).exists() for source in _copied())
    ignored = (JOBS / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(_copied())


def test_a_package_is_built_from_what_is_copied_alone(tmp_path):
    """The install step has all that it needs; the package brings the program, its types and the schema."""
    for source in _copied():
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, tmp_path / source)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('.'))"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        names = package.namelist()
        points = next(name for name in names if name.endswith("entry_points.txt"))
        assert "bulkhooks = bulkhooks.__main__:main" in package.read(points).decode()
    assert {"bulkhooks/config/job.schema.json", "bulkhooks/py.typed", "bulkhooks/sheets/reading/reader.py"} <= set(
        names
    )
    assert {"bulkhooks/web/templates/base.html", "bulkhooks/web/static/page.js"} <= set(names)
    assert not any(name.startswith("tests") for name in names)


def test_it_runs_the_program_and_not_as_root():
    """The entry point is the program of the environment that was built, its user is the pod's, and --help is taken."""
    steps = _steps()
    last = dict(steps)
    assert json.loads(last["ENTRYPOINT"]) == ["/opt/bulkhooks/bin/bulkhooks"]
    assert ("RUN", "python -m venv /opt/bulkhooks") in steps
    assert ("RUN", '/opt/bulkhooks/bin/pip install --no-cache-dir ".${EXTRAS}"') in steps
    assert last["USER"] == f"{pod()['securityContext']['runAsUser']}:{pod()['securityContext']['runAsGroup']}"
    assert "--uid 10001" in next(rest for word, rest in steps if word == "RUN" and "useradd" in rest)
    assert json.loads(last["CMD"]) == ["--help"]
    words = [word for word, _ in steps]
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_its_python_is_one_that_the_package_is_for():
    """Both stages start from the same slim image, and the project says that it runs on that Python."""
    images = {rest.split()[0] for word, rest in _steps() if word == "FROM"}
    (image,) = images
    version = re.fullmatch(r"python:(3\.\d+)-slim", image)[1]
    assert f"Programming Language :: Python :: {version}" in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_example_in_its_comment_is_taken():
    """The command behind ``docker run … bulkhooks`` is one that the program takes."""
    comment = (JOBS / "Dockerfile").read_text("utf-8")
    words = re.search(r"docker run .* bulkhooks (run .+)", comment)[1].split()
    assert parse(words)[0] == "run"
