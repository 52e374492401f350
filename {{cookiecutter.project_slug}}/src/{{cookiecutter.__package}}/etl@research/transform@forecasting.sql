-- One row per airport and hour from five in the morning to midnight, one week beyond the last known day:
-- how many planes left in it, and what was known of it once the same day of the week before was over: six days ahead.
-- The first four weeks only say what came before the fifth.
-- Third file to change for your own data: its columns are those of the contract, in any order.
-- A day is known once a later one has departures: before it is over, some of its planes have not left yet.
-- A plane counts in the hour in which it left, not in that of its schedule; cancelled flights count nowhere.
WITH flown AS (
    SELECT
        f.origin AS airport,
        make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0.0) + f.dep_delay * INTERVAL 1 MINUTE AS left_at
    FROM flights AS f
    WHERE f.dep_delay IS NOT NULL
),
counted AS (
    SELECT airport, CAST(left_at AS DATE) AS day, CAST(EXTRACT(hour FROM left_at) AS INTEGER) AS hour_of_day, count(*) AS n
    FROM flown
    GROUP BY 1, 2, 3
),
known_days AS (
    SELECT DISTINCT make_date(year, month, day) AS day
    FROM flights
    WHERE make_date(year, month, day) < (SELECT max(make_date(year, month, day)) FROM flights WHERE dep_delay IS NOT NULL)
),
days AS (
    SELECT day, TRUE AS known FROM known_days
    UNION ALL
    SELECT CAST(day + INTERVAL 7 DAY AS DATE) AS day, FALSE AS known FROM known_days
    WHERE day + INTERVAL 7 DAY > (SELECT max(day) FROM known_days)
),
hours AS (
    SELECT
        a.airport, d.day, h.hour_of_day,
        CASE WHEN d.known THEN coalesce(c.n, 0) END AS departures
    FROM (SELECT DISTINCT airport FROM counted) AS a
    CROSS JOIN days AS d
    CROSS JOIN (SELECT DISTINCT hour_of_day FROM counted WHERE hour_of_day >= 5) AS h
    LEFT JOIN counted AS c ON c.airport = a.airport AND c.day = d.day AND c.hour_of_day = h.hour_of_day
),
forecast AS (
    SELECT
        airport || '-' || strftime(day, '%Y%m%d') || lpad(CAST(hour_of_day AS VARCHAR), 2, '0') AS airport_hour,
        CAST(day AS TIMESTAMP) + hour_of_day * INTERVAL 1 HOUR AS starts_at,
        CAST(day AS TIMESTAMP) - INTERVAL 6 DAY AS planned_on,
        airport,
        CAST(EXTRACT(isodow FROM day) AS INTEGER) AS day_of_week,
        hour_of_day,
        lag(departures, 1) OVER same_hour AS departures_one_week_before,
        lag(departures, 2) OVER same_hour AS departures_two_weeks_before,
        lag(departures, 3) OVER same_hour AS departures_three_weeks_before,
        lag(departures, 4) OVER same_hour AS departures_four_weeks_before,
        avg(departures) OVER (same_hour ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING) AS mean_of_four_weeks,
        CAST(sum(departures) OVER day_one_week_before AS INTEGER) AS departures_of_day_one_week_before,
        departures
    FROM hours
    WINDOW
        same_hour AS (PARTITION BY airport, hour_of_day, EXTRACT(isodow FROM day) ORDER BY day),
        day_one_week_before AS (
            PARTITION BY airport ORDER BY day RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND INTERVAL 7 DAY PRECEDING
        )
)
SELECT * FROM forecast
WHERE departures_four_weeks_before IS NOT NULL
