//! The command line. Doc comments here are the help texts.

mod portal;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use trueup_model::secret::Secret;

pub use self::portal::{
    DiffArgs, ErdArgs, ErdEngine, PortalArgs, PortalCommand, PortalFormat, ServeArgs, TruthArgs, USUAL_OUT,
};
use self::run::{BASELINE_EXAMPLES, CLEAN_EXAMPLES, REPAIR_EXAMPLES, RUN_EXAMPLES, UNDO_EXAMPLES};
pub use self::run::{ChangeArgs, DatabaseArgs, FlywayArgs, LockArgs, MigrateArgs, RepairArgs, RunFormat, UndoArgs};

/// Headings of the help, in the order in which they appear.
const GATE: &str = "What counts";
const REPORT: &str = "The report";
const BASELINE: &str = "The baseline";
const SERVER: &str = "The disposable PostgreSQL";
const RUN: &str = "The run";
const EVERYWHERE: &str = "Everywhere";

/// What follows the options of `trueup check --help`.
const CHECK_EXAMPLES: &str = "\
Examples:
  trueup check                                  where everything stands
  trueup check --service svc-orders             one service, in detail
  trueup check --explain column-type            what a rule means
  trueup check --write-baseline --reason 'as of today'
                                                accept what is there, fail on what is new
  trueup check --changed-since origin/main --format github
                                                gate a pull request on what it touched
  trueup check --pg-bin /usr/lib/postgresql/15/bin
                                                check with a certain PostgreSQL

Exit codes:
  0    everything agrees, is deliberately not checked, or is accepted
  1    there are findings
  2    nothing is known to differ but something could not be verified, or the run failed
  130  interrupted

Settings that last belong into trueup.toml; a flag outranks an environment variable, which
outranks the file.";

/// Keeps the architect's YAML, the developers' SQL migrations and PostgreSQL true to each other
///
/// In a repository with architecture/metadata/data-stores.yaml and Flyway migrations below services/, nothing needs to be
/// configured: run `trueup check`.
#[derive(Debug, Parser)]
#[command(
    name = "trueup",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "Run `trueup COMMAND --help` for the options of a command, with examples."
)]
pub struct Cli {
    /// Work as if trueup had been started in this folder
    #[arg(short = 'C', long, global = true, value_name = "FOLDER", help_heading = EVERYWHERE)]
    pub directory: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = EVERYWHERE)]
    pub color: Color,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell whether the intent and the migrations agree
    ///
    /// Reads the intent YAML, replays every service's migrations on a disposable PostgreSQL, lets the same PostgreSQL
    /// read the YAML, and reports where the two differ. Nothing outside of the disposable server is changed, but for the
    /// cache and the files that you ask for.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Box<CheckArgs>),
    /// Apply pending migrations to a database
    ///
    /// Takes the place of `flyway migrate` on PostgreSQL: the same files, the same flyway_schema_history, the same
    /// checksums. Flyway may go on where trueup stopped, and the other way round. A script and its row are committed
    /// together, and nothing runs after a failure.
    #[command(after_help = RUN_EXAMPLES)]
    Migrate(Box<MigrateArgs>),
    /// Show which migrations are applied to a database, and which are pending
    ///
    /// Changes nothing.
    #[command(after_help = RUN_EXAMPLES)]
    Info(Box<DatabaseArgs>),
    /// Tell whether the migrations fit what is applied to a database
    ///
    /// Compares checksums, descriptions and types with the schema history, and reports what is missing, failed, or
    /// not applied yet. Changes nothing.
    #[command(after_help = RUN_EXAMPLES)]
    Validate(Box<DatabaseArgs>),
    /// Start a schema history on a database that has something in it
    ///
    /// Creates flyway_schema_history with one row: everything up to `baselineVersion` (1) counts as applied, and migrate
    /// starts behind it. Runs none of the migrations.
    #[command(after_help = BASELINE_EXAMPLES)]
    Baseline(Box<ChangeArgs>),
    /// Put the schema history in order
    ///
    /// In one transaction: rows of failed migrations are removed, applied migrations whose files are gone are marked as
    /// deleted, and checksums, descriptions and types are made those of the files. Touches nothing but the history:
    /// remove by hand first what a failed migration has left.
    #[command(after_help = REPAIR_EXAMPLES)]
    Repair(Box<RepairArgs>),
    /// Drop everything in the schemas of a database
    ///
    /// Disabled unless `cleanDisabled` is set to false. Drops all objects in the configured schemas, the schema history
    /// among them, and the schemas that the history says were created for it. All of it is one transaction.
    #[command(after_help = CLEAN_EXAMPLES)]
    Clean(Box<ChangeArgs>),
    /// Take back the version that was applied last
    ///
    /// Runs its undo script, U3__….sql for V3__….sql, and marks the version as deleted in the schema history, where
    /// Flyway's free edition reads it as not applied. Needs none of Flyway's paid editions.
    #[command(after_help = UNDO_EXAMPLES)]
    Undo(Box<UndoArgs>),
    /// Behave as Flyway's own command line does: flags, lines, JSON and exit codes
    ///
    /// The same happens when trueup is called by the name `flyway`, as a link or a copy, so that a pipeline written for
    /// Flyway goes on as it is. `trueup flyway help` shows its options.
    #[command(disable_help_flag = true)]
    Flyway(FlywayArgs),
    /// Work with the intent YAML
    Intent {
        /// What to do with it
        #[command(subcommand)]
        command: IntentCommand,
    },
    /// Make documentation pages from the intent
    Portal {
        /// What to do with them
        #[command(subcommand)]
        command: PortalCommand,
    },
    /// Print completions for a shell
    #[command(after_help = "Example, for bash:\n  source <(trueup completions bash)")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Serve the bundled PostgreSQL; started by trueup itself
    #[command(name = trueup_postgres::disposable::BUNDLED_SUBCOMMAND, hide = true)]
    Engine(EngineArgs),
}

