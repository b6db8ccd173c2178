//! `trueup portal serve`: the pages in memory, on a loopback address, made again whenever what they are made from changes.

mod http;
mod sources;
mod state;
mod watcher;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::args::ServeArgs;
use crate::check::{CheckError, Place, output};
use sources::Sources;
use state::{State, Studio};
use watcher::Watcher;

/// Serves until the future is dropped.
///
/// # Errors
/// The address cannot be had, or nothing can be printed.
pub async fn serve(arguments: &ServeArgs, place: &Place) -> Result<Infallible, CheckError> {
    let studio = Studio::of(arguments, place)?;
    let listener = listen(arguments.listen).await?;
    let address = listener.local_addr().map_err(|source| cannot("listen", &source))?;
    let mut watcher = Watcher::new()?;
    let mut sources = Sources::of(&arguments.truth, place);
    watcher.look_at(&sources)?;
    let mut stamp = sources.stamp();
    let (states, served) = watch::channel(renewed(None, arguments, &studio, place).await?);
    tokio::spawn(http::accept(listener, served));
    output::print(&format!("serving http://{address}/ (Ctrl-C ends it)\n"))?;
    loop {
        watcher.changed(&sources, &stamp).await;
        // Looked at before it is read: what changes in between is noticed once more.
        sources = Sources::of(&arguments.truth, place);
        watcher.look_at(&sources)?;
        stamp = sources.stamp();
        let before = Arc::clone(&states.borrow());
        let state = renewed(Some(before), arguments, &studio, place).await?;
        states.send_if_modified(|served| {
            let is_another = served.name != state.name;
            *served = state;
            is_another
        });
    }
}

/// Makes the pages on a thread of its own, so that the present ones are served meanwhile.
async fn renewed(
    before: Option<Arc<State>>,
    arguments: &ServeArgs,
    studio: &Studio,
    place: &Place,
) -> Result<Arc<State>, CheckError> {
    let (truth, studio, place) = (arguments.truth.clone(), studio.clone(), place.clone());
    let made = tokio::task::spawn_blocking(move || state::renew(before.as_deref(), &truth, &studio, &place)).await;
    made.map_err(|error| cannot("make the pages", &std::io::Error::other(error)))?.map(Arc::new)
}

async fn listen(wanted: SocketAddr) -> Result<TcpListener, CheckError> {
    TcpListener::bind(wanted).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => CheckError::Usage {
            message: format!("{wanted} is in use by another program"),
            help: "end that program, or choose another port: --listen 4001; --listen 0 takes a free one".to_owned(),
        },
        _ => CheckError::Usage {
            message: format!("cannot listen on {wanted}: {error}"),
            help: "choose another port: --listen 4001; --listen 0 takes a free one".to_owned(),
        },
    })
}

fn cannot(what: &str, source: &std::io::Error) -> CheckError {
    CheckError::Usage { message: format!("cannot {what}: {source}"), help: String::new() }
}
