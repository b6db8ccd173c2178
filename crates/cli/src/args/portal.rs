//! Options of `trueup portal`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const PORTAL: &str = "The pages";

/// What follows the options of `trueup portal build --help`.
const PORTAL_EXAMPLES: &str = "\
Examples:
  trueup portal build                           pages of what is intended, in ./portal
  trueup check --format json --output report.json; trueup portal build --report report.json
                                                the same, with what the check found
  trueup portal build --report report.json --environment dev=records/dev \\
    --environment prod=records/prod
                                                and with what is live where
  trueup portal build --erd plantuml            with diagrams by an installed PlantUML
  trueup portal build --format mkdocs           the same content as Markdown, with mkdocs.yml
  trueup portal build --format sections --out docs/data-stores --page docs/services/svc-a.md
                                                the Data Store section put into a page of your own

Exit codes:
  0    the pages are written, or were current
  2    the intent cannot be read, or the run failed; then nothing was written";

/// What follows the options of `trueup portal diff --help`.
const DIFF_EXAMPLES: &str = "\
Examples:
  trueup portal diff origin/main                what this branch changes, in ./portal-diff
  trueup portal diff HEAD                       what is not committed yet
  trueup portal diff v1.4 --out changes         what changed since a release

Exit codes:
  0    written, whether anything is different or not
  2    the intent cannot be read, now or then, or the run failed; then nothing was written";

/// What `trueup portal` can do.
#[derive(Debug, Subcommand)]
pub enum PortalCommand {
    /// Write the pages: services, tables, diagrams, search
    ///
    /// Reads the intent YAML, and domains.yaml beside it for groups and colours. No database is needed. Unchanged files
    /// are not rewritten, and no file is ever touched that an earlier build did not write.
    #[command(after_help = PORTAL_EXAMPLES)]
    Build(PortalArgs),
    /// Tell whether the pages on disk are those that a build would write
    ///
    /// Writes nothing. Give it the same --report as the build had, and the same PlantUML.
    #[command(
        after_help = "Exit codes:\n  0    the pages are current\n  1    a page is missing, differs, or is left over\n  \
        2    the intent cannot be read, or the run failed"
    )]
    Check(PortalArgs),
    /// Draw what changes in the intent: each changed service before and after
    ///
    /// Compares the intent YAML with what it was where this branch left BASE. Writes index.html, which shows both pictures of each
    /// changed service and lists what is different, the pictures as SVG, and diff.md for a pull request. No database is needed.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Show the pages on this machine, and make them again whenever what they are made from changes
    ///
    /// Open pages reload by themselves. While a file cannot be read the last good pages stay, and every one of them says
    /// what is wrong and where. Nothing is written. Ctrl-C ends it.
    #[command(
        after_help = "Exit codes:\n  130  Ctrl-C or SIGTERM ended it\n  2    the address cannot be had, or the run failed"
    )]
    Serve(ServeArgs),
}

/// What is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PortalFormat {
    /// A site that works from a file or any web server
    #[default]
    Html,
    /// Markdown and mkdocs.yml for MkDocs with the Material theme
    Mkdocs,
    /// Markdown and mkdocs.yml for TechDocs of Backstage
    Techdocs,
    /// The Data Store section of each service, for pages of your own
    Sections,
}

/// The folder of the pages when nobody names another.
pub const USUAL_OUT: &str = "portal";

/// Options of `trueup portal build` and `trueup portal check`.
#[derive(Debug, Args)]
pub struct PortalArgs {
    /// The folder of the pages
    #[arg(long, value_name = "DIR", default_value = USUAL_OUT, help_heading = PORTAL)]
    pub out: PathBuf,
    /// What is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = PORTAL)]
    pub format: PortalFormat,
    /// With --format sections: a Markdown page of your own to put sections into, once for each page
    ///
    /// Between `<!-- trueup:data-store SERVICE -->` and `<!-- /trueup -->`, each on a line of its own; without markers below
    /// the heading with `{ #data-store }`, when the page is named after its service. Every other byte stays what it is.
    /// Then --out holds the pictures only.
    #[arg(long, value_name = "FILE", help_heading = PORTAL)]
    pub page: Vec<PathBuf>,
    /// With --format sections: what leads from the pages to the folder of the pictures, such as ../data-stores/
    #[arg(long, value_name = "ADDRESS", help_heading = PORTAL)]
    pub pictures: Option<String>,
    /// Who draws
    #[command(flatten)]
    pub erd: ErdArgs,
    /// What is known beyond the intent
    #[command(flatten)]
    pub truth: TruthArgs,
}

