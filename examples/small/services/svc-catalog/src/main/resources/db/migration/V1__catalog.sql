CREATE SCHEMA IF NOT EXISTS catalog;

CREATE TABLE catalog.authors (
    author_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    full_name varchar(200) NOT NULL
);

CREATE TABLE catalog.books (
    book_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    author_id  uuid NOT NULL REFERENCES catalog.authors (author_id),
    isbn       char(13) NOT NULL UNIQUE,
    title      varchar(300) NOT NULL,
    price      numeric(8, 2) NOT NULL CHECK (price > 0),
    created_at timestamp with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_books_author ON catalog.books (author_id);
