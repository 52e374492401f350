"""Spark as the engine, on this machine or a cluster; tables are Parquet in a folder or at a URL.

A table lies in `<storage>/<name>/v-…/`, in one folder a day where its rows have a time, and the file CURRENT
beside names the version that counts: it is put there when all is written, so that a reader has the whole of
the one or of the other.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from py4j.protocol import Py4JError
from sqlglot import exp

from handrail.compute import dialect
from handrail.compute.duckdb import file_name, identifier, write_parquet
from handrail.compute.scan_calls import read_call
from handrail.compute.spark_workers import raise_given_up, watch_workers
from handrail.compute.translated import TooFewRowsError, Translated, stored_name
from handrail.errors import ProjectError
from handrail.retries import TRIES, asked_again

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of pandas' version, which is not used
    from pyspark import StorageLevel
    from pyspark.errors import AnalysisException, ParseException, PySparkException
    from pyspark.sql import DataFrame, Observation, SparkSession
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql.pandas.types import to_arrow_schema

if TYPE_CHECKING:
    from handrail.config.settings import Settings

logging.getLogger("SQLQueryContextLogger").disabled = True  # it prints what is raised here
# So does py4j, to everybody's own logger, where a call is broken off.
logging.getLogger().addFilter(lambda record: record.module != "java_gateway")
JAVA = 17
DAY = "by_day"  # the column of the folders of a table; it is none of the table's own
CURRENT, DONE = "CURRENT", "_SUCCESS"
WRONG = re.compile(
    r"^Error: (?!Could not create)|Exception|^Invalid |^Unrecognized "
)  # what Java says at its start
FULL = "No space left on device"
UNREADABLE = "FAILED_READ_FILE"  # what Spark says of a file that is not what it should be
LOCAL_SHUFFLE = "8"  # parts of what is put together anew; a cluster has Spark's own default
MULTILINE_BYTES = 128_000_000  # of a file of separated values, up to which a value may have lines in it
FIXED = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # No checksums beside the files of this machine: `purge --key` writes some of them anew.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.sources.partitionOverwriteMode": "static",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
}


@contextmanager
def connect_spark(settings: Settings) -> Generator[Spark]:
    """Start Spark, or take the one of this process; raises ProjectError where that can't be."""
    try:
        engine = Spark(settings, _session(settings).newSession())
    except (Py4JError, PySparkException) as error:
        raise ProjectError(f"compute.spark: {_line(error).rstrip('.')}; mend it in project.yaml") from None
    try:
        yield engine
    except KeyboardInterrupt:
        with suppress(Exception):  # Java may have got the same signal
            engine.session.sparkContext.cancelAllJobs()
        raise
    finally:
        engine.close()


def _session(settings: Settings) -> SparkSession:
    """Return the session of this process, which is started when it is first asked for."""
    running = SparkSession.getActiveSession() or SparkSession._instantiatedSession
    master = settings.compute.master
    if running is not None and running.sparkContext._jsc is not None:
        if running.sparkContext.master != master:
            running.stop()
        else:
            return running
    require_java()
    require_name()
    host = driver_address(master)
    chosen = {**FIXED, **settings.compute.spark}
    if host:
        chosen.setdefault("spark.driver.host", host)
        chosen.setdefault("spark.driver.bindAddress", host)
        os.environ.setdefault("SPARK_LOCAL_IP", chosen["spark.driver.bindAddress"])
    if master.startswith("local"):
        chosen.setdefault("spark.sql.shuffle.partitions", LOCAL_SHUFFLE)
        # Folders of a table are listed here: a task for each of a year's days takes longer.
        chosen.setdefault("spark.sql.sources.parallelPartitionDiscovery.threshold", "10000")
        chosen.setdefault("spark.driver.memory", _memory(settings.data.memory_limit))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    builder = SparkSession.builder.master(master).appName(settings.name)
    on_interrupt = signal.getsignal(signal.SIGINT)
    with as_file(files("handrail.compute") / "log4j2.properties") as logging, _quietly() as java_said:
        java = (
            f"-Dlog4j2.configurationFile={logging.as_uri()} {chosen.get('spark.driver.extraJavaOptions', '')}"
        )
        chosen["spark.driver.extraJavaOptions"] = java.strip()
        for name, value in chosen.items():
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
        except Exception as error:
            why = java_said() or _line(error)
            raise ProjectError(
                f"compute: Spark did not start at {master}: {why}; see compute.spark in project.yaml"
            ) from None
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, on_interrupt)  # Spark's own would call Java in mid-call
    if not master.startswith("local"):
        watch_workers(session.sparkContext)
    return session


