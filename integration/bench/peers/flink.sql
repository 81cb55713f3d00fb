CREATE CATALOG lake WITH ('type' = 'iceberg', 'catalog-type' = 'hadoop', 'warehouse' = 'file://{{.Dir}}/warehouse');
{{- $must := " NOT NULL"}}{{if .JSON}}{{$must = ""}}{{end}}
CREATE TEMPORARY TABLE source (
  event_id BIGINT{{$must}}, user_id BIGINT{{$must}}, session STRING{{$must}}, page STRING{{$must}}, referrer STRING, country STRING{{$must}},
  device STRING{{$must}}, ts {{if .JSON}}BIGINT{{else}}TIMESTAMP(3){{end}}{{$must}}, duration DOUBLE{{$must}}, amount DOUBLE, is_bot BOOLEAN{{$must}},
  tags ARRAY<STRING{{$must}}>{{$must}}
) WITH (
  'connector' = 'kafka', 'topic' = '{{.Topic}}', 'properties.bootstrap.servers' = '{{.Brokers}}',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',
  {{if .JSON}}'format' = 'json'{{else}}'format' = 'avro-confluent', 'avro-confluent.url' = '{{.Registry}}'{{end}}
);
INSERT INTO lake.db.events SELECT event_id, user_id, session, page, referrer, country, device,
  {{if .JSON}}TO_TIMESTAMP_LTZ(ts, 3){{else}}CAST(ts AS TIMESTAMP_LTZ(3)){{end}}, duration, amount, is_bot, tags FROM source;
