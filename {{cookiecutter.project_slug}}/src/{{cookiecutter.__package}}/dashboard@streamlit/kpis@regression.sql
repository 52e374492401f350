-- How each KPI of project.yaml is computed: a view of its name, with a row for each day, week or month: the day on
-- which that begins, and the figure as `value`. DuckDB runs it; it reads, and never writes.
--
-- There is: predictions, the latest of each key with all columns of the contract that were asked, what was told
-- (planned, low, high), who told it (version, source, predicted_at), and the outcome (delay_minutes), NULL until
-- it is known; departures, the loaded table; monitoring, each figure of each look; alerts.

-- By how many minutes a plane comes later than its gate was kept free, and waits; 0 where the gate was free.
CREATE VIEW gate_wait AS
SELECT
    date_trunc('week', scheduled_at) AS week,
    avg(greatest(delay_minutes - planned, 0)) AS value
FROM predictions
WHERE delay_minutes IS NOT NULL
GROUP BY week;

-- How many minutes a gate was kept free after its plane had come.
CREATE VIEW gate_idle AS
SELECT
    date_trunc('week', scheduled_at) AS week,
    avg(greatest(planned - delay_minutes, 0)) AS value
FROM predictions
WHERE delay_minutes IS NOT NULL
GROUP BY week;
