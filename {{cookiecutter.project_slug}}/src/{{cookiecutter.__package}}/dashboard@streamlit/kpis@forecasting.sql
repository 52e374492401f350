-- How each KPI of project.yaml is computed: a view of its name, with a row for each day, week or month: the day on
-- which that begins, and the figure as `value`. DuckDB runs it; it reads, and never writes.
--
-- There is: predictions, the latest of each key with all columns of the contract that were asked, what was told
-- (planned, low, high), who told it (version, source, predicted_at), and the outcome (departures), NULL until it
-- is known; airport_hours, the loaded table; monitoring, each figure of each look; alerts.

-- Of the hours at an airport, the share in which more planes left than crews were planned for.
CREATE VIEW hours_short AS
SELECT
    date_trunc('week', starts_at) AS week,
    avg(CAST(departures > planned AS INTEGER)) AS value
FROM predictions
WHERE departures IS NOT NULL
GROUP BY week;

-- Of the crew hours that were planned, the share in which no plane left.
CREATE VIEW crews_idle AS
SELECT
    date_trunc('week', starts_at) AS week,
    sum(greatest(planned - departures, 0)) / sum(planned) AS value
FROM predictions
WHERE departures IS NOT NULL
GROUP BY week;
