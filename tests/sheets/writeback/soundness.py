"""Whether a copy is a sound workbook, and whether what was in the original is in it as it was."""

from __future__ import annotations

import posixpath
import subprocess
import warnings
import zipfile
from copy import copy

import openpyxl
from lxml import etree
from python_calamine import CalamineWorkbook, SheetTypeEnum

from bulkhooks.sheets.writeback.tree import MAIN, STYLES_ORDER, WORKBOOK_ORDER, WORKSHEET_ORDER

RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CHANGED = {"[content_types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
"""Parts that have to name what is added."""
_LISTS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs")


def parts(path):
    """Every part by its name, slashes and capitals aside."""
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        names = [entry.filename for entry in package.infolist() if not entry.is_dir()]
        found = {name.replace("\\", "/").lstrip("/").lower(): package.read(name) for name in names}
        assert len(found) == len(names), "a part is there twice"
        return found


def tree(xml):
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False))


def tag(name):
    return f"{{{MAIN}}}{name}"


def references(found, part):
    """(id, type, target part) of what a part refers to inside the package."""
    folder, name = posixpath.split(part)
    held = posixpath.join(folder, "_rels", f"{name}.rels")
    for element in tree(found[held]) if held in found else []:
        if element.get("TargetMode") != "External" and not element.get("Target").startswith("#"):
            target = posixpath.normpath(posixpath.join("/", folder, element.get("Target").replace("\\", "/")))
            yield element.get("Id"), element.get("Type"), target.lstrip("/").lower()


def workbook_part(found):
    return next(target for _, kind, target in references(found, "") if kind.endswith("/officeDocument"))


def assert_sound(path, original=None):
    """The rules of the format that programs trip over; those that the original breaks itself are left out."""
    found = parts(path)
    before = parts(original) if original is not None else {}
    assert any(name == "[content_types].xml" for name in found)
    for name, content in found.items():
        if name.endswith((".xml", ".rels", ".vml")) and before.get(name) != content:
            assert tree(content).getroottree().docinfo.doctype == ""
    _assert_types(found, before)
    _assert_references(found, before)
    book = workbook_part(found)
    _assert_order(tree(found[book]), WORKBOOK_ORDER)
    sheets = _assert_workbook(found, book)
    styles = next((target for _, kind, target in references(found, book) if kind.endswith("/styles")), None)
    assert styles is not None
    sizes = _assert_styles(tree(found[styles]))
    for sheet in sheets:
        root = tree(found[sheet])
        if root.tag == tag("worksheet"):
            _assert_sheet(root, sizes)


def _assert_types(found, before):
    types = tree(found["[content_types].xml"])
    overrides = [e.get("PartName").lstrip("/").lower() for e in types if e.tag.endswith("Override")]
    assert len(overrides) == len(set(overrides))
    assert not [name for name in overrides if name not in found and name not in before and before]
    defaults = {e.get("Extension").lower() for e in types if e.tag.endswith("Default")}
    for name in set(found) - set(before) - {"[content_types].xml"}:
        assert name in overrides or posixpath.splitext(name)[1][1:] in defaults, name
    if before:
        theirs = tree(before["[content_types].xml"])
        kept = {(e.get("PartName"), e.get("Extension"), e.get("ContentType")) for e in theirs}
        now = {(e.get("PartName"), e.get("Extension"), e.get("ContentType")) for e in types}
        assert {known for known in kept - now if known[0] and known[0].lstrip("/").lower() in found} == set()


def _assert_references(found, before):
    for held in [name for name in found if name.endswith(".rels")]:
        folder, name = posixpath.split(held)
        part = posixpath.join(posixpath.dirname(folder), name.removesuffix(".rels"))
        ids = [element.get("Id") for element in tree(found[held])]
        assert len(ids) == len(set(ids)), held
        broken_before = {target for _, _, target in references(before, part)} - set(before)
        assert {target for _, _, target in references(found, part)} - set(found) <= broken_before, held


def _assert_order(root, order):
    known = [
        order.index(etree.QName(e).localname) for e in root if isinstance(e.tag, str) and e.tag.startswith("{" + MAIN)
    ]
    assert known == sorted(known), [etree.QName(e).localname for e in root if isinstance(e.tag, str)]


def _assert_workbook(found, book):
    root = tree(found[book])
    sheets = list(root.find(tag("sheets")))
    names = [sheet.get("name").lower() for sheet in sheets]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 31
    assert len({sheet.get("sheetId") for sheet in sheets}) == len(sheets)
    ids = [sheet.get(f"{{{RELATIONSHIPS}}}id") for sheet in sheets]
    assert len(set(ids)) == len(ids)
    targets = {reference: target for reference, _, target in references(found, book)}
    listed = root.find(tag("definedNames"))
    defined = [(e.get("name").lower(), e.get("localSheetId")) for e in (listed if listed is not None else [])]
    assert len(defined) == len(set(defined))
    assert all(local is None or int(local) < len(sheets) for _, local in defined)
    for view in root.iter(tag("workbookView")):
        assert int(view.get("activeTab", "0")) < len(sheets)
    return [targets[reference] for reference in ids]


