//! The `trueup` binary: reads the command line, runs one command, and exits with its code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tokio::sync::watch;
use trueup_cli::args::{
    ChangeArgs, CheckArgs, Cli, Color, Command, DatabaseArgs, IntentCommand, MigrateArgs, PortalCommand, RepairArgs,
    UndoArgs,
};
use trueup_cli::check::{self, CheckError, Place};
use trueup_cli::portal::{self, Task};
use trueup_cli::report::human::Style;
use trueup_cli::runner::Extra;
use trueup_cli::{explain, flyway};
use trueup_model::secret::Secret;
use trueup_postgres::run::Command as Verb;

/// The exit code of a run that failed.
const FAILED: u8 = 2;
/// The exit code of a run that Ctrl-C or SIGTERM ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_flyway = arguments.next().is_some_and(|program| flyway::is_name(Path::new(&program)));
    let outcome = if called_flyway { as_flyway(arguments) } else { run(Cli::parse()) };
    match outcome {
        Ok(code) => ExitCode::from(code.max(u8::from(trueup_cli::stdio::lost()))),
        Err(error) => {
            complain(&error);
            ExitCode::from(FAILED)
        }
    }
}

/// Flyway's command line, by its own name.
fn as_flyway(arguments: std::env::ArgsOs) -> Result<u8, CheckError> {
    let arguments: Vec<Secret> = arguments.map(|argument| Secret::new(argument.to_string_lossy())).collect();
    run_flyway(&arguments, &place(None, Color::default())?)
}

fn run(cli: Cli) -> Result<u8, CheckError> {
    let place = place(cli.directory.as_deref(), cli.color)?;
    match cli.command {
        Command::Check(arguments) => run_check(&arguments, &place),
        Command::Intent { command: IntentCommand::Schema } => {
            print(&format!("{:#}\n", trueup_intent::json_schema()));
            Ok(0)
        }
        Command::Portal { command } => run_portal(&command, &place),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trueup", &mut text);
            print(&String::from_utf8_lossy(&text));
            Ok(0)
        }
        Command::Migrate(arguments) => {
            let MigrateArgs { locks, cherry_pick, plan, report, dry, mut database } = *arguments;
            pick(&mut database, &cherry_pick);
            let extra = Extra { locks, plan: plan.plan, report, dry_run: dry.dry_run };
            run_database(Verb::Migrate, &database, &extra, &place)
        }
        Command::Info(arguments) => run_database(Verb::Info, &arguments, &Extra::default(), &place),
        Command::Validate(arguments) => run_database(Verb::Validate, &arguments, &Extra::default(), &place),
        Command::Baseline(arguments) => run_change(Verb::Baseline, *arguments, &place),
        Command::Clean(arguments) => run_change(Verb::Clean, *arguments, &place),
        Command::Repair(arguments) => {
            let RepairArgs { cherry_pick, dry, mut database } = *arguments;
            pick(&mut database, &cherry_pick);
            run_change(Verb::Repair, ChangeArgs { dry, database }, &place)
        }
        Command::Undo(arguments) => {
            let UndoArgs { target, cherry_pick, locks, plan, dry, mut database } = *arguments;
            database.set.extend(target.map(|version| format!("target={version}")));
            pick(&mut database, &cherry_pick);
            let extra = Extra { locks, plan: plan.plan, dry_run: dry.dry_run, ..Extra::default() };
            run_database(Verb::Undo, &database, &extra, &place)
        }
        Command::Flyway(arguments) => run_flyway(&arguments.arguments, &place),
        Command::Engine(arguments) => trueup_cli::engine::serve(&arguments),
    }
}

fn run_portal(command: &PortalCommand, place: &Place) -> Result<u8, CheckError> {
    match command {
        PortalCommand::Build(arguments) => portal::run(Task::Build, arguments, place),
        PortalCommand::Check(arguments) => portal::run(Task::Check, arguments, place),
        PortalCommand::Diff(arguments) => portal::diff(arguments, place),
        PortalCommand::Serve(arguments) => until_interrupted(async {
            let never = portal::serve(arguments, place).await?;
            match never {}
        }),
    }
}

