-- What can be asked of a history. `kept_scans`, `kept_targets`, `kept_gateways`, `kept_volumes` and
-- `kept_failures` are the files themselves. All times are in UTC.

CREATE VIEW scans AS
SELECT scan.id AS scan_id, scan.started_at AS scanned_at, scan.finished_at AS finished_at, scan.outcome AS outcome,
       scan.deadline_reached AS deadline_reached, scan.interrupted AS interrupted,
       scan.scanner_version AS scanner_version,
       (coverage ->> '$.targets.planned')::BIGINT AS targets, (coverage ->> '$.targets.failed')::BIGINT AS targets_failed,
       (coverage ->> '$.gateways.listed')::BIGINT AS gateways, (coverage ->> '$.gateways.failed')::BIGINT AS gateways_failed,
       (coverage ->> '$.calls.attempted')::BIGINT AS calls, (coverage ->> '$.calls.throttled')::BIGINT AS throttled
FROM kept_scans;

CREATE VIEW targets AS FROM kept_targets;
CREATE VIEW gateways AS SELECT *, split_part(arn, '/', -1) AS id FROM kept_gateways;
CREATE VIEW failures AS FROM kept_failures;
CREATE MACRO in_danger(verdict, waived) AS verdict IN ('breach', 'no_recovery_point') AND waived IS NULL;
CREATE VIEW volumes AS
SELECT *, split_part(arn, '/', -1) AS id, in_danger(verdict, waived) AS needs_action FROM kept_volumes;

-- `placed_volumes` adds to `kept_volumes` its scan's place in the order of time, and `moments` says when that was. A year of
-- a large fleet has millions of rows, hence no window over them: what is asked of all of them is grouped by `arn` first,
-- which is the cheapest key, and then by the volume, which has another ARN on another gateway.

-- The newest row of each volume that an answer of its gateway made: what is known of it at the latest.
CREATE VIEW latest AS
WITH named AS (
    SELECT arn, any_value(account_id) AS account_id, any_value(region) AS region, max(place) AS place
    FROM placed_volumes WHERE verdict <> 'unknown' GROUP BY arn
),
last AS (
    SELECT arg_max(arn, place) AS arn, max(place) AS place
    FROM named GROUP BY account_id, region, split_part(arn, '/', -1)
)
SELECT * EXCLUDE (place), split_part(arn, '/', -1) AS id, in_danger(verdict, waived) AS needs_action
FROM placed_volumes SEMI JOIN last USING (arn, place);

-- Each stretch of scans in which a volume needed action. A scan that could not ask neither ends nor begins one.
-- `since`: when the RPO was certainly exceeded, or the first scan that saw no point. `possibly_since`: the same, but
-- for a volume without a point the last scan that saw it well. `last_seen`: the last scan that saw the volume in
-- danger. `ended_seen`: the first scan that saw it well again, or its target without it; null while the stretch is open.
CREATE VIEW spells AS
WITH named AS (
    -- `well` has a bit for each scan, set where it saw the volume well: all that the rows have to be compared with.
    SELECT arn, any_value(account_id) AS account_id, any_value(region) AS region, max(scanned_at) AS last_present,
           bool_or(in_danger(verdict, waived)) AS troubled,
           bitstring_agg(place, 0, getvariable('places'))
               FILTER (verdict <> 'unknown' AND NOT in_danger(verdict, waived)) AS well
    FROM placed_volumes GROUP BY arn
),
courses AS MATERIALIZED (
    SELECT row_number() OVER () AS course, account_id, region, split_part(arn, '/', -1) AS id,
           max(last_present) AS last_present, coalesce(bit_or(well)::VARCHAR, '') AS well
    FROM named GROUP BY ALL HAVING bool_or(troubled)
),
troubled AS (
    -- All rows after the same scan that saw the volume well, and before the next one, are one stretch.
    SELECT course, length(rtrim(left(well, place), '0')) AS after, place, scanned_at, rows.arn, gateway_arn,
           recovery_point_time IS NULL AS pointless,
           least(scanned_at, coalesce(recovery_point_time + to_seconds(rpo_seconds), scanned_at)) AS exceeded_at
    FROM (SELECT *, split_part(arn, '/', -1) AS id FROM placed_volumes WHERE in_danger(verdict, waived)) AS rows
    JOIN courses USING (account_id, region, id)
),
stretches AS (
    SELECT course, after, arg_max(arn, place) AS arn, arg_max(gateway_arn, place) AS gateway_arn,
           min(exceeded_at) AS since, arg_min(pointless, place) AS pointless, min(scanned_at) AS first_seen,
           max(scanned_at) AS last_seen, max(place) AS last_place, count(*) AS scans
    FROM troubled GROUP BY course, after
),
dated AS (
    SELECT stretches.*, account_id, region, last_present, later.scanned_at AS well_after,
           CASE WHEN pointless THEN earlier.scanned_at END AS well_before
    FROM stretches JOIN courses USING (course)
    LEFT JOIN moments AS earlier ON earlier.place = after - 1
    LEFT JOIN moments AS later ON later.place = last_place + nullif(instr(substr(well, last_place + 2), '1'), 0)
),
whole AS (SELECT account_id, region, scanned_at FROM targets WHERE status = 'complete')
SELECT arn, dated.account_id, dated.region, gateway_arn, since, least(since, coalesce(well_before, since)) AS possibly_since,
       first_seen, last_seen, coalesce(well_after, whole.scanned_at) AS ended_seen, scans
FROM dated ASOF LEFT JOIN whole
  ON dated.account_id = whole.account_id AND dated.region = whole.region AND dated.last_present < whole.scanned_at;

-- How many of each account's volumes were within their RPO, scan by scan.
CREATE VIEW compliance AS
SELECT scan_id, scanned_at, account_id,
       count(*) FILTER (verdict IN ('ok', 'at_risk')) AS within_rpo,
       count(*) FILTER (verdict IN ('breach', 'no_recovery_point')) AS beyond_rpo,
       count(*) FILTER (verdict = 'unknown') AS unknown, count(*) FILTER (verdict = 'unrated') AS unrated,
       within_rpo / nullif(within_rpo + beyond_rpo, 0) AS share_within
FROM kept_volumes GROUP BY ALL;