/// What `trueup intent` can do.
#[derive(Debug, Subcommand)]
pub enum IntentCommand {
    /// Print the JSON Schema of the intent YAML, for editors
    ///
    /// Editors that know the YAML language server complete and validate the intent with it. Write it to a file, and
    /// put `# yaml-language-server: $schema=FILE` into the first line of the YAML.
    #[command(after_help = "Example:\n  trueup intent schema > data-stores.schema.json")]
    Schema,
}

/// Options of `trueup check`.
#[derive(Debug, Default, Args)]
pub struct CheckArgs {
    /// Look at this service only, in detail; may be given several times
    #[arg(long, value_name = "NAME", help_heading = GATE)]
    pub service: Vec<String>,
    /// Look only at services that changed since the merge base with this commit or branch
    #[arg(long, value_name = "REF", help_heading = GATE)]
    pub changed_since: Option<String>,
    /// How to show the findings
    #[arg(long, value_enum, default_value_t = Format::Human, help_heading = REPORT)]
    pub format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub output: Option<PathBuf>,
    /// Explain a rule, and do nothing else
    #[arg(long, value_name = "RULE", exclusive = true, help_heading = REPORT)]
    pub explain: Option<String>,
    /// Accept today's findings: write them to the baseline file
    #[arg(long, help_heading = BASELINE)]
    pub write_baseline: bool,
    /// Why they are accepted; what is unknown counts until it has a reason
    #[arg(long, value_name = "TEXT", requires = "write_baseline", help_heading = BASELINE)]
    pub reason: Option<String>,
    /// The baseline file [default: trueup-baseline.json beside trueup.toml]
    #[arg(long, value_name = "FILE", help_heading = BASELINE)]
    pub baseline: Option<PathBuf>,
    /// The PostgreSQL major to look for [default: the one most services declare]
    #[arg(long, value_name = "MAJOR", help_heading = SERVER)]
    pub postgres: Option<u16>,
    /// Start PostgreSQL from this folder [default: PATH, then the usual places]
    #[arg(long, value_name = "FOLDER", env = "TRUEUP_PG_BIN", hide_env_values = true, help_heading = SERVER)]
    pub pg_bin: Option<PathBuf>,
    /// Make scratch databases on this server instead of starting one
    #[arg(long, value_name = "URL", env = "TRUEUP_SCRATCH_URL", hide_env_values = true, help_heading = SERVER,
        value_parser = secret)]
    pub scratch_url: Option<Secret>,
    /// Use the PostgreSQL that is built into trueup, whatever else is installed
    #[arg(long, conflicts_with_all = ["scratch_url", "pg_bin"], help_heading = SERVER)]
    pub bundled: bool,
    /// How many services to replay at a time [default: one for each core]
    #[arg(long, value_name = "N", help_heading = RUN)]
    pub jobs: Option<usize>,
    /// How long the whole run may take, in seconds [default: 1800]
    #[arg(long, value_name = "SECONDS", help_heading = RUN)]
    pub deadline: Option<u64>,
    /// Compare everything anew, and leave the cache alone
    #[arg(long, help_heading = RUN)]
    pub no_cache: bool,
}

/// A value that holds a password, out of sight from the start.
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// Options of the hidden engine process.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// The data directory
    pub data: PathBuf,
    /// The directory for the socket
    pub socket: PathBuf,
    /// Extensions that SQL may create
    pub extensions: Vec<String>,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// For programs; a stable contract
    Json,
    /// SARIF 2.1.0, for code scanners
    Sarif,
    /// Annotations in GitHub Actions
    Github,
    /// GitLab code quality
    Gitlab,
    /// JUnit XML
    Junit,
    /// A comment on a pull request
    Markdown,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_stands_under_a_heading() {
        let mut command = Cli::command();
        command.build();
        for name in ["check", "migrate", "info", "validate", "baseline", "repair", "clean", "undo"] {
            let sub = command.find_subcommand(name).unwrap();
            for option in sub.get_opts().filter(|option| !matches!(option.get_id().as_str(), "help" | "version")) {
                assert!(option.get_help_heading().is_some(), "{name} {}", option.get_id());
            }
        }
    }

    /// The help of every command that is not hidden, as `--help` prints it without a terminal.
    fn page() -> String {
        let mut page = String::from(
            "# Command line\n\n\
             <!-- Generated from the command line's declaration: TRUEUP_UPDATE_DOCS=1 cargo test -p trueup --lib -->\n\n\
             This is what `--help` prints for each command; `-h` is shorter.\n",
        );
        let mut root = Cli::command();
        root.build();
        add(&mut page, &mut root);
        page
    }

    fn add(page: &mut String, command: &mut clap::Command) {
        let name = command.get_bin_name().unwrap_or("trueup").to_owned();
        // Whatever terminal the test runs in.
        let help = command.clone().term_width(100).render_long_help().to_string();
        let lines: Vec<_> = help.lines().map(str::trim_end).collect();
        writeln!(page, "\n## {name}\n\n```text\n{}\n```", lines.join("\n").trim_end()).unwrap();
        let shown = command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
        shown.for_each(|sub| add(page, sub));
    }

    #[test]
    fn the_documentation_is_current() {
        let page = page();
        for word in ["## trueup\n", "## trueup check", "## trueup intent schema", "--changed-since", "Exit codes:"] {
            assert!(page.contains(word), "{word}");
        }
        assert!(!page.contains(trueup_postgres::disposable::BUNDLED_SUBCOMMAND));
        crate::docs::assert_current("docs/reference/cli.md", &page);
    }
}