/// Options that say who draws the diagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct ErdArgs {
    /// Who draws the diagrams of services and the map; without it `[portal] erd`, else trueup
    ///
    /// The pictures of single tables and domains are trueup's in any case.
    #[arg(long, value_enum, value_name = "ENGINE", help_heading = PORTAL)]
    pub erd: Option<ErdEngine>,
    /// With --erd plantuml: the plantuml.jar or the command that runs PlantUML, instead of `plantuml` on the PATH
    ///
    /// A jar is run by JAVA_HOME/bin/java, else by `java` on the PATH. PlantUML needs Graphviz to place boxes.
    #[arg(long, value_name = "PATH", help_heading = PORTAL)]
    pub plantuml: Option<PathBuf>,
}

/// Options of `trueup portal diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A branch, a tag or a commit, such as origin/main
    #[arg(value_name = "BASE")]
    pub base: String,
    /// The folder of the page, the pictures and diff.md
    #[arg(long, value_name = "DIR", default_value = "portal-diff", help_heading = PORTAL)]
    pub out: PathBuf,
    /// Put the pictures into diff.md: what leads from there to the folder, such as https://example.org/pr-7/, or ./
    ///
    /// Without it diff.md has no pictures: where it is shown, nobody knows where they lie.
    #[arg(long, value_name = "ADDRESS", help_heading = PORTAL)]
    pub pictures: Option<String>,
    /// Where lines of YAML are linked to, instead of the remote origin
    ///
    /// The address of a repository on GitHub or GitLab, or an address with {path}, {line} and {ref} in it.
    #[arg(long, value_name = "URL", help_heading = PORTAL)]
    pub source_url: Option<String>,
    /// The branch or commit of those lines, instead of the commit that is checked out
    #[arg(long, value_name = "REF", help_heading = PORTAL)]
    pub source_ref: Option<String>,
}

/// Who draws the diagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ErdEngine {
    /// trueup itself: nothing else is needed, and boxes are links
    #[default]
    Trueup,
    /// A PlantUML that is installed, once for all diagrams
    Plantuml,
}

/// Options of `trueup portal serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the pages are shown: a port, or a loopback address with a port; port 0 takes a free one
    #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "4000", value_parser = loopback, help_heading = PORTAL)]
    pub listen: SocketAddr,
    /// Who draws
    #[command(flatten)]
    pub erd: ErdArgs,
    /// What is known beyond the intent
    #[command(flatten)]
    pub truth: TruthArgs,
}

/// Reads an address of this machine. The pages are not for others: they have no password.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    let number = text.strip_prefix("localhost").map(|rest| format!("127.0.0.1{rest}"));
    let address: SocketAddr = number
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| "expected a port, or an address with a port: 4000, 127.0.0.1:4000, [::1]:4000".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("that address can be reached by others, and the pages are for this machine only; \
         to show them to others, put what `trueup portal build` writes on a web server"
        .to_owned())
}

/// Options that say what is known beyond the intent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TruthArgs {
    /// What `trueup check --format json` printed; without it every page says: not verified
    #[arg(long, value_name = "FILE", help_heading = PORTAL)]
    pub report: Option<PathBuf>,
    /// An environment, and what `trueup info --format json` printed for the services' databases there
    ///
    /// A folder holds one SERVICE.json for each service; a file is named like that, or is of the only service that has
    /// migrations. Once for each environment, in the order in which changes move; needs --report.
    #[arg(long, value_name = "NAME=FILE_OR_DIR", help_heading = PORTAL)]
    pub environment: Vec<String>,
    /// The branch that counts as merged, instead of what the remote origin calls its HEAD
    #[arg(long, value_name = "BRANCH", help_heading = PORTAL)]
    pub main: Option<String>,
    /// Where lines of YAML and SQL are linked to, instead of the remote origin
    ///
    /// The address of a repository on GitHub or GitLab, or an address with {path}, {line} and {ref} in it.
    #[arg(long, value_name = "URL", help_heading = PORTAL)]
    pub source_url: Option<String>,
    /// The branch or commit of those lines, instead of the main branch
    #[arg(long, value_name = "REF", help_heading = PORTAL)]
    pub source_ref: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_shown_to_this_machine_only() {
        for (text, address) in [
            ("4001", "127.0.0.1:4001"),
            ("0", "127.0.0.1:0"),
            ("localhost:4001", "127.0.0.1:4001"),
            ("127.0.0.2:80", "127.0.0.2:80"),
            ("[::1]:4000", "[::1]:4000"),
        ] {
            assert_eq!(loopback(text).unwrap().to_string(), address);
        }
        for text in ["0.0.0.0:4000", "[::]:4000", "192.168.1.2:80"] {
            assert!(loopback(text).unwrap_err().contains("others"), "{text}");
        }
        for text in ["", "70000", "example.org:80", "localhost", "127.0.0.1"] {
            assert!(loopback(text).unwrap_err().contains("expected"), "{text}");
        }
    }
}
