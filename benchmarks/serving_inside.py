"""What the project's own interpreter does for the benchmark of its service, in the project's folder.

    python serving_inside.py records COUNT FILE
    python serving_inside.py model FILE
    python serving_inside.py ordinary PORT

`records` writes the body of a request for the first rows of the live period. `model` reads numbers, runs the
model alone on these rows so often, and prints the seconds that took, and those of the processor. `ordinary`
serves the ordinary way, as if something had been added.
"""

import json
import sys
import time
from pathlib import Path

from late_flights import project

from handrail.cli.verbs.serve import _listener
from handrail.compute.duckdb import connect, rows
from handrail.etl.load import require_table
from handrail.registry.live import load_live
from handrail.serving.inference import start_model
from handrail.serving.request_body import RequestBody
from handrail.serving.server import run_alone


def write_records(count: str, file: str) -> None:
    """Write the body of a request for so many records."""
    settings = project.settings()
    names, table = ", ".join(project.request.model_fields), require_table(settings, project.table_name)
    live = f"{project.time} >= '{settings.dates.live_from}' ORDER BY {project.time}, {project.key}"
    with connect(settings) as connection:
        found = rows(connection, f"SELECT {names} FROM {table} WHERE {live} LIMIT {int(count)}")
    Path(file).write_text(json.dumps({"records": found}, default=lambda time: time.isoformat()))


def run_model(file: str) -> None:
    """Run the model alone, on the matrix of the records in `file`."""
    settings = project.settings()
    version, _ = load_live(settings)
    predictor = start_model(version)
    matrix = version.encoding.matrix(RequestBody(settings).read(Path(file).read_bytes()))
    for line in sys.stdin:
        begun, used = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            predictor.predict(matrix)
        print(time.perf_counter() - begun, time.process_time() - used, flush=True)


def serve_the_ordinary_way(port: str) -> None:
    """Serve as `serve` does, with an exception handler that handles nothing."""
    settings = project.settings()
    app = project.create_app(settings)

    @app.exception_handler(418)
    async def refuse(request, error):
        raise error

    with _listener("127.0.0.1", int(port)) as listener:
        run_alone(app, settings, listener)


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    {"records": write_records, "model": run_model, "ordinary": serve_the_ordinary_way}[what](*given)
