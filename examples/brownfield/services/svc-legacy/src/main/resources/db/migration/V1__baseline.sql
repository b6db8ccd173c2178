CREATE SCHEMA legacy;

CREATE TABLE legacy.catalogue_cards (
    card_no integer PRIMARY KEY,
    text    text NOT NULL
);
