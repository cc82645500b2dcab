-- A gateway begins with the tokens that were used or issued last; among many they are found by this
-- and by token_last_used_at.
CREATE INDEX tokens_issued ON tokens (issued_at) WHERE revoked_at IS NULL;
