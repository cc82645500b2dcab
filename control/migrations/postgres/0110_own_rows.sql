-- A gateway's role reads and writes the rows that it made, so that none can acknowledge for another
-- one (sync.md L4). The control plane acts as the tables' owner, for whom that doesn't hold.
ALTER TABLE gateways ADD COLUMN registered_by TEXT NOT NULL DEFAULT current_user;
ALTER TABLE gateways ENABLE ROW LEVEL SECURITY;
CREATE POLICY gateways_own_rows ON gateways
    USING (registered_by = current_user) WITH CHECK (registered_by = current_user);
