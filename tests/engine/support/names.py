"""The worked example under short names: its contract, estimator, and command line."""

from importlib import import_module
from types import SimpleNamespace

from handrail import cli
from tests.engine.support.workspaces import PROJECT

UNBOUND = import_module(PROJECT.package).project  # in whatever folder is the working one
contract = SimpleNamespace(CONTRACT=PROJECT.contract, TABLE=PROJECT.table_name)
estimator = PROJECT.estimator
PROGRAM = PROJECT.program
ENV_PREFIX = PROJECT.env_prefix


def main(arguments):
    """Run a verb in the working folder and return its exit status."""
    return cli.run(UNBOUND, list(arguments))


commands = SimpleNamespace(main=main, PROGRAM=PROGRAM)
