CREATE INDEX CONCURRENTLY idx_books_title ON catalog.books (title);