@contextmanager
def _quietly() -> Generator[Callable[[], str]]:
    """Keep what Java says while it starts, of its own modules, from the terminal; give what went wrong."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:

        def wrong() -> str:
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines()
            return next((" ".join(line.split()) for line in lines if WRONG.search(line)), "")

        try:
            os.dup2(said.fileno(), 2)
            yield wrong
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def require_java() -> None:
    """Raise ProjectError where there is no Java that Spark can run on."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    advice = f"install version {JAVA} or newer, on Debian by `apt-get install default-jre-headless`"
    if java is None:
        where = f"JAVA_HOME is {home}, and no Java is in it" if home else "no `java` is on the PATH"
        raise ProjectError(f"compute.engine is spark, which needs Java: {where}; {advice}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    if found is None or int(found[1]) < JAVA:
        shown = f"is version {found[1]}" if found else "does not say which version it is"
        raise ProjectError(f"compute.engine is spark, and {java} {shown}; {advice}")


def require_name() -> None:
    """Raise ProjectError where whoever runs this has a number and no name: Hadoop's files are somebody's."""
    if os.name != "posix":
        return
    import pwd

    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        raise ProjectError(
            f"compute.engine is spark, which needs its user's name, and user {os.getuid()} has none here; "
            "in a container, mount the machine's /etc/passwd to be read, or run it as a user that has a name"
        ) from None


def driver_address(master: str) -> str | None:
    """Return the address of this machine at which workers reach it; None where Spark itself has to find it.

    It is the one by which the master is reached. Raises ProjectError where nobody listens at the master's
    address, which is tried a few times.
    """
    if master.startswith("local"):
        return "127.0.0.1"
    found = re.fullmatch(r"spark://([^:,/]+):(\d+)", master)
    if found is None:
        return None
    place = found[1], int(found[2])

    def own_end() -> str:
        with socket.create_connection(place, timeout=10) as reached:
            return str(reached.getsockname()[0])

    try:
        return asked_again(own_end, OSError, lambda error: f"{master} can't be reached ({error})")
    except OSError as error:
        raise ProjectError(
            f"compute.master: {master} can't be reached, tried {TRIES} times: {error.strerror or error}; "
            "start the master, or mend the address in project.yaml; the last good tables stay"
        ) from None


def _memory(limit: str) -> str:
    """Return a limit such as 2GB or 1.5 GiB as Spark writes it."""
    number, unit = re.sub(r"\s|i?B", "", limit)[:-1], re.sub(r"\s|i?B", "", limit)[-1]
    return f"{max(int(float(number) * {'K': 1 / 1024, 'M': 1, 'G': 1024, 'T': 1024**2}[unit]), 512)}m"


class Spark(Translated):
    """A session of Spark that does what the modules ask of DuckDB's connection."""

    target: dialect.Target = "spark"

    def __init__(self, settings: Settings, session: SparkSession) -> None:
        super().__init__(settings)
        self.session = session
        self._kept: dict[str, DataFrame] = {}
        self._views: dict[str, str] = {}
        self._files = _Files(session)
        self._waiting: list[tuple[str, str]] | None = None
        self.storage = storage_of(settings)

    def close(self) -> None:
        """Let go of what was kept for this connection; Spark itself stays for the next one."""
        for frame in self._kept.values():
            with suppress(Exception):  # it may have been stopped
                frame.unpersist()
        super().close()

    def frame(self, query: str) -> DataFrame:
        """Return the rows of a query of DuckDB's SQL as Spark's DataFrame."""
        return self._frame(self.native(query))

    def _frame(self, query: str) -> DataFrame:
        with own_errors():
            return self.session.sql(query)

    def store(self, query: str, path: Path, least: int = 0) -> int:
        """Keep the rows of a query as the table that `path` names: written aside, then pointed to."""
        name = stored_name(self._settings, path)
        if name is None:
            raise ValueError(f"{path} names no table")
        tree = dialect.parse(query)
        order = tree.args.get("order")
        tree.set("order", None)
        frame = self._frame(dialect.translate(tree, self.target, self._asked))
        table = self._settings.project.table_name
        by_day = self._settings.project.time if name in (table, f"not-accepted/{table}") else None
        places = [F.col(f"`{each.this.name}`") for each in order.expressions] if order and by_day else []
        return self.write(frame, f"{self.storage}/{name}", day_of=by_day, order=places, least=least)

    def bring_in(self, file: Path, path: Path) -> int:
        """Keep a Parquet file of this machine as the table that `path` names; return its rows."""
        frame = self.parquet(self._files.visible(file, self.storage))
        return self.write(frame, f"{self.storage}/{stored_name(self._settings, path)}")

    @contextmanager
    def atomic(self) -> Generator[None]:
        """Let all that is stored in the block count at its end, or nothing."""
        self._waiting = waiting = []
        try:
            yield
            for place, version in waiting:
                self._point(place, version)
        except BaseException:
            for place, version in waiting:
                with suppress(Exception):  # what was raised says more
                    if self._files.current(place) != version:
                        self._files.delete(f"{place}/{version}")
            raise
        finally:
            self._waiting = None

    def write(
        self, frame: DataFrame, place: str, *, day_of: str | None = None, order: Any = (), least: int = 0
    ) -> int:
        """Write a frame as the table at `place`, and return its rows; the former one counts until then."""
        version = f"v-{time.time_ns()}-{uuid.uuid4().hex[:8]}"
        try:
            count = self.write_folder(frame, f"{place}/{version}", day_of=day_of, order=order)
            if count < least:
                raise TooFewRowsError(count)
        except BaseException:
            with suppress(Exception):  # what was raised says more
                self._files.delete(f"{place}/{version}")
            raise
        if self._waiting is None:
            self._point(place, version)
        else:
            self._waiting.append((place, version))
        return count

    def _point(self, place: str, version: str) -> None:
        self._files.point(place, version)
        self._views = {call: view for call, view in self._views.items() if not call.startswith("stored ")}

    def write_folder(
        self, frame: DataFrame, folder: str, *, day_of: str | None = None, order: Any = ()
    ) -> int:
        """Write a frame into a new folder of Parquet files, one a day of `day_of`; return its rows."""
        counted = Observation()
        frame = frame.observe(counted, F.count(F.lit(1)).alias("n"))
        with own_errors():
            if day_of:
                frame = frame.withColumn(DAY, F.to_date(F.col(f"`{day_of}`"))).repartition(F.col(DAY))
                frame = frame.sortWithinPartitions(DAY, *order) if order else frame
                frame.write.partitionBy(DAY).parquet(folder)
            else:
                frame.write.parquet(folder)
        return int(counted.get["n"])

    def write_here(self, frame: DataFrame, folder: Path, *, day_of: str | None = None) -> None:
        """Write a frame into a new folder of this machine, by way of the storage where that is elsewhere."""
        if self.storage.startswith("file:"):
            self.write_folder(frame, address(folder), day_of=day_of)
            return
        between = f"{self.storage}/landing-{uuid.uuid4().hex[:12]}"
        try:
            self.write_folder(frame, between, day_of=day_of)
            self._files.copy_here(between, folder)
        finally:
            self._files.delete(between)

    def move(self, path: Path, target: Path) -> None:
        """Let a version of one table be that of another, in place of the one that counts there."""
        source, place = (f"{self.storage}/{stored_name(self._settings, each)}" for each in (path, target))
        version = self._files.current(source)
        if version:
            self._files.rename(f"{source}/{version}", f"{place}/{version}")
            self._point(place, version)
            self._files.delete(source)

    def discard(self, path: Path) -> None:
        """Delete a table with all of its versions."""
        self._files.delete(f"{self.storage}/{stored_name(self._settings, path)}")

    def is_stored(self, path: Path) -> bool:
        """Return whether there is a table that `path` names."""
        name = stored_name(self._settings, path)
        return name is not None and self._files.current(f"{self.storage}/{name}") is not None

    def land(self, query: str, path: Path) -> int:
        """Write the rows of a query to a Parquet file of this machine, in the order that the query says."""
        tree = dialect.parse(query)
        order = tree.args.get("order")
        if tree.args.get("limit") is None:
            tree.set("order", None)
        frame = self._frame(dialect.translate(tree, self.target, self._asked))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".landing-") as folder:
            here = Path(folder) / "rows"
            self.write_here(frame, here)
            parts = sorted(here.rglob("*.parquet"))
            source = f"read_parquet([{', '.join(map(file_name, parts))}], hive_partitioning = false)"
            if not parts:
                return write_parquet(self._local, self._local_empty(frame), path)
            by = order.sql(dialect="duckdb") if order else ""
            return write_parquet(self._local, f"SELECT * FROM {source} {by}", path)

    def _local_empty(self, frame: DataFrame) -> str:
        self._local.register("_none", _no_rows(frame))
        return "SELECT * FROM _none"

    def map_batches(self, frame: DataFrame, work: Any, schema: Any) -> DataFrame:
        """Return what `work` makes of a frame's rows on the workers, from Arrow batches to such."""
        with own_errors():
            return frame.mapInArrow(work, schema)

    def there_already(self, name: str) -> str:
        """Return the FROM item of a table of the catalogue, or of what stands as "parquet.`hdfs://host/orders`"."""
        return identifier(self._view_of(f"there {name}", lambda: self._frame(f"SELECT * FROM {name}")))

    def head(self, frame: DataFrame) -> pa.Table:
        """Return the first row of a frame, if it has any."""
        with own_errors():
            return frame.limit(1).toArrow()

    def _fetch(self, query: str) -> duckdb.DuckDBPyRelation:
        with own_errors():
            return self._local.from_arrow(self.session.sql(query).toArrow())

    def _empty(self, query: str) -> duckdb.DuckDBPyRelation:
        frame = self._frame(query)
        with own_errors():
            return self._local.from_arrow(_no_rows(frame))

    def _keep(self, name: str, query: str, *, view: bool) -> None:
        frame = self._frame(query)
        former = self._kept.pop(name.lower(), None)
        if not view:
            # Not in memory, too: there a partition is held in one piece, however large it is.
            frame = frame.persist(StorageLevel.DISK_ONLY)
            with own_errors():
                frame.count()  # what is wrong with the rows is said where they are made
            self._kept[name.lower()] = frame
        frame.createOrReplaceTempView(f"`{name}`")
        if former is not None:
            former.unpersist()

    def _drop(self, name: str) -> None:
        self.session.catalog.dropTempView(name)

    def _take_in(self, name: str, rows: duckdb.DuckDBPyRelation) -> None:
        table = rows.to_arrow_table()
        with own_errors():
            self.session.createDataFrame(table).createOrReplaceTempView(f"`{name}`")

    # What is read.

    def _scanned(self, call: str) -> str:
        paths, _, tree = read_call(call)
        if len(paths) == 1 and stored_name(self._settings, paths[0]) and self.is_stored(paths[0]):
            return self._view_of(f"stored {paths[0]}", lambda: self._stored(paths[0]))
        self._refuse_part(paths)
        absent = [path for path in paths if not path.exists()]
        if absent:
            raise duckdb.IOException(f"{absent[0]}: no such file")
        places = [self._files.visible(path, self.storage) for path in paths]
        if call.lower().startswith("read_parquet"):
            merged = "union_by_name" in call.lower()
            return self._view_of(call, lambda: self.parquet(*places, merged=merged))
        if call.lower().startswith("read_json"):
            return self._view_of(call, lambda: self._json(places, tree))
        return self._view_of(call, lambda: self._small(call))

    def _view_of(self, call: str, made: Any) -> str:
        """Return the name of a view, which is made when it is first asked for."""
        if call not in self._views:
            name = f"scanned_{len(self._views)}_{uuid.uuid4().hex[:8]}"
            made().createOrReplaceTempView(name)
            self._views[call] = name
        return self._views[call]

    def _small(self, call: str) -> DataFrame:
        """Return the rows of a small file of this machine, such as people's labels, that DuckDB reads."""
        with own_errors():
            return self.session.createDataFrame(self._local.sql(f"SELECT * FROM {call}").to_arrow_table())

    def _stored(self, path: Path) -> DataFrame:
        place = f"{self.storage}/{stored_name(self._settings, path)}"
        version = self._files.current(place)
        if not self._files.exists(f"{place}/{version}/{DONE}"):
            raise ProjectError(
                f"{place}/{version}: half-written, as {DONE} is missing; run `etl`, which writes the "
                "table anew"
            )
        return self.parquet(f"{place}/{version}")

    def parquet(self, *places: str, merged: bool = False) -> DataFrame:
        """Return the rows of Parquet files or folders, without columns of their folders' names."""
        reader = self.session.read.option("recursiveFileLookup", "true").option(
            "mergeSchema", str(merged).lower()
        )
        with own_errors():
            return reader.parquet(*places)

    def _json(self, places: list[str], tree: exp.Expression) -> DataFrame:
        """Return the rows of JSON lines, each value cast to its column's type, or empty where it is none."""
        function = next(table.this for table in tree.find_all(exp.Table))
        given = next(
            each
            for each in function.expressions
            if each.name.lower() == "columns"
            or (isinstance(each, exp.EQ) and each.this.name.lower() == "columns")
        )
        kinds = {pair.this.name: pair.expression.this for pair in given.expression.expressions}
        schema = ", ".join(f"`{name}` STRING" for name in kinds)
        with own_errors():
            texts = self.session.read.schema(schema).json(places)
        view = f"lines_{uuid.uuid4().hex[:8]}"
        texts.createOrReplaceTempView(view)
        cast = ", ".join(
            f"{identifier(n)}"
            if kind == "VARCHAR"
            else f"TRY_CAST({identifier(n)} AS {kind}) AS {identifier(n)}"
            for n, kind in kinds.items()
        )
        return self.frame(f"SELECT {cast} FROM {view}")

    def files_of(self, folder: Path, files: Sequence[Path]) -> DataFrame:
        """Return the rows of Parquet files of a folder; folders `name=value` in it are columns, as Hive's."""
        base = address(folder).replace("\\", "")  # it is no pattern
        with own_errors():
            return self.session.read.option("basePath", base).parquet(*map(address, files))

    def listing(self, place: str) -> dict[str, int]:
        """Return the bytes of each file in a folder and below, or of a file, by its path."""
        return self._files.listing(place)

    def separated(self, place: str, separator: str, encoding: str, *, header: bool, size: int) -> DataFrame:
        """Return the rows of a file of separated values, each column as text; a line that is no row stops."""
        with own_errors():
            return self.session.read.csv(
                place,
                sep=separator,
                encoding=encoding,
                header=header,
                quote='"',
                escape='"',
                mode="FAILFAST",
                multiLine=size < MULTILINE_BYTES,
                enforceSchema=False,
            )


