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
CREATE VIEW volumes AS
SELECT *, split_part(arn, '/', -1) AS id,
       verdict IN ('breach', 'no_recovery_point') AND waived IS NULL AS needs_action
FROM kept_volumes;

-- The newest row of each volume that an answer of its gateway made: what is known of it at the latest. A volume is known
-- by its id, for its ARN names the gateway that it is on.
CREATE VIEW latest AS
WITH last AS (
    SELECT account_id, region, id, max(scanned_at) AS scanned_at FROM volumes WHERE verdict <> 'unknown' GROUP BY ALL
)
SELECT volumes.* FROM volumes SEMI JOIN last USING (account_id, region, id, scanned_at);

-- Each stretch of scans in which a volume needed action. A scan that could not ask neither ends nor begins one.
-- `since`: when the RPO was certainly exceeded, or the first scan that saw no point. `possibly_since`: the same, but
-- for a volume without a point the last scan that saw it well. `last_seen`: the last scan that saw the volume in
-- danger. `ended_seen`: the first scan that saw it well again, or its target without it; null while the stretch is open.
CREATE VIEW spells AS
WITH troubled AS (SELECT DISTINCT account_id, region, id FROM volumes WHERE needs_action),
present AS (
    SELECT *, max(scanned_at) OVER (PARTITION BY account_id, region, id) AS last_present
    FROM volumes SEMI JOIN troubled USING (account_id, region, id)
),
known AS (
    SELECT arn, id, account_id, region, gateway_arn, scanned_at, needs_action, recovery_point_time, rpo_seconds,
           last_present, lag(needs_action) OVER seen AS before, lag(scanned_at) OVER seen AS before_at,
           lead(scanned_at) OVER seen AS next_at
    FROM present
    WHERE verdict <> 'unknown'
    WINDOW seen AS (PARTITION BY account_id, region, id ORDER BY scanned_at)
),
numbered AS (
    SELECT *, least(scanned_at, coalesce(recovery_point_time + to_seconds(rpo_seconds), scanned_at)) AS exceeded_at,
           CASE WHEN recovery_point_time IS NULL AND before IS DISTINCT FROM true THEN before_at END AS last_well_at,
           count(*) FILTER (needs_action AND before IS DISTINCT FROM true)
               OVER (PARTITION BY account_id, region, id ORDER BY scanned_at) AS spell
    FROM known
),
stretches AS (
    SELECT account_id, region, arg_max(arn, scanned_at) AS arn, arg_max(gateway_arn, scanned_at) AS gateway_arn,
           min(exceeded_at) AS since,
           least(min(exceeded_at), coalesce(min(last_well_at), min(exceeded_at))) AS possibly_since,
           min(scanned_at) AS first_seen, max(scanned_at) AS last_seen, arg_max(next_at, scanned_at) AS well_seen,
           max(last_present) AS last_present, count(*) AS scans
    FROM numbered WHERE needs_action GROUP BY account_id, region, id, spell
),
whole AS (SELECT account_id, region, scanned_at FROM targets WHERE status = 'complete')
SELECT arn, stretches.account_id, stretches.region, gateway_arn, since, possibly_since, first_seen, last_seen,
       coalesce(well_seen, whole.scanned_at) AS ended_seen, scans
FROM stretches ASOF LEFT JOIN whole
  ON stretches.account_id = whole.account_id AND stretches.region = whole.region
 AND stretches.last_present < whole.scanned_at;

-- How many of each account's volumes were within their RPO, scan by scan.
CREATE VIEW compliance AS
SELECT scan_id, scanned_at, account_id,
       count(*) FILTER (verdict IN ('ok', 'at_risk')) AS within_rpo,
       count(*) FILTER (verdict IN ('breach', 'no_recovery_point')) AS beyond_rpo,
       count(*) FILTER (verdict = 'unknown') AS unknown, count(*) FILTER (verdict = 'unrated') AS unrated,
       within_rpo / nullif(within_rpo + beyond_rpo, 0) AS share_within
FROM kept_volumes GROUP BY ALL;