def _assert_styles(root):
    _assert_order(root, STYLES_ORDER)
    lists = {name: root.find(tag(name)) for name in _LISTS}
    sizes = {
        name: len([e for e in found if isinstance(e.tag, str)]) for name, found in lists.items() if found is not None
    }
    for name, size in sizes.items():
        assert lists[name].get("count") in {str(size), None}, name
    formats = [e.get("numFmtId") for e in lists["numFmts"]] if "numFmts" in sizes else []
    assert len(formats) == len(set(formats))
    for xf in lists["cellXfs"]:
        for attribute, name in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
            assert int(xf.get(attribute, "0")) < sizes[name]
        if "cellStyleXfs" in sizes:
            assert int(xf.get("xfId", "0")) < sizes["cellStyleXfs"]
        assert int(xf.get("numFmtId", "0")) < 164 or xf.get("numFmtId") in formats
    return sizes


def _assert_sheet(root, sizes):
    _assert_order(root, WORKSHEET_ORDER)
    styles = {int(e.get("s", "0")) for e in root.iter(tag("c"))} | {
        int(e.get("style", "0")) for e in root.iter(tag("col"))
    }
    assert max(styles, default=0) < sizes["cellXfs"]
    rules = {int(e.get("dxfId")) for e in root.iter(tag("cfRule")) if e.get("dxfId")}
    assert max(rules, default=-1) < sizes.get("dxfs", 0)
    rows = [int(row.get("r")) for row in root.iter(tag("row")) if row.get("r")]
    assert rows == sorted(set(rows))


def assert_kept(original, path, changed=CHANGED):
    """Every part to the byte, and of the few that are changed everything that stood in them, in its place."""
    before, after = parts(original), parts(path)
    assert {name for name in before if name not in changed and before[name] != after.get(name)} == set()
    book = workbook_part(before)
    for name, lists in ((book, ("sheets", "definedNames")), ("xl/styles.xml", _LISTS)):
        if name not in before:
            continue
        old, new = tree(before[name]), tree(after[name])
        assert dict(old.attrib) == dict(new.attrib)
        remaining = list(new)
        for element in old:
            while etree.QName(remaining[0]).localname != etree.QName(element).localname:
                assert etree.QName(remaining.pop(0)).localname in lists  # one that is new
            same = remaining.pop(0)
            if etree.QName(element).localname in lists:
                assert [canonical(e) for e in element] == [canonical(e) for e in same][: len(element)]
            else:
                assert canonical(element) == canonical(same)


def canonical(element):
    """An element whatever prefixes and blanks it is written with."""
    inside = tuple(canonical(e) for e in element if isinstance(e.tag, str))
    return element.tag, tuple(sorted(element.attrib.items())), (element.text or "").strip(), inside


def loaded(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl itself does not read
        return openpyxl.load_workbook(path, keep_vba=path.suffix == ".xlsm")


def look(cell):
    """How a cell looks."""
    # What openpyxl gives out are stand-ins that are never equal; their copies are the real ones.
    found = (cell.font, cell.fill, cell.border, cell.number_format, cell.alignment, cell.protection)
    return tuple(map(copy, found))


def assert_reads_as_before(original, path, marked=()):
    """Every sheet of the original has the same values, in openpyxl and calamine, and the same look in openpyxl.

    ``marked`` are (sheet, cell) whose fill may differ.
    """
    old, new = loaded(original), loaded(path)
    has_styles = "xl/styles.xml" in parts(original)
    assert new.sheetnames[: len(old.sheetnames)] == old.sheetnames
    assert set(old.defined_names) <= set(new.defined_names)
    for name in old.sheetnames:
        before, after = old[name], new[name]
        assert after.sheet_state == before.sheet_state
        if not hasattr(before, "iter_rows"):
            continue
        assert (after.print_title_rows, after.print_area) == (before.print_title_rows, before.print_area)
        assert after.auto_filter.ref == before.auto_filter.ref
        assert sorted(after.tables) == sorted(before.tables)
        assert sorted(map(str, after.merged_cells.ranges)) == sorted(map(str, before.merged_cells.ranges))
        assert len(after._charts) == len(before._charts)
        for row in before.iter_rows():
            for cell in row:
                same = after[cell.coordinate]
                assert same.value == cell.value
                is_marked = (name, cell.coordinate) in marked
                if not has_styles or (is_marked and not cell.has_style):
                    continue  # one that was not there takes the look of its row or column
                for number, (one, other) in enumerate(zip(look(cell), look(same), strict=True)):
                    assert one == other or (is_marked and number == 1), (name, cell.coordinate)
                if cell.comment is not None:
                    assert same.comment is not None
                    assert same.comment.text.startswith(cell.comment.text)
    first, second = CalamineWorkbook.from_path(original), CalamineWorkbook.from_path(path)
    assert second.sheet_names[: len(first.sheet_names)] == first.sheet_names
    for sheet in first.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet:
            assert trimmed(second.get_sheet_by_name(sheet.name)) == trimmed(first.get_sheet_by_name(sheet.name))
    return new


def trimmed(sheet):
    """The cells of a sheet without the empty ones at its edges, which a coloured empty cell may add."""
    rows = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    for row in rows:
        while row and row[-1] == "":
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


def through_libreoffice(soffice, path, folder):
    """What LibreOffice reads in a workbook: the names of its sheets, and their cells."""
    command = [soffice, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "ods"]
    subprocess.run([*command, "--outdir", str(folder), str(path)], check=True, capture_output=True, timeout=240)
    book = CalamineWorkbook.from_path(folder / f"{path.stem}.ods")
    return {name: trimmed(book.get_sheet_by_name(name)) for name in book.sheet_names}
