-- How each KPI of project.yaml is computed: a view of its name, with a row for each day, week or month: the day on
-- which that begins, and the figure as `value`. DuckDB runs it; it reads, and never writes.
--
-- There is: predictions, the latest of each key with all columns of the contract that were asked, what was told
-- (flagged), who told it (version, source, predicted_at), and the outcome (late), NULL until it is known;
-- departures, the loaded table; monitoring, each figure of each look; alerts.

-- Of the flights that were late, the share that the desk was warned of.
CREATE VIEW late_flights_warned AS
SELECT
    date_trunc('week', scheduled_at) AS week,
    avg(CAST(flagged AS INTEGER)) AS value
FROM predictions
WHERE late = 1
GROUP BY week;

-- Of the warnings, the share that was right.
CREATE VIEW warnings_right AS
SELECT
    date_trunc('week', scheduled_at) AS week,
    avg(late) AS value
FROM predictions
WHERE flagged
GROUP BY week;
