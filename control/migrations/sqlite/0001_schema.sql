-- The whole schema (product.md "Words", sync.md). Times are milliseconds since 1970 in UTC,
-- permissions 1 read, 2 write, 3 manage, flags 0 and 1: the same in both dialects, so that every
-- query is written once. AUTOINCREMENT: an id is never given twice (sync.md F2).

-- Users and service accounts share one id space and one name space.
CREATE TABLE principals (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT NOT NULL CHECK (kind IN ('user', 'service_account')),
    name           TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    deactivated_at INTEGER,
    -- What is deleted stays, so that the holder of an old token is told so and the audit has a name.
    deleted_at     INTEGER,
    CHECK (deleted_at IS NULL OR deactivated_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX principals_name ON principals (name) WHERE deleted_at IS NULL;
CREATE INDEX principals_seats ON principals (kind) WHERE deactivated_at IS NULL;

CREATE TABLE users (
    principal_id  INTEGER PRIMARY KEY REFERENCES principals (id),
    display_name  TEXT NOT NULL,
    email         TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'user')),
    password_hash TEXT NOT NULL
) STRICT;
CREATE INDEX users_role ON users (role, principal_id);

CREATE TABLE channels (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL UNIQUE,
    description         TEXT NOT NULL,
    privacy             TEXT NOT NULL CHECK (privacy IN ('public', 'authenticated', 'private')),
    storage             TEXT NOT NULL,
    prefix              TEXT NOT NULL,
    include_subchannels INTEGER NOT NULL CHECK (include_subchannels IN (0, 1)),
    created_at          INTEGER NOT NULL,
    created_by          INTEGER NOT NULL REFERENCES principals (id)
) STRICT;