fn run_check(arguments: &CheckArgs, place: &Place) -> Result<u8, CheckError> {
    if let Some(rule) = &arguments.explain {
        let text = explain::explain_named(rule, &Style::plain(100));
        let text = text.map_err(|message| CheckError::Usage { message, help: String::new() })?;
        print(&text);
        return Ok(0);
    }
    // Servers of an interrupted run are killed by their guards.
    until_interrupted(check::run(arguments, place))
}

/// Runs something to its end, or until an interrupt; there is nothing to wait for then.
fn until_interrupted(work: impl Future<Output = Result<u8, CheckError>>) -> Result<u8, CheckError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CheckError::Write { what: "the runtime".to_owned(), source })?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            code = work => code,
            () = interrupted() => Ok(INTERRUPTED),
        }
    });
    runtime.shutdown_background();
    outcome
}

fn pick(database: &mut DatabaseArgs, picks: &[String]) {
    if !picks.is_empty() {
        database.set.push(format!("cherryPick={}", picks.join(",")));
    }
}

fn run_change(verb: Verb, arguments: ChangeArgs, place: &Place) -> Result<u8, CheckError> {
    let extra = Extra { dry_run: arguments.dry.dry_run, ..Extra::default() };
    run_database(verb, &arguments.database, &extra, place)
}

/// Runs a command on a database.
fn run_database(verb: Verb, arguments: &DatabaseArgs, extra: &Extra, place: &Place) -> Result<u8, CheckError> {
    until_stopped(async |stop| trueup_cli::runner::run(verb, arguments, extra, place, stop).await)
}

fn run_flyway(arguments: &[Secret], place: &Place) -> Result<u8, CheckError> {
    until_stopped(async |stop| flyway::run(arguments, place, stop).await)
}

/// Runs something to its end. An interrupt is passed on: there may be something to cancel, and something to tell.
fn until_stopped(work: impl AsyncFnOnce(watch::Receiver<bool>) -> u8) -> Result<u8, CheckError> {
    // One connection is one thing at a time: threads would only cost a start-up time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CheckError::Write { what: "the runtime".to_owned(), source })?;
    let code = runtime.block_on(async {
        let (ask, stop) = watch::channel(false);
        tokio::spawn(async move {
            interrupted().await;
            // A run that is over does not listen any more.
            let _ = ask.send(true);
        });
        work(stop).await
    });
    runtime.shutdown_background();
    Ok(code)
}

/// Returns when the user or the system wants us to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            },
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}

fn place(directory: Option<&Path>, color: Color) -> Result<Place, CheckError> {
    let current =
        std::env::current_dir().map_err(|source| CheckError::Write { what: "the current folder".to_owned(), source });
    let folder = match directory {
        Some(folder) => current.map(|current| current.join(folder))?,
        None => current?,
    };
    if !folder.is_dir() {
        return Err(CheckError::Usage {
            message: format!("there is no folder {}", folder.display()),
            help: "correct the path after -C".to_owned(),
        });
    }
    Ok(Place { folder, color, cache: cache_folder() })
}

/// `TRUEUP_CACHE`, else the user's cache folder, else one for this user below the temporary folder.
fn cache_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("TRUEUP_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("trueup")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/trueup")))
        .unwrap_or_else(|| std::env::temp_dir().join("trueup-cache"))
}

#[allow(clippy::print_stdout, reason = "the one place that prints what a command was asked to print")]
fn print(text: &str) {
    print!("{text}");
}

#[allow(clippy::print_stderr, reason = "the one place that prints why there is no report")]
fn complain(error: &CheckError) {
    eprintln!("trueup: {error}");
    if let CheckError::Usage { help, .. } = error
        && !help.is_empty()
    {
        eprintln!("  {help}");
    }
}
