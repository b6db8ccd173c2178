//! The bundled PostgreSQL, as a child process of our own executable.

use std::path::PathBuf;

use crate::args::EngineArgs;
use crate::check::CheckError;

/// Our own executable, when the engine is part of it.
pub fn executable() -> Option<PathBuf> {
    if cfg!(feature = "embedded") { std::env::current_exe().ok() } else { None }
}

/// Serves the bundled engine until it is killed.
///
/// # Errors
/// This binary was built without it, or it does not start.
#[cfg(feature = "embedded")]
pub fn serve(arguments: &EngineArgs) -> Result<u8, CheckError> {
    let ready = arguments.socket.join(trueup_postgres::disposable::BUNDLED_READY_FILE);
    match trueup_embedded::serve(&arguments.data, &arguments.socket, &ready, &arguments.extensions) {
        Err(error) => Err(CheckError::Usage { message: error.to_string(), help: String::new() }),
    }
}

/// Serves the bundled engine until it is killed.
///
/// # Errors
/// This binary was built without it.
#[cfg(not(feature = "embedded"))]
pub fn serve(_arguments: &EngineArgs) -> Result<u8, CheckError> {
    Err(CheckError::Usage {
        message: "this trueup was built without the bundled PostgreSQL".to_owned(),
        help: "build it with --features embedded".to_owned(),
    })
}
