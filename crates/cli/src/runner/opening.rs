//! What every command begins with: settings, files and a session. The files are loaded while the server answers.

use trueup_postgres::run::{Database, Inputs, RunError};
use trueup_postgres::session::NoServer;

use super::error::RunnerError;
use super::out::Out;
use super::project::{self, Configured};
use super::{Server, connection, variables};
use crate::args::DatabaseArgs;
use crate::check::Place;

/// Reads settings and files, and connects. What is wrong with them is told before anything about a server is.
pub(super) async fn open(
    arguments: &DatabaseArgs,
    place: &Place,
    out: Out<'_>,
) -> Result<(Inputs, Database), RunnerError> {
    let variables = variables();
    let configured = project::configure(&place.folder, arguments, &variables)?;
    if !configured.is_sound() {
        configured.load()?;
    }
    let connection = match connection::choose(arguments, &variables, &configured.settings) {
        Ok(connection) => connection,
        Err(error) => {
            out.notices(&configured.load()?.1);
            return Err(error);
        }
    };
    let mut waits = |none: &NoServer, wait| out.waits_for_a_server(none, wait);
    let connecting = async { Ok(connection.servers.connect(&mut waits).await) };
    let ((inputs, notices), session) = tokio::try_join!(load(configured), connecting)?;
    out.notices(&notices);
    out.notices(&connection.notices);
    let database = Database::on(session.map_err(RunError::from)?, &inputs).await?;
    out.connected(&inputs.settings, &Server::of(&database));
    Ok((inputs, database))
}

/// Loads the files on a thread of its own.
async fn load(configured: Configured) -> Result<(Inputs, Vec<String>), RunnerError> {
    let loading = tokio::task::spawn_blocking(move || {
        let (set, notices) = configured.load()?;
        let working_directory = configured.folder.to_string_lossy().into_owned();
        let inputs = Inputs::new(set, configured.settings, working_directory).map_err(RunnerError::Problems)?;
        Ok((inputs, notices))
    });
    // Only a panic ends it without an answer, and that goes on here.
    loading.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
