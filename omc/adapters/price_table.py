"""A recorded file as one table of columns, whatever it is packed in, that still knows the line each row stood on.

CSV (plain or gzip), feather and Parquet are told apart by their first bytes, never by their names. What cannot be read
is refused with the file, the line (counted as an editor shows it, unpacked, the header being line 1) and the reason.
"""

import contextlib
import csv
import gzip
import math
import re
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as pa_feather
import pyarrow.parquet as pa_parquet

from omc.errors import InvalidInput

_LARGEST_BYTES = 2**31
_HTML = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns to read: times and coins as text, prices as numbers."""

    texts: Collection[str]
    numbers: Collection[str]


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The wanted columns of one file by lower-case name, and how to say where a row stood."""

    path: Path
    columns: Mapping[str, pa.Array]
    place: Callable[[int], str]
    """`line 7`, or `row 6` of a file that has no lines."""

    def refuse(self, row: int, reason: str) -> NoReturn:
        raise InvalidInput(f"{self.path}, {self.place(row)}: {reason}")


def read_table(path: Path, choose: Callable[[Sequence[str]], Wanted]) -> PriceTable:
    """The table in `path`. `choose` is given the header and says what to read; its InvalidInput gets the place."""
    data = _contents(path)
    if data[:4] == b"PAR1" or data[:6] == b"ARROW1" or data[:4] == b"FEA1":
        return _binary_table(path, data, choose)
    return _text_table(path, data, choose)


def _contents(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(f"{path}: there is no such file") from None
    except OSError as error:
        raise InvalidInput(f"{path}: it cannot be read: {error.strerror}") from None
    if packed[:2] == b"\x1f\x8b":
        return _unpacked(path, packed)
    return packed


def _unpacked(path: Path, packed: bytes) -> bytes:
    try:
        data = gzip.decompress(packed)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        line = _readable_part(packed).count(b"\n") + 1
        what = "the gzip file is cut off" if isinstance(error, EOFError) else f"the gzip file is damaged ({error})"
        raise InvalidInput(f"{path}, line {line}: {what}") from None
    if len(data) > _LARGEST_BYTES:
        raise InvalidInput(f"{path}: more than {_LARGEST_BYTES} bytes unpacked")
    return data


def _readable_part(packed: bytes) -> bytes:
    """As much of a damaged gzip file as can be read."""
    stream, data = zlib.decompressobj(wbits=31), bytearray()
    with contextlib.suppress(zlib.error):
        for start in range(0, len(packed), 256):
            data += stream.decompress(packed[start : start + 256])
    return bytes(data)


def _binary_table(path: Path, data: bytes, choose: Callable[[Sequence[str]], Wanted]) -> PriceTable:
    read = pa_parquet.read_table if data[:4] == b"PAR1" else pa_feather.read_table
    try:
        table = read(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{path}, row 1: a damaged feather or Parquet file: {_first_line(error)}") from None
    names = {str(name).strip().lower(): name for name in table.column_names}
    try:
        wanted = choose(list(names))
    except InvalidInput as fault:
        raise InvalidInput(f"{path}: {fault}") from None
    columns = {name: table.column(names[name]).combine_chunks() for name in (*wanted.texts, *wanted.numbers)}
    for name in wanted.numbers:
        if not (pa.types.is_integer(columns[name].type) or pa.types.is_floating(columns[name].type)):
            raise InvalidInput(f"{path}, row 1: {name} holds {columns[name].type}, not numbers")
    return PriceTable(path, columns, lambda row: f"row {row + 1}")


def _text_table(path: Path, data: bytes, choose: Callable[[Sequence[str]], Wanted]) -> PriceTable:
    data = data.removeprefix(b"\xef\xbb\xbf")
    _refuse_what_is_no_csv(path, data)
    header = _header(path, data)
    try:
        wanted = choose(header)
    except InvalidInput as fault:
        raise InvalidInput(f"{path}, line {_header_line(data)}: {fault}") from None
    kinds = {name: pa.string() for name in wanted.texts} | {name: pa.float64() for name in wanted.numbers}
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(column_names=header, skip_rows=_header_line(data)),
            convert_options=pa_csv.ConvertOptions(column_types=kinds, include_columns=list(kinds)),
        )
    except pa.ArrowInvalid as error:
        _explain(path, data, header, wanted)
        raise InvalidInput(f"{path}: {_first_line(error)}") from None
    columns = {name: table.column(name).combine_chunks() for name in kinds}
    return PriceTable(path, columns, lambda row: f"line {_line_of_row(data, row)}")


def _refuse_what_is_no_csv(path: Path, data: bytes) -> None:
    if not data.strip():
        raise InvalidInput(f"{path}, line 1: the file is empty")
    if _HTML.match(data):
        raise InvalidInput(f"{path}, line 1: this is a web page, not prices")
    wrong = data.find(b"\0")
    if wrong < 0:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            wrong = error.start
    if wrong >= 0:
        line = data.count(b"\n", 0, wrong) + 1
        raise InvalidInput(f"{path}, line {line}: neither text, gzip, feather nor Parquet")


def _header(path: Path, data: bytes) -> list[str]:
    line = data.split(b"\n", _header_line(data))[_header_line(data) - 1].decode()
    names = [name.strip().lower() for name in next(csv.reader([line.rstrip("\r")]))]
    if all(_number(name) is not None for name in names):
        raise InvalidInput(f"{path}, line {_header_line(data)}: numbers where the names of the columns should be")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InvalidInput(f"{path}, line {_header_line(data)}: two columns are called {doubled[0]!r}")
    return names


def _header_line(data: bytes) -> int:
    """The first line that is not blank, counted from 1."""
    return data.count(b"\n", 0, len(data) - len(data.lstrip())) + 1


def _line_of_row(data: bytes, row: int) -> int:
    """Where row `row` (from 0, below the header) stands: blank lines are no rows, but they are lines."""
    rows = -1
    for line, content in enumerate(data.split(b"\n"), 1):
        if content.strip(b"\r"):
            rows += line > _header_line(data)
            if rows == row:
                return line
    return data.count(b"\n") + 1


def _explain(path: Path, data: bytes, header: Sequence[str], wanted: Wanted) -> None:
    """Refuse the first line that does not fit the header, in words for a person."""
    start = _header_line(data)
    for line, content in enumerate(data.decode().split("\n"), 1):
        if line <= start or not content.strip("\r"):
            continue
        fields = next(csv.reader([content.rstrip("\r")]), [])
        if len(fields) != len(header):
            raise InvalidInput(f"{path}, line {line}: {len(fields)} fields where the header has {len(header)}")
        for name, value in zip(header, fields, strict=True):
            if name in wanted.numbers and value and _number(value) is None:
                raise InvalidInput(f"{path}, line {line}: {name} is {value[:40]!r}, not a number")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else math.nan


def _first_line(error: Any) -> str:
    return str(error).split("\n", 1)[0][:200]
