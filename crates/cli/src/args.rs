//! The command line. Doc comments here are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps the architect's YAML, the developers' SQL migrations and PostgreSQL true to each other
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// Work as if trueup had been started in this folder
    #[arg(short = 'C', long, global = true, value_name = "FOLDER")]
    pub directory: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
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
    /// read the YAML, and reports where the two differ. Nothing outside the disposable server is changed.
    ///
    /// Exit codes: 0 everything agrees; 1 there are findings; 2 nothing is known to differ but something could not be
    /// verified, or the run failed; 130 interrupted.
    Check(Box<CheckArgs>),
    /// Work with the intent YAML
    Intent {
        /// What to do with it
        #[command(subcommand)]
        command: IntentCommand,
    },
    /// Print completions for a shell
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
    Schema,
}

/// Options of `trueup check`.
#[derive(Debug, Default, Args)]
pub struct CheckArgs {
    /// Look at this service only, in detail; may be given several times
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// How to show the findings
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Limit the gate to services that changed since this commit or branch
    #[arg(long, value_name = "REF")]
    pub changed_since: Option<String>,
    /// Explain a rule, and do nothing else
    #[arg(long, value_name = "RULE", exclusive = true)]
    pub explain: Option<String>,
    /// Accept today's findings: write them to the baseline file
    #[arg(long)]
    pub write_baseline: bool,
    /// Why what is unknown today is accepted; goes with --write-baseline
    #[arg(long, value_name = "TEXT", requires = "write_baseline")]
    pub reason: Option<String>,
    /// The baseline file [default: trueup-baseline.json beside trueup.toml]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Compare everything anew, and leave the cache alone
    #[arg(long)]
    pub no_cache: bool,
    /// Make scratch databases on this server instead of starting one
    #[arg(long, value_name = "URL", env = "TRUEUP_SCRATCH_URL", hide_env_values = true)]
    pub scratch_url: Option<String>,
    /// Start PostgreSQL from this folder
    #[arg(long, value_name = "FOLDER", env = "TRUEUP_PG_BIN")]
    pub pg_bin: Option<PathBuf>,
    /// The PostgreSQL major to check with [default: the one most services declare]
    #[arg(long, value_name = "MAJOR")]
    pub postgres: Option<u16>,
    /// Use the PostgreSQL that is built into trueup, whatever else is installed
    #[arg(long, conflicts_with_all = ["scratch_url", "pg_bin"])]
    pub bundled: bool,
    /// How many services to replay at a time [default: one for each core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// How long the whole run may take, in seconds [default: 1800]
    #[arg(long, value_name = "SECONDS")]
    pub deadline: Option<u64>,
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
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
