//! What was typed: verbs, flags, and settings as `-key=value`.

use std::path::PathBuf;

use trueup_model::secret::Secret;
use trueup_postgres::run::Command;

/// Something that Flyway's command line can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// One of the commands that work on a database.
    Run(Command),
    /// `testConnection`
    TestConnection,
    /// `list-engines`
    ListEngines,
}

/// A command line, taken apart.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// What to do, in this order, up to the first failure.
    pub(super) verbs: Vec<Verb>,
    /// Flyway's settings, as they were written behind the `-`; the later of two wins.
    pub(super) settings: Vec<(String, Secret)>,
    /// `help`, `-?`, `-h`, `--help`: all of it.
    pub(super) help: bool,
    /// `version`, `-v`, `--version`
    pub(super) version: bool,
    /// `-outputType=json`
    pub(super) json: bool,
    /// `-q`
    pub(super) quiet: bool,
    /// `-X`
    pub(super) debug: bool,
    /// `-outputFile`
    pub(super) output_file: Option<PathBuf>,
    /// `-workingDirectory`
    pub(super) working_directory: Option<PathBuf>,
    /// Which migrations `info` shows.
    pub(super) filter: Filter,
}

/// Which migrations `info` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// `-infoOfState`: names of states, in any case.
    pub(super) states: Vec<String>,
    /// `-infoSinceVersion`
    pub(super) since: Option<String>,
    /// `-infoUntilVersion`
    pub(super) until: Option<String>,
}

/// Why a command line is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// In a sentence or two.
    pub(super) message: String,
    /// Flyway's exit code.
    pub(super) code: u8,
}

/// Verbs of Flyway's paid editions that trueup has not.
const PAID: [&str; 8] = ["check", "snapshot", "prepare", "deploy", "diff", "diffText", "generate", "model"];

/// The exit code for what belongs to another edition.
const OTHER_EDITION: u8 = 35;

impl Call {
    /// Takes the arguments behind the program's name apart. What cannot be understood is an error, all of it in one.
    pub(super) fn parse(arguments: &[Secret]) -> Result<Self, Refused> {
        let mut call = Self::default();
        let mut wrong = Vec::new();
        for argument in arguments {
            let text = argument.expose();
            let setting = text.strip_prefix('-').and_then(|rest| rest.split_once('='));
            match setting {
                Some((key, value)) => wrong.extend(call.set(key, value).err()),
                None => match call.word(text) {
                    Ok(()) => {}
                    Err(refused) if refused.code == OTHER_EDITION => return Err(refused),
                    Err(refused) => wrong.push(refused.message),
                },
            }
        }
        if wrong.is_empty() { Ok(call) } else { Err(Refused { message: wrong.join("\n"), code: 1 }) }
    }

    fn word(&mut self, text: &str) -> Result<(), Refused> {
        match text {
            "-X" => self.debug = true,
            "-q" => self.quiet = true,
            "help" | "-?" | "-h" | "--help" => self.help = true,
            "version" | "-v" | "--version" => self.version = true,
            // trueup never asks the network for a newer one.
            "-skipCheckForUpdate" | "-skipCheckForUpdates" => {}
            "testConnection" => self.verbs.push(Verb::TestConnection),
            "list-engines" => self.verbs.push(Verb::ListEngines),
            _ if PAID.contains(&text) => {
                let message = format!("{text} belongs to Flyway's paid editions, and trueup has no such command");
                return Err(Refused { message, code: OTHER_EDITION });
            }
            _ => match verb(text) {
                Some(command) => self.verbs.push(Verb::Run(command)),
                None => return Err(Refused { message: format!("Invalid flag: {text}"), code: 1 }),
            },
        }
        Ok(())
    }

    /// Takes what concerns the command line itself; everything else is a setting.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let list = || value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        match key {
            "outputType" => match value {
                "json" => self.json = true,
                "" => {}
                _ => return Err(format!("'{value}' is an invalid value for the -outputType option. Use 'json'.")),
            },
            "outputFile" => self.output_file = Some(PathBuf::from(value)),
            "workingDirectory" => {
                self.working_directory = Some(PathBuf::from(value));
                self.settings.push((key.to_owned(), Secret::new(value)));
            }
            "color" if ["auto", "always", "never"].contains(&value) => {}
            "color" => return Err(format!("'{value}' is an invalid value for the -color option")),
            "infoOfState" => self.filter.states = list(),
            "infoSinceVersion" => self.filter.since = Some(value.to_owned()),
            "infoUntilVersion" => self.filter.until = Some(value.to_owned()),
            "infoSinceDate" | "infoUntilDate" | "migrationIds" => {
                return Err(format!("-{key} is not supported by trueup; use -infoOfState or -infoSinceVersion"));
            }
            _ => self.settings.push((key.to_owned(), Secret::new(value))),
        }
        Ok(())
    }
}

fn verb(text: &str) -> Option<Command> {
    Some(match text {
        "migrate" => Command::Migrate,
        "info" => Command::Info,
        "validate" => Command::Validate,
        "baseline" => Command::Baseline,
        "repair" => Command::Repair,
        "clean" => Command::Clean,
        "undo" => Command::Undo,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Call, Refused> {
        Call::parse(&words.iter().map(|word| Secret::new(*word)).collect::<Vec<_>>())
    }

    #[test]
    fn verbs_flags_and_settings_come_in_any_order() {
        let call = parse(&["-url=jdbc:x?a=b", "clean", "-X", "-outputType=json", "migrate", "-password=p=q"]).unwrap();
        assert_eq!(call.verbs, [Verb::Run(Command::Clean), Verb::Run(Command::Migrate)]);
        assert!(call.json && call.debug && !call.quiet);
        let settings: Vec<_> = call.settings.iter().map(|(key, value)| (key.as_str(), value.expose())).collect();
        assert_eq!(settings, [("url", "jdbc:x?a=b"), ("password", "p=q")]);
        assert!(!format!("{call:?}").contains("p=q"));
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        let refused = parse(&["bogus", "-bogus", "-outputType=xml", "info"]).unwrap_err();
        let lines: Vec<_> = refused.message.lines().collect();
        assert_eq!(
            lines,
            [
                "Invalid flag: bogus",
                "Invalid flag: -bogus",
                "'xml' is an invalid value for the -outputType option. Use 'json'."
            ]
        );
        assert_eq!((refused.code, parse(&["check"]).unwrap_err().code), (1, 35));
    }
}
