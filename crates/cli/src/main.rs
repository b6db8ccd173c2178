//! The `trueup` binary: reads the command line, runs one command, and exits with its code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use trueup_cli::args::{CheckArgs, Cli, Command, DatabaseArgs, IntentCommand, LockArgs, MigrateArgs, UndoArgs};
use trueup_cli::check::{self, CheckError, Place};
use trueup_cli::explain;
use trueup_cli::report::human::Style;
use trueup_postgres::run::Command as Verb;

/// The exit code of a run that failed.
const FAILED: u8 = 2;
/// The exit code of a run that Ctrl-C or SIGTERM ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: Cli) -> Result<u8, CheckError> {
    let place = place(&cli)?;
    match cli.command {
        Command::Check(arguments) => run_check(&arguments, &place),
        Command::Intent { command: IntentCommand::Schema } => {
            print(&format!("{:#}\n", trueup_intent::json_schema()));
            Ok(0)
        }
        Command::Portal { command } => trueup_cli::portal::run(&command, &place),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "trueup", &mut text);
            print(&String::from_utf8_lossy(&text));
            Ok(0)
        }
        Command::Migrate(arguments) => {
            let MigrateArgs { locks, database } = *arguments;
            run_database(Verb::Migrate, &database, locks, &place)
        }
        Command::Info(arguments) => run_database(Verb::Info, &arguments, LockArgs::default(), &place),
        Command::Validate(arguments) => run_database(Verb::Validate, &arguments, LockArgs::default(), &place),
        Command::Baseline(arguments) => run_database(Verb::Baseline, &arguments, LockArgs::default(), &place),
        Command::Repair(arguments) => run_database(Verb::Repair, &arguments, LockArgs::default(), &place),
        Command::Clean(arguments) => run_database(Verb::Clean, &arguments, LockArgs::default(), &place),
        Command::Undo(arguments) => {
            let UndoArgs { target, locks, mut database } = *arguments;
            database.set.extend(target.map(|version| format!("target={version}")));
            run_database(Verb::Undo, &database, locks, &place)
        }
        Command::Engine(arguments) => trueup_cli::engine::serve(&arguments),
    }
}

fn run_check(arguments: &CheckArgs, place: &Place) -> Result<u8, CheckError> {
    if let Some(rule) = &arguments.explain {
        let text = explain::explain_named(rule, &Style::plain(100));
        let text = text.map_err(|message| CheckError::Usage { message, help: String::new() })?;
        print(&text);
        return Ok(0);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CheckError::Write { what: "the runtime".to_owned(), source })?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            code = check::run(arguments, place) => code,
            () = interrupted() => Ok(INTERRUPTED),
        }
    });
    // Servers of an interrupted run are killed by their guards; there is nothing to wait for.
    runtime.shutdown_background();
    outcome
}

/// Runs a command on a database. An interrupt is passed on: there may be something to cancel, and something to tell.
fn run_database(verb: Verb, arguments: &DatabaseArgs, locks: LockArgs, place: &Place) -> Result<u8, CheckError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| CheckError::Write { what: "the runtime".to_owned(), source })?;
    let code = runtime.block_on(async {
        let (ask, stop) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            interrupted().await;
            // A run that is over does not listen any more.
            let _ = ask.send(true);
        });
        trueup_cli::runner::run(verb, arguments, locks, place, stop).await
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

fn place(cli: &Cli) -> Result<Place, CheckError> {
    let current =
        std::env::current_dir().map_err(|source| CheckError::Write { what: "the current folder".to_owned(), source });
    let folder = match &cli.directory {
        Some(folder) => current.map(|current| current.join(folder))?,
        None => current?,
    };
    if !folder.is_dir() {
        return Err(CheckError::Usage {
            message: format!("there is no folder {}", folder.display()),
            help: "correct the path after -C".to_owned(),
        });
    }
    Ok(Place { folder, color: cli.color, cache: cache_folder() })
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
