-- The log is read newest first, whatever it is filtered by: each index ends in its order.
DROP INDEX audit_events_actor;
DROP INDEX audit_events_action;
DROP INDEX audit_events_target;
CREATE INDEX audit_events_actor ON audit_events (actor, at, id);
CREATE INDEX audit_events_action ON audit_events (action, at, id);
CREATE INDEX audit_events_target ON audit_events (target, at, id);
