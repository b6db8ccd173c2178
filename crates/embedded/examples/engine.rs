//! The engine alone, as the CLI's hidden subcommand runs it: `engine __bundled-postgres DATA SOCKET_DIR [EXTENSION…]`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, _, data, socket_dir, extensions @ ..] = &arguments[..] else { return ExitCode::from(2) };
    match trueup_embedded::serve(
        Path::new(data),
        Path::new(socket_dir),
        &Path::new(socket_dir).join("ready"),
        extensions,
    ) {
        Ok(never) => match never {},
        Err(error) => {
            // The caller reads the log; without one there is nobody to tell.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), error.to_string().as_bytes());
            ExitCode::FAILURE
        }
    }
}
