-- The whole schema (product.md "Words", sync.md). Times are milliseconds since 1970 in UTC,
-- permissions 1 read, 2 write, 3 manage, flags 0 and 1: the same in both dialects, so that every
-- query is written once. IDENTITY: an id is never given twice (sync.md F2).

-- Users and service accounts share one id space and one name space.
CREATE TABLE principals (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           TEXT NOT NULL CHECK (kind IN ('user', 'service_account')),
    name           TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    deactivated_at BIGINT,
    -- What is deleted stays, so that the holder of an old token is told so and the audit has a name.
    deleted_at     BIGINT,
    CHECK (deleted_at IS NULL OR deactivated_at IS NOT NULL)
);
CREATE UNIQUE INDEX principals_name ON principals (name) WHERE deleted_at IS NULL;
CREATE INDEX principals_seats ON principals (kind) WHERE deactivated_at IS NULL;

CREATE TABLE users (
    principal_id  BIGINT PRIMARY KEY REFERENCES principals (id),
    display_name  TEXT NOT NULL,
    email         TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'user')),
    password_hash TEXT NOT NULL
);
CREATE INDEX users_role ON users (role, principal_id);

CREATE TABLE channels (
    id                  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                TEXT COLLATE "C" NOT NULL UNIQUE,
    description         TEXT NOT NULL,
    privacy             TEXT NOT NULL CHECK (privacy IN ('public', 'authenticated', 'private')),
    storage             TEXT NOT NULL,
    prefix              TEXT NOT NULL,
    include_subchannels BIGINT NOT NULL CHECK (include_subchannels IN (0, 1)),
    created_at          BIGINT NOT NULL,
    created_by          BIGINT NOT NULL REFERENCES principals (id)
);

CREATE TABLE service_accounts (
    principal_id BIGINT PRIMARY KEY REFERENCES principals (id),
    channel_id   BIGINT NOT NULL UNIQUE REFERENCES channels (id) ON DELETE CASCADE
);

