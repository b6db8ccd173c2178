//! PostgreSQL: disposable servers, sessions, replay, introspection, lowering. Confines the driver.

pub mod disposable;
pub mod introspect;
pub mod replay;
pub mod session;
