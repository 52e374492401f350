"""Files of values between separators: one character, or any number of spaces; with a header or not."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from handrail.compute.duckdb import WRONG_DATA, EngineError, file_name, identifier, literal
from handrail.compute.strict_casts import CLOCKS, SMALL, WHOLE, strict_cast
from handrail.errors import ProjectError

WHITESPACE = "whitespace"
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True)
class Form:
    """How a file of separated values is written: between what, in which encoding, whether with a header.

    missing: the texts that stand for nothing, beside the empty field; in names only if `names_too`
    place: where all that is said, for messages
    """

    separator: str = ","
    encoding: str = "utf-8"
    header: bool = True
    missing: Sequence[str] = ()
    names_too: bool = True
    place: str = "etl/extract.py"

    def mistakes(self) -> Iterator[str]:
        """Yield what can't be meant, for a message behind the name of the file."""
        if len(self.separator) != 1 and self.separator != WHITESPACE:
            yield (
                f"separator {self.separator!r}: one character is meant, or {WHITESPACE!r} for any number of "
                f"spaces and tabs; see {self.place}"
            )
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            yield f"encoding {self.encoding!r}: not known; utf-8, utf-16 and latin-1 are; see {self.place}"


def is_separated(path: Path) -> bool:
    """Tell whether a file ends like one of separated values, in capitals or not, packed or not."""
    ending = path.name.lower()
    return ending.endswith((".csv", ".csv.gz"))


def is_packed(path: Path) -> bool:
    """Tell whether a file is packed by gzip, by its ending."""
    return path.suffix.lower() == ".gz"


@dataclass(frozen=True)
class SeparatedValues:
    """A file that can be read: its form, a name for each of its columns, and the types of those asked for."""

    path: Path
    form: Form
    names: Sequence[str]
    kinds: Mapping[str, str]

    def exact(self, *, without_offset: bool = False, keep_rejects: bool = False) -> str:
        """Return the FROM item of the columns that are asked for; what does not fit its type stops the query.

        With `keep_rejects`, cells that the engine can't read are in its table reject_errors instead.
        """
        kinds, form = self.kinds, self.form
        if form.names_too:
            read = {name: _read_as(kind) for name, kind in kinds.items()}
            source = self._reader(read, form.missing, keep_rejects)
        else:
            read = dict.fromkeys(kinds, "VARCHAR")
            source = self._without_missing(self._reader(read, (), keep_rejects))
        chosen = ", ".join(
            f"{strict_cast(name, read[name], kind, without_offset=without_offset)} AS {identifier(name)}"
            for name, kind in kinds.items()
        )
        return f"(SELECT {chosen} FROM {source})"

    def rounded(self) -> str:
        """Return the FROM item by the engine's own casts: every line that is none is in reject_errors."""
        return self._reader(self.kinds, self.form.missing, keep_rejects=True)

    def texts(self, most_unread: int) -> str:
        """Return the FROM item of the columns that are asked for, each as the text that is written.

        Of lines that are no rows, `most_unread` values at most are in the engine's table reject_errors.
        """
        source = self._reader({}, self.form.missing, keep_rejects=True, most=most_unread)
        return f"(SELECT {', '.join(map(identifier, self.kinds))} FROM {source})"

    def _without_missing(self, source: str) -> str:
        """Return `source`, all texts, with the columns emptied of what is missing that hold no names."""
        missing = ", ".join(map(literal, self.form.missing))
        others = [identifier(name) for name, kind in self.kinds.items() if kind != "VARCHAR"]
        emptied = ", ".join(f"CASE WHEN {n} NOT IN ({missing}) THEN {n} END AS {n}" for n in others)
        return f"(SELECT * REPLACE ({emptied}) FROM {source})" if others and missing else source

    def _reader(
        self, read: Mapping[str, str], missing: Sequence[str], keep_rejects: bool, most: int = 1000
    ) -> str:
        types = ", ".join(f"{literal(name)}: {literal(read.get(name, 'VARCHAR'))}" for name in self.names)
        nothing = ", ".join(map(literal, dict.fromkeys(("", *missing))))
        options = ", compression = 'gzip'" if is_packed(self.path) else ""
        if keep_rejects:
            options += f", store_rejects = true, rejects_limit = {most}"
        return (
            f"read_csv({file_name(self.path)}, columns = {{{types}}}, auto_detect = false, "
            f"header = {str(self.form.header).lower()}, delim = {literal(self.form.separator)}, "
            f"encoding = {literal(self.form.encoding)}, quote = '\"', escape = '\"', nullstr = [{nothing}], "
            f"hive_partitioning = false{options})"
        )


