//! The command line of Flyway: what runs when trueup is called `flyway`, or as `trueup flyway`.
//!
//! Flags, settings, lines, JSON fields and exit codes are those of Flyway's own 12.4.0 (`docs/guides/flyway.md` lists
//! where trueup differs on purpose). The work is done by the same runner as for trueup's own commands.

mod call;
mod errors;
mod lines;
mod result;
mod table;
mod teller;
mod usage;

use std::path::Path;

use tokio::sync::watch;
use trueup_model::secret::Secret;

use crate::args::DatabaseArgs;
use crate::check::Place;
use crate::runner;
use call::{Call, Verb};
pub(crate) use teller::Teller;

/// The name that makes trueup behave like Flyway.
const NAME: &str = "flyway";

/// Whether the program was called by Flyway's name.
pub fn is_name(program: &Path) -> bool {
    program.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case(NAME))
}

/// Runs a command line, without the program's name, to its end; the exit code is Flyway's.
///
/// `stop` becomes true when somebody wants the run to end.
pub async fn run(arguments: &[Secret], place: &Place, stop: watch::Receiver<bool>) -> u8 {
    let call = match Call::parse(arguments) {
        Ok(call) => call,
        Err(refused) => {
            // Whether JSON was asked for has to be known although the rest is not understood.
            let json = arguments.iter().any(|argument| argument.expose() == "-outputType=json");
            Teller::plain(json).refused(&refused.message);
            return refused.code;
        }
    };
    let folder = call.working_directory.as_ref().map_or_else(|| place.folder.clone(), |to| place.folder.join(to));
    let teller = match Teller::new(&call, &folder) {
        Ok(teller) => teller,
        Err(why) => {
            Teller::plain(call.json).refused(&why);
            return 1;
        }
    };
    if call.help || (call.verbs.is_empty() && !call.version) {
        teller.answer(&usage::text(call.help));
        return 0;
    }
    if call.version {
        teller.version();
        if call.verbs.is_empty() {
            return teller.end();
        }
    }
    let arguments = DatabaseArgs { flyway: Some(call.settings.clone()), verbose: call.debug, ..Default::default() };
    teller.begin();
    for verb in &call.verbs {
        let code = match verb {
            Verb::Run(command) => runner::run_as_flyway(*command, &arguments, place, stop.clone(), &teller).await,
            Verb::TestConnection => runner::test_connection(&arguments, place, stop.clone(), &teller).await,
            Verb::ListEngines => {
                teller.engines();
                0
            }
        };
        if code != 0 {
            return code;
        }
    }
    teller.end()
}
