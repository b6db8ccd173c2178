//! PostgreSQL: disposable servers, sessions, replay, introspection. Confines the driver.

pub mod replay;
pub mod session;
