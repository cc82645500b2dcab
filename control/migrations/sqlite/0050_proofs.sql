-- What a proof of a revoke needs (sync.md, "What a revoke promises").

-- How long past its lease a gateway goes on with public channels (L6), and whether the row was
-- ended by the gateway itself, its last act, or by an observer that saw no renewal (L5).
ALTER TABLE gateways ADD COLUMN public_grace_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gateways ADD COLUMN ended_by_observer INTEGER NOT NULL DEFAULT 0
    CHECK (ended_by_observer IN (0, 1));

-- Whether the change took a channel from everyone, and when it was first seen in force everywhere.
ALTER TABLE revisions ADD COLUMN ends_public INTEGER NOT NULL DEFAULT 0 CHECK (ends_public IN (0, 1));
ALTER TABLE revisions ADD COLUMN confirmed_at INTEGER;
