COPY (
    WITH flights AS (
        FROM read_csv(getvariable('flights'), auto_detect = false, header = true, nullstr = 'NA', columns = {
            'year': 'INTEGER', 'month': 'INTEGER', 'day': 'INTEGER', 'dep_time': 'VARCHAR', 'sched_dep_time': 'VARCHAR',
            'dep_delay': 'INTEGER', 'arr_time': 'VARCHAR', 'sched_arr_time': 'VARCHAR', 'arr_delay': 'INTEGER',
            'carrier': 'VARCHAR', 'flight': 'INTEGER', 'tailnum': 'VARCHAR', 'origin': 'VARCHAR', 'dest': 'VARCHAR',
            'air_time': 'VARCHAR', 'distance': 'INTEGER', 'hour': 'INTEGER', 'minute': 'INTEGER', 'time_hour': 'TIMESTAMP'})
    ), transformed AS (
        SELECT
            f.carrier || f.flight || '-' || f.origin || '-' || strftime(make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0.0), '%Y%m%d%H%M') AS flight_id,
            make_timestamp(f.year, f.month, f.day, f.hour, f.minute, 0.0) AS scheduled_at,
            f.carrier,
            f.origin,
            f.dest AS destination,
            CAST(f.distance * 1.609344 AS DOUBLE) AS distance_km,
            CAST(isodow(scheduled_at) AS INTEGER) AS day_of_week,
            f.hour AS scheduled_hour,
            f.year - p.year AS plane_age_years,
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
                WHEN f.arr_delay > 30 OR make_date(f.year, f.month, f.day) < d.newest AND f.dep_delay IS NULL THEN 1
            END AS late
        FROM flights AS f
        CROSS JOIN (SELECT max(make_date(year, month, day)) AS newest FROM flights WHERE dep_delay IS NOT NULL) AS d
        LEFT JOIN read_csv(getvariable('source') || '/planes.csv', auto_detect = false, header = true, nullstr = 'NA', columns = {
            'tailnum': 'VARCHAR', 'year': 'INTEGER', 'type': 'VARCHAR', 'manufacturer': 'VARCHAR', 'model': 'VARCHAR',
            'engines': 'VARCHAR', 'seats': 'INTEGER', 'speed': 'VARCHAR', 'engine': 'VARCHAR'}) AS p USING (tailnum)
        LEFT JOIN read_csv(getvariable('source') || '/weather.csv', auto_detect = false, header = true, nullstr = 'NA', columns = {
            'origin': 'VARCHAR', 'year': 'VARCHAR', 'month': 'VARCHAR', 'day': 'VARCHAR', 'hour': 'VARCHAR',
            'temp': 'DOUBLE', 'dewp': 'VARCHAR', 'humid': 'DOUBLE', 'wind_dir': 'DOUBLE', 'wind_speed': 'DOUBLE',
            'wind_gust': 'VARCHAR', 'precip': 'DOUBLE', 'pressure': 'DOUBLE', 'visib': 'DOUBLE', 'time_hour': 'TIMESTAMP'}) AS w
            ON w.origin = f.origin AND w.time_hour = f.time_hour
    )
    SELECT DISTINCT ON (flight_id) *
    FROM transformed
    WHERE flight_id IS NOT NULL AND regexp_matches(flight_id, '^[0-9A-Z]{2}[0-9]+-[A-Z]{3}-[0-9]{12}$')
        AND scheduled_at IS NOT NULL
        AND carrier IS NOT NULL AND regexp_matches(carrier, '^[0-9A-Z]{2}$')
        AND origin IN ('EWR', 'JFK', 'LGA')
        AND destination IS NOT NULL AND regexp_matches(destination, '^[A-Z]{3}$')
        AND distance_km BETWEEN 50 AND 10000
        AND day_of_week BETWEEN 1 AND 7
        AND scheduled_hour BETWEEN 0 AND 23
        AND (plane_age_years IS NULL OR plane_age_years BETWEEN 0 AND 80)
        AND (plane_seats IS NULL OR plane_seats BETWEEN 1 AND 600)
        AND (temperature_c IS NULL OR temperature_c BETWEEN -40 AND 50)
        AND (humidity_percent IS NULL OR humidity_percent BETWEEN 0 AND 100)
        AND (wind_speed_kmh IS NULL OR wind_speed_kmh BETWEEN 0 AND 200)
        AND (wind_direction_degrees IS NULL OR wind_direction_degrees BETWEEN 0 AND 360)
        AND (precipitation_mm IS NULL OR precipitation_mm BETWEEN 0 AND 150)
        AND (pressure_hpa IS NULL OR pressure_hpa BETWEEN 900 AND 1080)
        AND (visibility_km IS NULL OR visibility_km BETWEEN 0 AND 20)
        AND (departure_delay_minutes IS NULL OR departure_delay_minutes BETWEEN -120 AND 3000)
) TO (getvariable('target')) (FORMAT parquet)
