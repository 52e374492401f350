"""An engine that is not there is told in a line: what, where, what to do; no table is touched."""

import os
import socket
import stat

import pytest

from handrail import retries
from handrail.compute import data_engine, spark
from handrail.compute.data_engine import connect_data
from handrail.errors import ProjectError
from tests.engine.support.engines import by_engine

PREFIX = "FLIGHTS_CLASSIFICATION_SKLEARN_OPERATION_"


def refusal(settings):
    with pytest.raises(ProjectError) as refused, connect_data(settings):
        pass
    (told,) = refused.value.problems
    assert "\n" not in told
    return told


@pytest.fixture
def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_an_address_that_is_not_set_is_named(tmp_path):
    assert refusal(by_engine(tmp_path, "postgres", None)) == (
        f"compute.engine is postgres, and {PREFIX}COMPUTE_URL is not set; give it the address, as "
        "postgresql://user:password@host:5432/database"
    )


def test_an_address_that_is_none_is_not_shown_with_its_password(tmp_path):
    told = refusal(by_engine(tmp_path, "postgres", None, url="postgres;ada:hidden"))
    assert told.startswith(f"{PREFIX}COMPUTE_URL: no address of PostgreSQL")
    assert "hidden" not in told


def test_a_database_that_is_away_is_tried_again_and_then_told(tmp_path, monkeypatch, free_port, caplog):
    monkeypatch.setattr(retries, "WAIT_SECONDS", 0.01)
    url = f"postgresql://ada:hidden@127.0.0.1:{free_port}/flights"
    told = refusal(by_engine(tmp_path, "postgres", None, url=url))
    assert told.startswith(f"{PREFIX}COMPUTE_URL: the database can't be reached, tried 4 times: ")
    assert told.endswith("start it, or mend the address; the last good tables stay")
    assert "hidden" not in told
    assert sum("tried again in" in each.message for each in caplog.records) == 3


def test_a_master_that_is_away_is_tried_again_and_then_told(tmp_path, monkeypatch, free_port):
    monkeypatch.setattr(retries, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(spark, "require_java", lambda: None)
    monkeypatch.setattr(spark.SparkSession, "_instantiatedSession", None)
    told = refusal(by_engine(tmp_path, "spark", None, master=f"spark://127.0.0.1:{free_port}"))
    assert told == (
        f"compute.master: spark://127.0.0.1:{free_port} can't be reached, tried 4 times: Connection "
        "refused; start "
        "the master, or mend the address in project.yaml; the last good tables stay"
    )


def test_workers_are_told_the_address_by_which_their_master_is_reached(monkeypatch, free_port):
    with socket.create_server(("127.0.0.1", free_port)):
        assert spark.driver_address(f"spark://localhost:{free_port}") == "127.0.0.1"
    monkeypatch.setattr(socket, "create_connection", lambda place, timeout: Reached(place))
    assert spark.driver_address("spark://master.example.com:7077") == "10.1.2.3"
    assert spark.driver_address("local[*]") == "127.0.0.1"
    assert spark.driver_address("yarn") is None


class Reached:
    """A connection that goes out by another of this machine's addresses."""

    def __init__(self, place: tuple[str, int]) -> None:
        assert place == ("master.example.com", 7077)

    def __enter__(self) -> "Reached":
        return self

    def __exit__(self, *failure: object) -> None:
        """End it."""

    def getsockname(self) -> tuple[str, int]:
        """Return where it begins."""
        return "10.1.2.3", 40000


def test_java_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ProjectError) as refused:
        spark.require_java()
    assert [*refused.value.problems] == [
        "compute.engine is spark, which needs Java: no `java` is on the PATH; install version 17 or "
        "newer, on Debian "
        "by `apt-get install default-jre-headless`"
    ]


def test_java_home_without_java_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ProjectError, match=r"JAVA_HOME is .*, and no Java is in it"):
        spark.require_java()


@pytest.mark.skipif(os.name != "posix", reason="a command that is a script")
@pytest.mark.parametrize("version", ["1.8.0_292", "11.0.22"])
def test_java_that_is_too_old_is_told(monkeypatch, tmp_path, version):
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    number = version.removeprefix("1.").partition(".")[0]
    with pytest.raises(ProjectError, match=rf"java is version {number}; install version 17 or newer"):
        spark.require_java()


@pytest.mark.skipif(os.name != "posix", reason="there, every user has a name")
def test_a_user_without_a_name_is_told(monkeypatch):
    nobody = next(number for number in range(70000, 80000) if not named(number))
    monkeypatch.setattr(os, "getuid", lambda: nobody)
    with pytest.raises(ProjectError) as refused:
        spark.require_name()
    assert [*refused.value.problems] == [
        f"compute.engine is spark, which needs its user's name, and user {nobody} has none here; in a "
        "container, mount the machine's /etc/passwd to be read, or run it as a user that has a name"
    ]


def named(number: int) -> bool:
    import pwd

    try:
        return bool(pwd.getpwuid(number))
    except KeyError:
        return False


@pytest.mark.parametrize(("engine", "library"), [("postgres", "psycopg"), ("spark", "pyspark")])
def test_an_extra_that_is_not_installed_is_named(tmp_path, monkeypatch, engine, library):
    monkeypatch.setattr(data_engine, "find_spec", lambda name: None if name == library else object())
    assert refusal(by_engine(tmp_path, engine, None)) == (
        f"compute.engine is {engine}, and {library} is not installed; add the extra: uv add "
        f"'handrail[{engine}]'"
    )
