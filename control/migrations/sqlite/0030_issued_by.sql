-- Which token a value was issued with, at first or by a reissue: revoking that one can take along
-- what it issued, whoever holds it.
ALTER TABLE token_values ADD COLUMN issued_by_token INTEGER REFERENCES tokens (id);
UPDATE token_values SET issued_by_token =
    (SELECT t.created_by_token FROM tokens t WHERE t.id = token_values.token_id);
CREATE INDEX token_values_issued_by ON token_values (issued_by_token)
    WHERE issued_by_token IS NOT NULL;
