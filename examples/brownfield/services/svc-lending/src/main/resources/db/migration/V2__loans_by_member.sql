CREATE INDEX loans_member_idx ON circulation.loans (member_id, lent_at DESC);
