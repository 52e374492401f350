"""ETL, scoring and monitoring by hand-written SQL on DuckDB, with its own settings; see by_hand.py."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from by_hand import BATCH_ROWS, WINDOW, Model, main, roc_auc
from etl_by_hand import write_table


def score(table: Path, model: Model, target: Path) -> None:
    """Stream the rows through the model."""
    coded = [f"coalesce(CAST({code(name, model)} AS FLOAT), 'NaN'::FLOAT)" for name in model.features]
    chosen = ", ".join(f"{each} AS f{number}" for number, each in enumerate(coded))
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        reader = connection.sql(f"SELECT *, {chosen} FROM '{table}'").to_arrow_reader(BATCH_ROWS)
        kept = [name for name in reader.schema.names if name not in {f"f{n}" for n in range(len(coded))}]
        writer = None
        for batch in reader:
            matrix = np.column_stack([np.from_dlpack(batch[f"f{n}"]) for n in range(len(coded))])
            prediction = pa.array(model.predict(matrix).tolist(), pa.float32())
            found = batch.select(kept).append_column("prediction", prediction)
            writer = writer or pq.ParquetWriter(target, found.schema)
            writer.write_batch(found)
        writer.close()


def code(name: str, model: Model) -> str:
    """Return the number of a feature in SQL."""
    return f"list_position({model.names[name]}, {name}) - 1" if name in model.names else name


def monitor(table: Path, predictions: str, model: Model) -> tuple[int, float, dict[str, float]]:
    """Join the newest predictions with their outcomes, and count."""
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        connection.execute(f"""
            CREATE TEMP TABLE looked_at AS
            SELECT p.*, t.late FROM (
                FROM '{predictions}' WHERE scheduled_at >= (
                    SELECT CAST(max(scheduled_at) AS DATE) - {WINDOW.days - 1} FROM '{predictions}')
                QUALIFY row_number() OVER (PARTITION BY flight_id ORDER BY predicted_at DESC) = 1
            ) AS p LEFT JOIN '{table}' AS t USING (flight_id)
        """)
        grouped = "SELECT prediction, sum(late) AS cases, count(*) AS n FROM looked_at WHERE late IS NOT NULL"
        found = connection.sql(f"{grouped} GROUP BY 1").fetchnumpy()
        counted = {}
        places = ", ".join(f"histogram({place(name, model)}), count(*)" for name in model.reference)
        values = connection.sql(f"SELECT {places} FROM looked_at").fetchall()[0]
        for name, counts, total in zip(model.reference, values[::2], values[1::2], strict=True):
            counted[name] = {**counts, None: total - sum(counts.values())}
        rows = connection.sql("SELECT count(*) FROM looked_at").fetchall()[0][0]
    return rows, roc_auc(*found.values()), model.drifts(counted)


def place(name: str, model: Model) -> str:
    """Return the bin of a value in SQL."""
    known = model.reference[name]
    if known["names"]:
        return f"list_position({known['names']}, {name}) - 1"
    steps = " ".join(f"WHEN {name} <= {edge} THEN {n}" for n, edge in enumerate(known["edges"]))
    return f"CASE {steps} WHEN {name} IS NOT NULL THEN {len(known['edges'])} END"


if __name__ == "__main__":
    main(write_table, score, monitor)