def separated_values(
    path: Path, shown: str, form: Form, kinds: Mapping[str, str], unfinished: Path
) -> SeparatedValues:
    """Return a file that can be read; `kinds`: the columns that are asked for, with the engine's own types.

    Columns that nobody asks for stay unread, whatever they are called. `shown` names the file in messages,
    `unfinished` is a folder for a copy where the engine can't read it as it is. Raises ProjectError.
    """
    with _readable(shown, form):
        if form.separator == WHITESPACE:
            path = _with_commas(path, form, unfinished)
            form = replace(form, separator=",", encoding="utf-8")
        return SeparatedValues(path, form, _columns_of(path, shown, form, kinds), kinds)


def is_of_the_file(error: EngineError) -> bool:
    """Tell whether it is what the file holds that stopped the engine, and not the disk or the memory."""
    return isinstance(error, WRONG_DATA) or "GZIP" in str(error)


def header_of(path: Path, shown: str, form: Form) -> list[str]:
    """Return the first line of a file, by its separator; raises ProjectError where it is empty."""
    with _readable(shown, form), _open(path, form.encoding) as lines:
        first = next(csv.reader(lines, delimiter=form.separator), [])
    if not first:
        raise ProjectError(f"{shown}: the file is empty")
    return first


@contextmanager
def _readable(shown: str, form: Form) -> Generator[None]:
    """Say in one line why a file can't be read in the block."""
    problems = [f"{shown}: {mistake}" for mistake in form.mistakes()]
    if problems:
        raise ProjectError(problems)
    try:
        yield
    except BROKEN as error:
        raise ProjectError(f"{shown}: not a whole gzip file ({error})") from None
    except csv.Error as error:
        raise ProjectError(f"{shown}: not a file of separated values ({error})") from None


def _read_as(kind: str) -> str:
    """Return the type in which the engine reads a column, so that nothing is rounded or dropped before."""
    if kind in SMALL:
        return "DOUBLE"
    return "VARCHAR" if kind in (*CLOCKS, *WHOLE) else kind


def _open(path: Path, encoding: str) -> TextIO:
    encoding = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    if is_packed(path):
        return gzip.open(path, "rt", encoding=encoding, errors="replace", newline="")
    return path.open(encoding=encoding, errors="replace", newline="")


def _with_commas(path: Path, form: Form, folder: Path) -> Path:
    """Write a file whose values stand between spaces anew, with commas between them, line by line."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.name}.with_commas.csv"
    with _open(path, form.encoding) as lines, target.open("w", encoding="utf-8", newline="") as file:
        plain = (line.replace("\t", " ").strip() + "\n" for line in lines)
        csv.writer(file).writerows(csv.reader(plain, delimiter=" ", skipinitialspace=True))
    return target


def _columns_of(path: Path, shown: str, form: Form, kinds: Mapping[str, str]) -> list[str]:
    """Return a name for each column of the file, its own for those that are asked for.

    Raises ProjectError where one of those is absent, or there twice.
    """
    with _open(path, form.encoding) as lines:
        read = csv.reader(lines, delimiter=form.separator)
        first, second = next(read, []), next(read, [])
    if not first:
        raise ProjectError(f"{shown}: the file is empty")
    if not form.header:
        return _unheaded(shown, form, first, kinds)
    if second and len(second) == len(first) - 1 and not first[-1]:
        first = first[:-1]  # a separator that ends the header alone
    elif second and len(second) == len(first) + 1 and not second[-1]:
        first = [*first, ""]  # one that ends the rows alone
    twice = sorted({name for name in first if name in kinds and first.count(name) > 1})
    if twice:
        raise ProjectError(
            f"{shown}: column {', '.join(twice)} stands more than once in the header; rename one of them, or "
            f"leave the column out of {form.place}"
        )
    _refuse_absent(shown, form, first, kinds)
    return _unique(first, kinds)


def _unheaded(shown: str, form: Form, first: list[str], kinds: Mapping[str, str]) -> list[str]:
    """Return the names that are said, from left to right, and others for what follows."""
    if len(first) < len(kinds):
        raise ProjectError(
            f"{shown}: {len(first)} columns, and {len(kinds)} are named in {form.place}; without a header, "
            "they are those of the file from left to right"
        )
    return _unique([*kinds, *[""] * (len(first) - len(kinds))], kinds)


def _unique(names: list[str], kinds: Mapping[str, str]) -> list[str]:
    """Return the names in the file's order, those that are not asked for as a number of their own."""
    taken = {name.lower() for name in kinds}
    spare = (f"_{number}" for number in range(len(names) + len(kinds)) if f"_{number}" not in taken)
    return [name if name in kinds else next(spare) for name in names]


def _refuse_absent(shown: str, form: Form, present: list[str], kinds: Mapping[str, str]) -> None:
    absent = [name for name in kinds if name not in present]
    if absent:
        hint = "" if len(present) > 1 else f" and the separator, now {form.separator!r},"
        if any("\ufffd" in name for name in present):
            hint = f" and the encoding, now {form.encoding!r},"
        raise ProjectError(
            f"{shown}: no column {', '.join(absent)} among {', '.join(present)}; "
            f"see the columns{hint} in {form.place}"
        )
