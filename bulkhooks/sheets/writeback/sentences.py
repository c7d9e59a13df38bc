"""Whatever goes wrong with a copy costs the copy, and is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulkhooks.errors import OutputError
from bulkhooks.sheets.writing.atomic_file import reason


@contextmanager
def one_sentence(workbook: Path, copy: Path) -> Iterator[None]:
    """Let nothing but ``OutputError`` leave."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{copy} cannot be written: {reason(error)}") from error
    except MemoryError as error:
        raise OutputError(f"{workbook} is too large to be copied in the memory that there is") from error
    except Exception as error:  # a file may be odd in ways nobody has thought of, and the run must go on
        raise OutputError(
            f"{workbook} is put together in a way that cannot be added to safely; open it in Excel or LibreOffice,"
            " save it again as .xlsx, and use that"
        ) from error