CREATE TABLE groups (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT NOT NULL,
    -- The channel whose owners these are: made and deleted only with it.
    owners_of   BIGINT UNIQUE REFERENCES channels (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL
);

CREATE TABLE group_members (
    group_id     BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    principal_id BIGINT NOT NULL REFERENCES principals (id),
    added_at     BIGINT NOT NULL,
    PRIMARY KEY (group_id, principal_id)
);
CREATE INDEX group_members_principal ON group_members (principal_id, group_id);

CREATE TABLE group_permissions (
    group_id   BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    channel_id BIGINT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    permission BIGINT NOT NULL CHECK (permission BETWEEN 1 AND 3),
    PRIMARY KEY (group_id, channel_id)
);
CREATE INDEX group_permissions_channel ON group_permissions (channel_id, group_id, permission);

CREATE TABLE tokens (
    id                  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    principal_id        BIGINT NOT NULL REFERENCES principals (id),
    name                TEXT COLLATE "C" NOT NULL,
    description         TEXT NOT NULL,
    permission          BIGINT NOT NULL CHECK (permission BETWEEN 1 AND 3),
    -- May act with its user's role in the API.
    admin               BIGINT NOT NULL CHECK (admin IN (0, 1)),
    created_at          BIGINT NOT NULL,
    created_by          BIGINT NOT NULL REFERENCES principals (id),
    created_by_token    BIGINT REFERENCES tokens (id),
    -- When its present value was issued: the year of its lifespan begins here.
    issued_at           BIGINT NOT NULL,
    expires_at          BIGINT NOT NULL,
    revoked_at          BIGINT,
    -- The change that revoked it, so that revoking again can answer the same proof.
    revoked_revision    BIGINT,
    -- Limits; none when null. Networks are a JSON list of CIDRs.
    networks            TEXT,
    requests_per_second BIGINT CHECK (requests_per_second > 0),
    bytes_per_day       BIGINT CHECK (bytes_per_day > 0),
    CHECK ((revoked_at IS NULL) = (revoked_revision IS NULL))
);
CREATE UNIQUE INDEX tokens_name ON tokens (principal_id, name) WHERE revoked_at IS NULL;
CREATE INDEX tokens_principal ON tokens (principal_id, id);
CREATE INDEX tokens_issued_by ON tokens (created_by_token) WHERE created_by_token IS NOT NULL;
CREATE INDEX tokens_revoked ON tokens (revoked_revision) WHERE revoked_revision IS NOT NULL;
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE revoked_at IS NULL;

-- Every value a token ever had: several work at once during the overlap of a reissue, and those
-- that ended stay, so that their holder is told so.
CREATE TABLE token_values (
    digest      BYTEA PRIMARY KEY CHECK (octet_length(digest) = 32),
    token_id    BIGINT NOT NULL REFERENCES tokens (id),
    hint        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    -- The end of a replaced value; null for the present one, which ends with its token.
    valid_until BIGINT
);
CREATE INDEX token_values_token ON token_values (token_id);

CREATE TABLE token_channels (
    token_id   BIGINT NOT NULL REFERENCES tokens (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    PRIMARY KEY (token_id, channel_id)
);
CREATE INDEX token_channels_channel ON token_channels (channel_id, token_id);

-- Apart from `tokens`, because it is written by gateways, which may not write tokens.
CREATE TABLE token_last_used (
    token_id       BIGINT PRIMARY KEY REFERENCES tokens (id),
    last_used_at   BIGINT NOT NULL,
    last_used_from TEXT NOT NULL
);
CREATE INDEX token_last_used_at ON token_last_used (last_used_at);

-- The change feed (sync.md F1 to F4).
CREATE TABLE revision_counter (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
);

CREATE TABLE revisions (
    revision BIGINT PRIMARY KEY,
    stamp    BIGINT NOT NULL,
    at       BIGINT NOT NULL
);

CREATE TABLE changes (
    revision BIGINT NOT NULL REFERENCES revisions (revision) ON DELETE CASCADE,
    ordinal  BIGINT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('token', 'principal', 'channel', 'everything')),
    id       BIGINT CHECK ((id IS NULL) = (kind = 'everything')),
    digest   BYTEA CHECK ((digest IS NOT NULL) = (kind = 'token')),
    PRIMARY KEY (revision, ordinal)
);

CREATE TABLE database_identity (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL
);

-- One row per process start of a gateway (sync.md L1).
CREATE TABLE gateways (
    instance               TEXT PRIMARY KEY,
    name                   TEXT COLLATE "C" NOT NULL,
    version                TEXT NOT NULL,
    started_at             BIGINT NOT NULL,
    applied_revision       BIGINT NOT NULL,
    applied_stamp          BIGINT NOT NULL,
    -- Counted up by every renewal; an observer that sees it stand still ends the row (L5).
    renewal                BIGINT NOT NULL,
    renewed_at             BIGINT NOT NULL,
    lease_ms               BIGINT NOT NULL,
    -- How long it goes on with known tokens past its lease; 0 when it refuses (L6).
    serve_known_ms         BIGINT NOT NULL,
    ended_at               BIGINT
);
CREATE INDEX gateways_live ON gateways (name) WHERE ended_at IS NULL;

-- Who did what to what, from where. Names are copied: the event outlives what it names.
CREATE TABLE audit_events (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          BIGINT NOT NULL,
    revision    BIGINT,
    actor_id    BIGINT,
    actor       TEXT COLLATE "C" NOT NULL,
    via         TEXT NOT NULL,
    address     TEXT,
    request_id  TEXT,
    action      TEXT COLLATE "C" NOT NULL,
    target_kind TEXT NOT NULL,
    target_id   BIGINT NOT NULL,
    target      TEXT COLLATE "C" NOT NULL,
    before      TEXT,
    after       TEXT
);
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_actor ON audit_events (actor, id);
CREATE INDEX audit_events_action ON audit_events (action, id);
CREATE INDEX audit_events_target ON audit_events (target, id);
CREATE FUNCTION audit_events_keep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are never changed or deleted'; END $$;
CREATE TRIGGER audit_events_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_keep();

-- Usage by day (days since 1970 in UTC); token 0 is a download without a token. No references:
-- the numbers outlive what they count.
CREATE TABLE usage_days (
    day        BIGINT NOT NULL,
    token_id   BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    package    TEXT COLLATE "C" NOT NULL,
    downloads  BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    PRIMARY KEY (day, token_id, channel_id, package)
);
CREATE INDEX usage_days_token ON usage_days (token_id, day);
CREATE INDEX usage_days_channel ON usage_days (channel_id, day);

CREATE TABLE usage_addresses (
    day        BIGINT NOT NULL,
    token_id   BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    address    TEXT NOT NULL,
    PRIMARY KEY (day, token_id, channel_id, address)
);

CREATE TABLE sessions (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest       BYTEA NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    principal_id BIGINT NOT NULL REFERENCES principals (id),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    address      TEXT
);
CREATE INDEX sessions_principal ON sessions (principal_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

INSERT INTO revision_counter (id, revision) VALUES (1, 0);
INSERT INTO revisions (revision, stamp, at)
    VALUES (0, ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint,
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
INSERT INTO database_identity (id, identity)
    VALUES (1, replace(gen_random_uuid()::text, '-', ''));
