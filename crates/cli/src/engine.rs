//! The bundled PostgreSQL, as a child process of our own executable.

use crate::args::EngineArgs;
use crate::check::CheckError;

/// Serves the bundled engine until it is killed.
///
/// # Errors
/// This binary was built without it.
pub fn serve(_arguments: &EngineArgs) -> Result<u8, CheckError> {
    Err(CheckError::Usage {
        message: "this trueup was built without the bundled PostgreSQL".to_owned(),
        help: "build it with --features embedded".to_owned(),
    })
}
