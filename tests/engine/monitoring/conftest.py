"""Fixtures: a month of predictions of the worked example, once for each file, and copies to break."""

import pytest

from tests.engine.support.lived import first_month_predicted
from tests.engine.support.workspaces import copied


@pytest.fixture(scope="module")
def predicted(trained, tmp_path_factory):
    """Return settings of a workspace whose live version has predicted its first month; read only."""
    return first_month_predicted(trained, tmp_path_factory.mktemp("predicted"))


@pytest.fixture
def month(predicted, tmp_path):
    """Return settings of a copy of that workspace, to change and to break."""
    return copied(predicted, tmp_path)
