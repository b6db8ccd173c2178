//! PostgreSQL: disposable servers, sessions, replay, introspection, lowering. Confines the driver.

pub mod client;
pub mod disposable;
pub mod history;
pub mod introspect;
pub mod lower;
mod place;
pub mod replay;
mod restore;
pub mod run;
pub mod session;
