CREATE TABLE members.cards (
    card_id   uuid PRIMARY KEY,
    member_id uuid NOT NULL,
    number    char(12) NOT NULL
);
