//! The runner beside Flyway and beside one `psql` session: the same files, the same server, in one run.
//!
//! Each contender is measured from start to exit as a process, except Flyway's engine, which is called in a JVM that
//! runs already: that favours it. The fastest of several runs counts, for each alike; beside `psql` on loopback it is the median
//! of runs in turns.

mod contest;
mod scripts;

use std::path::Path;
use std::time::Duration;

use trueup_testkit::{Link, Server, corpora, shared_corpora};

use super::measure::Measured;
use super::table::Table;
use contest::{Beside, Contest, Job};

/// What a round trip takes longer on the long way; half of it in each direction.
const ROUND_TRIP: Duration = Duration::from_millis(50);
/// Sizes of a history that has everything already.
const APPLIED: [usize; 4] = [10, 100, 1_000, 10_000];
/// Scripts of a fresh apply.
const SCRIPTS: usize = 200;
/// To one `psql` session, on loopback.
const TO_PSQL: f64 = 0.9;

/// Which contenders and ways are measured: what takes minutes can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All.
    Full,
    /// Without Flyway and `psql` on the long way, which take minutes for each figure.
    Quick,
}

/// Measures everything about the runner.
pub(super) fn runner(program: &Path, extent: Extent, table: &mut Table) -> Result<(), String> {
    let server = Server::start_with_tcp(15).map_err(|error| error.to_string())?;
    let work = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    let link = Link::start(server.port(), ROUND_TRIP / 2).map_err(|error| format!("the link: {error}"))?;
    let mut contest = Contest::new(program, &server, link.port())?;
    nothing_to_do(&mut contest, work.path(), extent, table)?;
    fresh(&mut contest, work.path(), extent, table)?;
    all_corpora(&mut contest, work.path(), extent, table)
}

fn nothing_to_do(contest: &mut Contest<'_>, work: &Path, extent: Extent, table: &mut Table) -> Result<(), String> {
    for applied in APPLIED.into_iter().chain([SCRIPTS]) {
        let job = Job::of(scripts::write(work, applied)?);
        let database = contest.database()?;
        contest.record(&job, &database)?;
        let what = format!("no-op, {applied} files, loopback");
        let ours = contest.no_op(&job, &database, 10)?;
        match applied {
            SCRIPTS => table.time(&what, &ours, 0.03),
            _ => table.plain(&what, &ours),
        }
        let reading = contest.psql_reads(&database, 5)?;
        table.compared(&format!("{what}, to `psql` that reads the history"), &ours, &Ok(reading));
        let (engine, command_line) = contest.flyway_no_op(&job, &database, 2)?;
        table.compared(&format!("{what}, to Flyway's engine in a running JVM"), &ours, &engine);
        table.compared(&format!("{what}, to Flyway's command line"), &ours, &command_line);
        let long = contest.far_away();
        let what = format!("no-op, {applied} files, 50 ms");
        let ours = long.no_op(&job, &database, 3)?;
        table.time(&what, &ours, 0.5);
        if applied == SCRIPTS && extent == Extent::Full {
            let (engine, command_line) = long.flyway_no_op(&job, &database, 1)?;
            table.compared(&format!("{what}, to Flyway's engine in a running JVM"), &ours, &engine);
            table.compared(&format!("{what}, to Flyway's command line"), &ours, &command_line);
        }
        contest.nearby();
    }
    Ok(())
}

fn fresh(contest: &mut Contest<'_>, work: &Path, extent: Extent, table: &mut Table) -> Result<(), String> {
    let job = Job::of(scripts::write(work, SCRIPTS)?);
    let script = scripts::for_psql(&job.folder, SCRIPTS);
    let what = format!("fresh apply of {SCRIPTS} scripts, loopback");
    let ours = to_psql(contest, &job, &script, &what, table)?;
    let (engine, command_line) = contest.flyway_fresh(&job, 2)?;
    table.compared(&format!("{what}, to Flyway's engine in a running JVM"), &ours, &engine);
    table.compared(&format!("{what}, to Flyway's command line"), &ours, &command_line);
    let long = contest.far_away();
    let what = format!("fresh apply of {SCRIPTS} scripts, 50 ms");
    let ours = long.fresh(&job, 3)?;
    table.time(&what, &ours, 1.5);
    if extent == Extent::Full {
        table.compared(&format!("{what}, to one `psql` session"), &ours, &Ok(long.psql(&script, 1)?));
        let (engine, command_line) = long.flyway_fresh(&job, 1)?;
        table.compared(&format!("{what}, to Flyway's engine in a running JVM"), &ours, &engine);
        table.compared(&format!("{what}, to Flyway's command line"), &ours, &command_line);
    }
    contest.nearby();
    Ok(())
}

/// Ours beside one `psql` session; gives ours back.
fn to_psql(contest: &Contest<'_>, job: &Job, script: &str, what: &str, table: &mut Table) -> Result<Measured, String> {
    let Beside { turns, ours, psql } = contest.beside_psql(job, script)?;
    table.plain(&format!("{what}, median of {turns}"), &ours);
    table.against(&format!("{what}, to one `psql` session in turns, medians of {turns}"), &ours, &psql, TO_PSQL);
    Ok(ours)
}

fn all_corpora(contest: &mut Contest<'_>, work: &Path, extent: Extent, table: &mut Table) -> Result<(), String> {
    let Some(root) = shared_corpora() else { return Ok(()) };
    for corpus in corpora(&root).map_err(|error| format!("{}: {error}", root.display()))? {
        let filled = work.join("filled");
        std::fs::create_dir_all(&filled).map_err(|error| format!("{}: {error}", filled.display()))?;
        let script = corpus.script(&filled).map_err(|error| format!("{}: {error}", corpus.name))?;
        let job = Job::corpus(&corpus);
        let what = format!("fresh apply of {}, loopback", corpus.name);
        let ours = to_psql(contest, &job, &script, &what, table)?;
        let (engine, command_line) = contest.flyway_fresh(&job, 1)?;
        table.compared(&format!("{what}, to Flyway's engine in a running JVM"), &ours, &engine);
        table.compared(&format!("{what}, to Flyway's command line"), &ours, &command_line);
        let long = contest.far_away();
        let what = format!("fresh apply of {}, 50 ms", corpus.name);
        let ours = long.fresh(&job, 2)?;
        table.plain(&what, &ours);
        if extent == Extent::Full {
            table.compared(&format!("{what}, to one `psql` session"), &ours, &Ok(long.psql(&script, 1)?));
        }
        contest.nearby();
    }
    Ok(())
}