CREATE TABLE service_accounts (
    principal_id INTEGER PRIMARY KEY REFERENCES principals (id),
    channel_id   INTEGER NOT NULL UNIQUE REFERENCES channels (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE groups (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    -- The channel whose owners these are: made and deleted only with it.
    owners_of   INTEGER UNIQUE REFERENCES channels (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE group_members (
    group_id     INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    principal_id INTEGER NOT NULL REFERENCES principals (id),
    added_at     INTEGER NOT NULL,
    PRIMARY KEY (group_id, principal_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_principal ON group_members (principal_id, group_id);

CREATE TABLE group_permissions (
    group_id   INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    permission INTEGER NOT NULL CHECK (permission BETWEEN 1 AND 3),
    PRIMARY KEY (group_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_permissions_channel ON group_permissions (channel_id, group_id, permission);

CREATE TABLE tokens (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    principal_id        INTEGER NOT NULL REFERENCES principals (id),
    name                TEXT NOT NULL,
    description         TEXT NOT NULL,
    permission          INTEGER NOT NULL CHECK (permission BETWEEN 1 AND 3),
    -- May act with its user's role in the API.
    admin               INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created_at          INTEGER NOT NULL,
    created_by          INTEGER NOT NULL REFERENCES principals (id),
    created_by_token    INTEGER REFERENCES tokens (id),
    -- When its present value was issued: the year of its lifespan begins here.
    issued_at           INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    revoked_at          INTEGER,
    -- The change that revoked it, so that revoking again can answer the same proof.
    revoked_revision    INTEGER,
    -- Limits; none when null. Networks are a JSON list of CIDRs.
    networks            TEXT,
    requests_per_second INTEGER CHECK (requests_per_second > 0),
    bytes_per_day       INTEGER CHECK (bytes_per_day > 0),
    CHECK ((revoked_at IS NULL) = (revoked_revision IS NULL))
) STRICT;
CREATE UNIQUE INDEX tokens_name ON tokens (principal_id, name) WHERE revoked_at IS NULL;
CREATE INDEX tokens_principal ON tokens (principal_id, id);
CREATE INDEX tokens_issued_by ON tokens (created_by_token) WHERE created_by_token IS NOT NULL;
CREATE INDEX tokens_revoked ON tokens (revoked_revision) WHERE revoked_revision IS NOT NULL;
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE revoked_at IS NULL;

-- Every value a token ever had: several work at once during the overlap of a reissue, and those
-- that ended stay, so that their holder is told so.
CREATE TABLE token_values (
    digest      BLOB PRIMARY KEY CHECK (length(digest) = 32),
    token_id    INTEGER NOT NULL REFERENCES tokens (id),
    hint        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- The end of a replaced value; null for the present one, which ends with its token.
    valid_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_values_token ON token_values (token_id);

CREATE TABLE token_channels (
    token_id   INTEGER NOT NULL REFERENCES tokens (id),
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    PRIMARY KEY (token_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_channels_channel ON token_channels (channel_id, token_id);

-- Apart from `tokens`, because it is written by gateways, which may not write tokens.
CREATE TABLE token_last_used (
    token_id       INTEGER PRIMARY KEY REFERENCES tokens (id),
    last_used_at   INTEGER NOT NULL,
    last_used_from TEXT NOT NULL
) STRICT;
CREATE INDEX token_last_used_at ON token_last_used (last_used_at);

-- The change feed (sync.md F1 to F4).
CREATE TABLE revision_counter (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY,
    stamp    INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE TABLE changes (
    revision INTEGER NOT NULL REFERENCES revisions (revision) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('token', 'principal', 'channel', 'everything')),
    id       INTEGER CHECK ((id IS NULL) = (kind = 'everything')),
    digest   BLOB CHECK ((digest IS NOT NULL) = (kind = 'token')),
    PRIMARY KEY (revision, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE database_identity (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL
) STRICT;

-- One row per process start of a gateway (sync.md L1).
CREATE TABLE gateways (
    instance               TEXT PRIMARY KEY,
    name                   TEXT NOT NULL,
    version                TEXT NOT NULL,
    started_at             INTEGER NOT NULL,
    applied_revision       INTEGER NOT NULL,
    applied_stamp          INTEGER NOT NULL,
    -- Counted up by every renewal; an observer that sees it stand still ends the row (L5).
    renewal                INTEGER NOT NULL,
    renewed_at             INTEGER NOT NULL,
    lease_ms               INTEGER NOT NULL,
    -- How long it goes on with known tokens past its lease; 0 when it refuses (L6).
    serve_known_ms         INTEGER NOT NULL,
    ended_at               INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX gateways_live ON gateways (name) WHERE ended_at IS NULL;

-- Who did what to what, from where. Names are copied: the event outlives what it names.
CREATE TABLE audit_events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    revision    INTEGER,
    actor_id    INTEGER,
    actor       TEXT NOT NULL,
    via         TEXT NOT NULL,
    address     TEXT,
    request_id  TEXT,
    action      TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id   INTEGER NOT NULL,
    target      TEXT NOT NULL,
    before      TEXT,
    after       TEXT
) STRICT;
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_actor ON audit_events (actor, id);
CREATE INDEX audit_events_action ON audit_events (action, id);
CREATE INDEX audit_events_target ON audit_events (target, id);
CREATE TRIGGER audit_events_keep_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_keep_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;

-- Usage by day (days since 1970 in UTC); token 0 is a download without a token. No references:
-- the numbers outlive what they count.
CREATE TABLE usage_days (
    day        INTEGER NOT NULL,
    token_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    package    TEXT NOT NULL,
    downloads  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (day, token_id, channel_id, package)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_days_token ON usage_days (token_id, day);
CREATE INDEX usage_days_channel ON usage_days (channel_id, day);

CREATE TABLE usage_addresses (
    day        INTEGER NOT NULL,
    token_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    address    TEXT NOT NULL,
    PRIMARY KEY (day, token_id, channel_id, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    digest       BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    principal_id INTEGER NOT NULL REFERENCES principals (id),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    address      TEXT
) STRICT;
CREATE INDEX sessions_principal ON sessions (principal_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

INSERT INTO revision_counter (id, revision) VALUES (1, 0);
INSERT INTO revisions (revision, stamp, at)
    VALUES (0, random(), CAST(unixepoch('subsec') * 1000 AS INTEGER));
INSERT INTO database_identity (id, identity) VALUES (1, lower(hex(randomblob(16))));
