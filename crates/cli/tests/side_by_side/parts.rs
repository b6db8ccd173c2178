//! The real parts: one server and one Flyway for all cases.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use trueup_testkit::flyway::{CommandLine, Flyway};
use trueup_testkit::{Server, skipped};

/// All cases run on this major.
const MAJOR: u16 = 15;

/// Set to `recorded` to do without Flyway although there is one.
const WITHOUT: &str = "TRUEUP_FLYWAY";

pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start_with_tcp(MAJOR).ok());
    if server.is_none() {
        skipped("there is no PostgreSQL 15 on this machine");
    }
    server.as_ref()
}

/// The one JVM, for one question at a time; none where there is no Java, or no Flyway.
pub(crate) fn flyway() -> Option<MutexGuard<'static, Flyway>> {
    static FLYWAY: OnceLock<Option<Mutex<Flyway>>> = OnceLock::new();
    let flyway = FLYWAY.get_or_init(|| {
        if std::env::var_os(WITHOUT).is_some_and(|value| value == "recorded") {
            return None;
        }
        // Both or none: a case is live as a whole.
        let started = CommandLine::find().and_then(|_| Flyway::start());
        if let Err(why) = &started {
            eprintln!("no Flyway, so its recorded answers are taken: {why}");
        }
        started.ok().map(Mutex::new)
    });
    flyway.as_ref().map(|flyway| flyway.lock().unwrap_or_else(PoisonError::into_inner))
}
