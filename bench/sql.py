"""The table of the limits."""

TABLE = "CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, received_at timestamptz, body bytea, size int, digest text)"
INSERT = "INSERT INTO bare (received_at, body, size, digest) VALUES (now(), %s, %s, %s) RETURNING id"
