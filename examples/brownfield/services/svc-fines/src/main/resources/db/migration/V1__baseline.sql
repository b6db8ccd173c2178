CREATE SCHEMA fines;

CREATE TABLE fines.fines (
    fine_id bigserial PRIMARY KEY,
    loan_id uuid NOT NULL,
    amount  numeric(8, 2) NOT NULL CHECK (amount > 0),
    waived  boolean NOT NULL DEFAULT false
);
