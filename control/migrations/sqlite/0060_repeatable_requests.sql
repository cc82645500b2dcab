-- Requests that may be repeated (`Idempotency-Key`), for a day. The key is stored as its digest and
-- the request's digest is taken over the key too, so that no password in a body can be guessed
-- from it by trying.
CREATE TABLE repeatable_requests (
    principal_id   INTEGER NOT NULL REFERENCES principals (id),
    key_digest     BLOB NOT NULL CHECK (length(key_digest) = 32),
    request_digest BLOB NOT NULL CHECK (length(request_digest) = 32),
    at             INTEGER NOT NULL,
    -- What it made.
    target_kind    TEXT NOT NULL,
    target_id      INTEGER NOT NULL,
    -- What was answered; null where that was a secret, or until it is known.
    status         INTEGER,
    answer         TEXT,
    PRIMARY KEY (principal_id, key_digest),
    CHECK ((status IS NULL) = (answer IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX repeatable_requests_at ON repeatable_requests (at);
