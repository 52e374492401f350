-- One row per scheduled departure: what is known hours before it, and how it ended.
-- Third file to change for your own data: its columns are those of the contract, in any order.
-- A flight that never left is late, once its day is over: it was cancelled. Of one that left and whose arrival is not
-- recorded, under way or diverted, nobody knows: it is predicted, but neither learnt from nor measured.
-- The weather of the scheduled hour stands in for the forecast that would be at hand beforehand.
SELECT
    f.carrier || CAST(f.flight AS VARCHAR) || '-' || f.origin || '-' || CAST(
        CAST(f.year AS BIGINT) * 100000000 + f.month * 1000000 + f.day * 10000 + f.hour * 100 + f.minute AS VARCHAR
    ) AS flight_id,
    make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0.0) AS scheduled_at,
    f.carrier AS carrier,
    f.origin AS origin,
    f.dest AS destination,
    CAST(f.distance * 1.609344 AS DOUBLE) AS distance_km,
    CAST(EXTRACT(isodow FROM make_timestamp(f.year, f.month, f.day, 0, 0, 0.0)) AS INTEGER) AS day_of_week,
    CAST(f.hour AS INTEGER) AS scheduled_hour,
    CAST(f.year - p.year AS INTEGER) AS plane_age_years,
    p.seats AS plane_seats,
    (w.temp - 32.0) / 1.8 AS temperature_c,
    w.humid AS humidity_percent,
    w.wind_speed * 1.609344 AS wind_speed_kmh,
    w.wind_dir AS wind_direction_degrees,
    w.precip * 25.4 AS precipitation_mm,
    w.pressure AS pressure_hpa,
    w.visib * 1.609344 AS visibility_km,
    f.dep_delay AS departure_delay_minutes,
    CASE
        WHEN f.arr_delay <= 30 THEN 0
        WHEN f.arr_delay > 30 THEN 1
        WHEN f.dep_delay IS NULL AND make_date(f.year, f.month, f.day) < d.newest THEN 1
    END AS late
FROM flights AS f
CROSS JOIN (SELECT max(make_date(year, month, day)) AS newest FROM flights WHERE dep_delay IS NOT NULL) AS d
LEFT JOIN planes AS p ON p.tailnum = f.tailnum
LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour
