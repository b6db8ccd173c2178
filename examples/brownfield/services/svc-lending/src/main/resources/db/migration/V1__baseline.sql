CREATE SCHEMA IF NOT EXISTS circulation;

CREATE TABLE circulation.loans (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    copy_id     uuid NOT NULL,
    member_id   uuid NOT NULL,
    branch_id   uuid,
    lent_at     timestamp NOT NULL DEFAULT now(),
    due_on      date NOT NULL,
    returned_at timestamptz,
    renewals    integer NOT NULL DEFAULT '0' CHECK (renewals BETWEEN 0 AND 5)
);

CREATE TABLE circulation.branches (
    branch_id uuid PRIMARY KEY,
    name      text NOT NULL
);
