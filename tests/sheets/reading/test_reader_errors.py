"""Inputs that cannot be used as a whole: one sentence that names the file, and nothing of the libraries' own words."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xlwt.CompoundDoc import XlsDoc

from bulkhooks.errors import InputError
from bulkhooks.sheets.examples import EXAMPLES
from bulkhooks.sheets.reading.reader import read

DATA = Path(__file__).parents[2] / "data"


def refused(path):
    with pytest.raises(InputError) as caught:
        read([str(path)])
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{Path(path).name}: ")
    return sentence


def test_what_is_not_there_and_what_is_no_file(tmp_path):
    """A missing file, a folder, and a name that no file can have."""
    assert "there is no file" in refused(tmp_path / "hooks.csv")
    (tmp_path / "folder.xlsx").mkdir()
    assert "is a folder" in refused(tmp_path / "folder.xlsx")
    assert "cannot be read" in refused(tmp_path / "a\0b.csv")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything may be read")
def test_a_file_that_may_not_be_read(tmp_path):
    """The sentence says so."""
    path = tmp_path / "hooks.csv"
    path.write_text("BusinessId,Action,URL\n1,2,3\n", "utf-8")
    path.chmod(0)
    assert "no permission" in refused(path)


@pytest.mark.parametrize("name", ["hooks.csv", "hooks.tsv", "hooks.xlsx", "hooks.xls", "hooks.ods"])
@pytest.mark.parametrize("content", [b"", b" \r\n\n \xc2\xa0", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path, name, content):
    """Or one of nothing but space."""
    (tmp_path / name).write_bytes(content)
    assert refused(tmp_path / name).endswith("the file is empty")


@pytest.mark.parametrize("name", ["hooks.json", "hooks.pdf", "hooks.xlsb", "hooks"])
def test_a_format_that_is_not_read(tmp_path, name):
    """The sentence lists those that are."""
    (tmp_path / name).write_bytes(b"something")
    assert "give one of .xlsx .xlsm .xls .ods .csv .tsv .txt" in refused(tmp_path / name)


@pytest.mark.parametrize("suffix", [".xlsx", ".xlsm", ".xls", ".ods", ".csv"])
@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600])
def test_a_damaged_workbook(tmp_path, suffix, content):
    """Whatever it is called."""
    (tmp_path / f"hooks{suffix}").write_bytes(content)
    assert "the workbook is damaged" in refused(tmp_path / f"hooks{suffix}")


def test_what_is_no_workbook_at_all(tmp_path):
    """Plain text, a picture, a web page, a package of something else."""
    (tmp_path / "hooks.xlsx").write_text("hello\nworld\n", "utf-8")
    assert "damaged, or no workbook at all" in refused(tmp_path / "hooks.xlsx")
    (tmp_path / "hooks.xls").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe")
    assert "damaged, or no workbook at all" in refused(tmp_path / "hooks.xls")
    (tmp_path / "page.xls").write_text("<html><table><tr><td>URL</td></tr></table>", "utf-8")
    assert "web page" in refused(tmp_path / "page.xls")
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as package:
        package.writestr("a.txt", "a")
    assert "damaged, or no workbook at all" in refused(tmp_path / "other.xlsx")


def xls_data():
    book = xlwt.Workbook()
    book.add_sheet("Hooks").write(0, 0, "URL")
    return book.get_biff_data()


def test_a_workbook_with_a_password(tmp_path):
    """An encrypted package of .xlsx whatever its suffix, an encrypted .xls, an encrypted .ods."""
    XlsDoc().save(str(tmp_path / "plain.xls"), xls_data())
    container = bytearray((tmp_path / "plain.xls").read_bytes())
    name = "EncryptedPackage".encode("utf-16-le")
    entry = container.index("Workbook".encode("utf-16-le"))
    container[entry : entry + len(name)] = name
    container[entry + 64 : entry + 66] = struct.pack("<H", len(name) + 2)
    for suffix in ("xlsx", "xls", "csv"):
        (tmp_path / f"locked.{suffix}").write_bytes(container)
        assert "protected with a password" in refused(tmp_path / f"locked.{suffix}")

    data = xls_data()
    begin = 4 + struct.unpack("<H", data[2:4])[0]
    file_pass = struct.pack("<HHHHH", 0x2F, 54, 1, 1, 1) + b"\1" * 48
    XlsDoc().save(str(tmp_path / "old.xls"), data[:begin] + file_pass + data[begin:])
    assert "protected with a password" in refused(tmp_path / "old.xls")

    mark = b'manifest:full-path="content.xml" manifest:media-type="text/xml"'
    with zipfile.ZipFile(DATA / "libreoffice.ods") as source, zipfile.ZipFile(tmp_path / "locked.ods", "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(
                mark + b"/>", mark + b'><manifest:encryption-data manifest:checksum="x"/></manifest:file-entry>'
            )
            target.writestr(name, content)
    assert "protected with a password" in refused(tmp_path / "locked.ods")


def test_a_header_without_rows_under_it(tmp_path):
    """Blank rows, examples of the template and totals are none; what was skipped is said."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n,,\n\nTotal,,\n", "utf-8")
    sentence = refused(tmp_path / "hooks.csv")
    assert "a header, but no data row under it; hooks.csv:4: skipped" in sentence
    book = openpyxl.Workbook()
    book.active.append(list(EXAMPLES[0]))
    book.active.append(list(EXAMPLES[0].values()))
    book.save(tmp_path / "template.xlsx")
    assert "sheet Sheet has a header, but no data row under it; Sheet!2: skipped" in refused(tmp_path / "template.xlsx")


def test_a_cell_far_out(tmp_path):
    """Would take more memory than any machine has."""
    book = openpyxl.Workbook()
    book.active.append(["BusinessId", "Action", "URL"])
    book.active.cell(1_048_576, 16_384, "x")
    book.save(tmp_path / "far.xlsx")
    assert "sheet Sheet reaches to cell XFD1048576" in refused(tmp_path / "far.xlsx")


def test_text_that_begins_as_utf_16_only(tmp_path):
    """Is not guessed at."""
    (tmp_path / "hooks.csv").write_bytes(b"\xff\xfe\x00\xd8\x00")
    assert "UTF-16" in refused(tmp_path / "hooks.csv")


def test_a_workbook_on_standard_input(monkeypatch):
    """Has to be given by name."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((DATA / "libreoffice.xlsx").read_bytes())))
    with pytest.raises(InputError, match="stdin: this is a workbook"):
        read(["-"])


WHOLE = {suffix: (DATA / f"libreoffice.{suffix}").read_bytes() for suffix in ("xlsx", "xls", "ods")}


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("suffix", sorted(WHOLE))
def test_a_workbook_that_ends_too_early(tmp_path, suffix, part):
    """A download that broke off."""
    path = tmp_path / f"hooks.{suffix}"
    path.write_bytes(WHOLE[suffix][: int(part * len(WHOLE[suffix]))])
    assert "the workbook is damaged" in refused(path)


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(["xlsx", "ods"]),
    start=st.floats(0, 1),
    length=st.integers(1, 400),
    patch=st.binary(max_size=400),
)
def test_no_damage_ends_in_anything_but_a_sentence(tmp_path, suffix, start, length, patch):
    """Bytes lost, added or changed anywhere in a workbook: it is read, or refused."""
    whole = WHOLE[suffix]
    at = int(start * len(whole))
    path = tmp_path / f"hooks.{suffix}"  # an error of any other kind fails here
    path.write_bytes(whole[:at] + patch + whole[at + length :])
    with contextlib.suppress(InputError):
        read([str(path)])
