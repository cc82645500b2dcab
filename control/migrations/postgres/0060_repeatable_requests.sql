-- Requests that may be repeated (`Idempotency-Key`), for a day. The key is stored as its digest and
-- the request's digest is taken over the key too, so that no password in a body can be guessed
-- from it by trying.
CREATE TABLE repeatable_requests (
    principal_id   BIGINT NOT NULL REFERENCES principals (id),
    key_digest     BYTEA NOT NULL CHECK (octet_length(key_digest) = 32),
    request_digest BYTEA NOT NULL CHECK (octet_length(request_digest) = 32),
    at             BIGINT NOT NULL,
    -- What it made.
    target_kind    TEXT NOT NULL,
    target_id      BIGINT NOT NULL,
    -- What was answered; null where that was a secret, or until it is known.
    status         BIGINT,
    answer         TEXT,
    PRIMARY KEY (principal_id, key_digest),
    CHECK ((status IS NULL) = (answer IS NULL))
);
CREATE INDEX repeatable_requests_at ON repeatable_requests (at);
