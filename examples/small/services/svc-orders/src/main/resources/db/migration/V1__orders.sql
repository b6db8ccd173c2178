CREATE SCHEMA orders;

CREATE TABLE orders.orders (
    order_id       bigserial PRIMARY KEY,
    book_id        uuid NOT NULL,
    customer_email varchar(255) NOT NULL,
    status         varchar(20) NOT NULL DEFAULT 'open',
    placed_at      timestamptz NOT NULL DEFAULT now()
);
