CREATE SCHEMA members;

CREATE TABLE members.members (
    member_id    uuid PRIMARY KEY,
    email        varchar(255) NOT NULL UNIQUE,
    display_name varchar(80),
    joined_on    date NOT NULL DEFAULT CURRENT_DATE,
    search       tsvector,
    phone        varchar(30)
);

CREATE INDEX idx_members_name ON members.members (lower(display_name));
