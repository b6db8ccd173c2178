-- The ledger is made by another team's migrations; nothing here says so.
ALTER TABLE fines.fines ADD COLUMN entry_id bigint REFERENCES ledger.entries (entry_id);