def _no_rows(frame: DataFrame) -> pa.Table:
    """Return a table of a frame's columns without any row; instants are in UTC, as all that is fetched."""
    return to_arrow_schema(frame.schema, timezone="UTC").empty_table()


def storage_of(settings: Settings) -> str:
    """Return the URL of the folder of the tables; a small run has its own."""
    given = settings.compute.storage
    if given is None:
        return address(settings.workspace / "data" / "spark")
    place = given if re.match(r"[a-z][a-z0-9+.-]+:", given) else address(settings.root / given)
    return f"{place.rstrip('/')}/sample-{settings.sample}" if settings.sample else place.rstrip("/")


def address(path: Path) -> str:
    """Return a path of this machine as Hadoop names it; it is a name, and no pattern."""
    plain = re.sub(r"([\[\]{}*?\\])", r"\\\1", path.absolute().as_posix())
    return f"file://{plain}" if plain.startswith("/") else f"file:///{plain}"


class _Files:
    """Files through Hadoop's layer: what the scheme of a URL stands for, `file://` or `hdfs://`."""

    def __init__(self, session: SparkSession) -> None:
        self._jvm: Any = session.sparkContext._jvm
        self._gateway: Any = session.sparkContext._gateway
        self._hadoop: Any = session._jsparkSession.sessionState().newHadoopConf()

    def _path(self, place: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(place.replace("\\", ""))

    def _system(self, place: str) -> Any:
        return self._path(place).getFileSystem(self._hadoop)

    def exists(self, place: str) -> bool:
        """Return whether there is a file or folder."""
        with own_errors():
            return bool(self._system(place).exists(self._path(place)))

    def listing(self, place: str) -> dict[str, int]:
        """Return the bytes of each file in a folder and below, or of a file, by its path."""
        with own_errors():
            found, sizes = self._system(place).listFiles(self._path(place), True), {}
            while found.hasNext():
                file = found.next()
                sizes[str(file.getPath())] = int(file.getLen())
            return sizes

    def names(self, place: str) -> list[str]:
        """Return the names in a folder."""
        with own_errors():
            return [
                str(each.getPath().getName()) for each in self._system(place).listStatus(self._path(place))
            ]

    def current(self, place: str) -> str | None:
        """Return the version of a table that counts, None where there is no table."""
        pointer = f"{place}/{CURRENT}"
        if not self.exists(pointer):
            return None
        with own_errors():
            stream = self._system(pointer).open(self._path(pointer))
            try:
                return str(self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")).strip()
            finally:
                stream.close()

    def point(self, place: str, version: str) -> None:
        """Let a version of a table count, in one step; older ones go, but for the one before it."""
        former = self.current(place)
        fresh, pointer = f"{place}/{CURRENT}.{version}", f"{place}/{CURRENT}"
        with own_errors():
            stream = self._system(place).create(self._path(fresh), True)
            stream.write(bytearray(version, "utf-8"))
            stream.close()
            options = self._jvm.org.apache.hadoop.fs.Options.Rename
            overwrite = self._gateway.new_array(options, 1)
            overwrite[0] = options.OVERWRITE
            context = self._jvm.org.apache.hadoop.fs.FileContext.getFileContext(
                self._path(place).toUri(), self._hadoop
            )
            context.rename(self._path(fresh), self._path(pointer), overwrite)
            kept = {version, former}
            for name in self.names(place):
                if name.startswith("v-") and name not in kept:
                    self._system(place).delete(self._path(f"{place}/{name}"), True)

    def visible(self, file: Path, storage: str) -> str:
        """Return where the workers find a file of this machine: itself, or a copy in a storage elsewhere.

        A copy is made once; one of a file that has changed since takes its place.
        """
        if storage.startswith("file:"):
            return address(file)
        stamp, known = file.stat(), hashlib.sha256(str(file).encode()).hexdigest()[:20]
        folder = f"{storage}/from-here/{known}"
        place = f"{folder}/{stamp.st_size}-{stamp.st_mtime_ns}{file.suffix}"
        if not self.exists(place):
            with own_errors():
                system = self._system(storage)
                system.delete(self._path(folder), True)
                system.mkdirs(self._path(folder))
                self._copy(address(file), f"{place}.unfinished")
                system.rename(self._path(f"{place}.unfinished"), self._path(place))
        return place

    def rename(self, place: str, target: str) -> None:
        """Give a folder another place."""
        with own_errors():
            system = self._system(place)
            system.mkdirs(self._path(target).getParent())
            system.rename(self._path(place), self._path(target))

    def delete(self, place: str) -> None:
        """Delete a file, or a folder with all that is in it."""
        with own_errors():
            self._system(place).delete(self._path(place), True)

    def copy_here(self, place: str, folder: Path) -> None:
        """Copy a folder to this machine."""
        with own_errors():
            self._copy(place, address(folder))

    def _copy(self, place: str, target: str) -> None:
        both = self._system(place), self._path(place), self._system(target), self._path(target)
        self._jvm.org.apache.hadoop.fs.FileUtil.copy(*both, False, self._hadoop)


@contextmanager
def own_errors() -> Generator[None]:
    """Raise what Spark says as DuckDB's errors, by which the modules tell bad data from a bad engine."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
            yield
    except ParseException as error:
        raise duckdb.ParserException(_line(error)) from None
    except AnalysisException as error:
        raise duckdb.BinderException(_line(error)) from None
    except PySparkException as error:
        raise_given_up(str(error))
        raise duckdb.InvalidInputException(_line(error)) from None
    except Py4JError as error:
        raise_given_up(str(error))
        kind = duckdb.InvalidInputException if UNREADABLE in str(error) else duckdb.OperationalError
        raise kind(_line(error)) from None


def _line(error: Exception) -> str:
    """Return what matters of an error of Spark, on one line."""
    text = str(error)
    if FULL in text or any(FULL in said for said in _causes(error)):
        return "the disk is full where Spark writes, its tables or its spark.local.dir; make room"
    raised = re.search(r"\[USER_RAISED_EXCEPTION\] (.*?) SQLSTATE", text, re.DOTALL)
    if raised:
        return f"Invalid Input Error: {' '.join(raised[1].split())}"
    inner = re.search(r"(?:Caused by: |: )(?:[\w.$]+(?:Exception|Error)): (.*)", text)
    said = text if text.startswith("[") or inner is None else inner[1]
    said = said.strip().partition("\n")[0]
    causes = re.findall(r"Caused by: [\w.$]+: (.*)", text) if UNREADABLE in text else []
    if UNREADABLE in text:
        why = causes[-1] if causes else "is a line of another length than the header, or the file cut off?"
        said = f"{said.strip().removesuffix('.')}: {why}"
    return " ".join(re.sub(r" SQLSTATE: \w+.*$", "", said).split()) or type(error).__name__


def _causes(error: Exception) -> Iterator[str]:
    """Yield what Java says of an error and of each of its causes."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None:
        yield str(cause.getMessage())
        cause = cause.getCause()
