-- What most of a channel's usage is, found from the latest day on: its packages, and its tokens.
CREATE INDEX usage_days_of_packages ON usage_days (channel_id, day, package, bytes)
    WHERE token_id = -1 AND channel_id >= 0;
CREATE INDEX usage_days_of_tokens ON usage_days (channel_id, day, token_id, bytes)
    WHERE token_id >= 0 AND channel_id >= 0 AND package = '*';
