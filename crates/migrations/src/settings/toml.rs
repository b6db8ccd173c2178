//! `flyway.toml`.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use trueup_model::location::{Located, Location};

use super::{Environment, Settings, keys};
use crate::lines::LineIndex;
use crate::problem::Problem;

struct Reader<'t> {
    text: &'t str,
    file: &'t Arc<str>,
    lines: LineIndex,
    environment: Environment<'t>,
    /// Whether somebody is going to connect.
    connects: bool,
    entries: Vec<(String, Located<String>)>,
    /// What the chosen environment sets for itself.
    own: Overrides,
    /// Keys of the connection that refer to a variable without a value: key, variable.
    unresolved: Vec<(String, Located<String>)>,
    problems: Vec<Problem>,
}

/// Keys and values of `[environments.NAME.flyway]`. They outrank what is set for all environments, in variables and on
/// Flyway's command line too.
pub type Overrides = Vec<(String, Located<String>)>;

/// Which environment of several files is chosen, and by whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen<'c> {
    /// The name, when it was given outside of the files; it outranks `environment` in them.
    pub name: Option<&'c Located<String>>,
    /// Whether something of this environment was given outside of the files.
    pub elsewhere: bool,
}

/// Reads `flyway.toml` into the settings: `[flyway]`, then `[environments.NAME]` of the environment that `[flyway]`
/// chooses (`default` otherwise), then `[environments.NAME.flyway]`. Gives every problem found.
pub fn read_toml(settings: &mut Settings, text: &str, file: &Arc<str>, environment: Environment<'_>) -> Vec<Problem> {
    let (mut problems, overrides) = read(settings, &[(text, file)], None, environment);
    problems.extend(overrides.into_iter().filter_map(|(key, value)| settings.set(&key, value).err()));
    problems
}

/// Reads several such files as if they were one, in which later values win, for somebody who connects: the environment
/// must be there, and nothing of it may need what trueup has not. Gives every problem found, and what the environment
/// sets for itself, which is for the caller to set.
pub fn read_toml_files(
    settings: &mut Settings,
    files: &[(String, Arc<str>)],
    chosen: Chosen<'_>,
    environment: Environment<'_>,
) -> (Vec<Problem>, Overrides) {
    let files: Vec<_> = files.iter().map(|(text, file)| (text.as_str(), file)).collect();
    read(settings, &files, Some(chosen), environment)
}

fn read(
    settings: &mut Settings,
    files: &[(&str, &Arc<str>)],
    chosen: Option<Chosen<'_>>,
    environment: Environment<'_>,
) -> (Vec<Problem>, Overrides) {
    let mut problems = Vec::new();
    let mut read = Vec::new();
    for &(text, file) in files {
        let lines = LineIndex::new(text);
        match DeTable::parse(text) {
            Ok(document) => {
                let connects = chosen.is_some();
                let (entries, own, unresolved, problems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                read.push((
                    Reader { text, file, lines, environment, connects, entries, own, unresolved, problems },
                    document,
                ));
            }
            Err(error) => problems.push(Problem::blocking(
                lines.locate(text, file, error.span().map_or(0, |span| span.start)),
                format!("this is not TOML: {}", error.message()),
                "correct the file; nothing of it was read",
            )),
        }
    }
    for (reader, document) in &mut read {
        reader.document(document.get_ref());
        reader.give(settings, &mut problems);
    }
    let in_files = settings.runner.get("environment").cloned();
    let name = chosen.and_then(|chosen| chosen.name.cloned()).or(in_files);
    let key = name.as_ref().map_or("default", |name| name.value.as_str());
    let mut there = chosen.is_none_or(|chosen| chosen.elsewhere);
    for (reader, document) in &mut read {
        there |= reader.environment(document.get_ref(), key);
        reader.give(settings, &mut problems);
    }
    if let Some(name) = name.as_ref().filter(|name| !there && name.value != "default") {
        let names = read.iter().flat_map(|(_, document)| environments(document.get_ref()));
        let names: BTreeSet<_> = names.map(|(name, _)| name.get_ref().as_ref()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") };
        problems.push(Problem::blocking(
            name.at.clone(),
            format!("there is no environment `{key}`; the files have: {known}"),
            format!("name one of them, or write [environments.{key}]"),
        ));
    }
    (problems, read.into_iter().flat_map(|(reader, _)| reader.own).collect())
}

/// What is below `[environments]`.
fn environments<'d>(
    document: &'d DeTable<'_>,
) -> impl Iterator<Item = (&'d Spanned<std::borrow::Cow<'d, str>>, &'d Spanned<DeValue<'d>>)> {
    match document.get("environments").map(Spanned::get_ref) {
        Some(DeValue::Table(table)) => Some(table),
        _ => None,
    }
    .into_iter()
    .flatten()
}

impl Reader<'_> {
    /// Hands over what was read.
    fn give(&mut self, settings: &mut Settings, problems: &mut Vec<Problem>) {
        problems.append(&mut self.problems);
        problems.extend(self.entries.drain(..).filter_map(|(key, value)| settings.set(&key, value).err()));
        for (key, variable) in self.unresolved.drain(..) {
            settings.connection.set_unresolved(key, variable.value, variable.at);
        }
    }

    fn document(&mut self, document: &DeTable<'_>) {
        for (key, value) in document {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("flyway", DeValue::Table(table)) => self.table("", table),
                ("environments", DeValue::Table(_)) => {}
                ("id" | "name" | "databaseType", _) => {}
                (other, _) => self.problem(key.span().start, &format!("Unknown configuration property: {other}")),
            }
        }
    }

    /// Whether there is one.
    fn environment(&mut self, document: &DeTable<'_>, name: &str) -> bool {
        let Some(DeValue::Table(environments)) = document.get("environments").map(Spanned::get_ref) else {
            return false;
        };
        let Some(DeValue::Table(chosen)) = environments.get(name).map(Spanned::get_ref) else { return false };
        for (key, value) in chosen.iter().filter(|(key, _)| key.get_ref() != "flyway") {
            match key.get_ref().as_ref() {
                "displayName" => {}
                "resolvers" | "provisioner" if self.connects => {
                    self.problem(
                        key.span().start,
                        &format!("`environments.{name}.{}` is not supported by trueup", key.get_ref()),
                    );
                }
                "resolvers" | "provisioner" => {
                    self.notice(
                        key.span().start,
                        &format!("`environments.{name}.{}` concerns connecting: it has no effect here", key.get_ref()),
                    );
                }
                field => self.value(field, key.span().start, value),
            }
        }
        if let Some(DeValue::Table(table)) = chosen.get("flyway").map(Spanned::get_ref) {
            let rest = std::mem::take(&mut self.entries);
            self.table("", table);
            self.own = std::mem::replace(&mut self.entries, rest);
        }
        true
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.value(&format!("{prefix}{}", key.get_ref()), key.span().start, value);
        }
    }

    fn value(&mut self, key: &str, offset: usize, value: &Spanned<DeValue<'_>>) {
        let text = match value.get_ref() {
            DeValue::Table(table) => return self.table(&format!("{key}."), table),
            DeValue::Array(entries) => {
                entries.iter().map(|entry| scalar(entry.get_ref())).collect::<Option<Vec<_>>>().map(|all| all.join(","))
            }
            other => scalar(other),
        };
        let Some(text) = text else {
            return self.problem(offset, &format!("`{key}` has a value of a form that Flyway does not know"));
        };
        if let Some(text) = self.resolve(key, offset, &text) {
            let at = self.at(offset);
            self.entries.push((key.to_owned(), Located::new(text, at)));
        }
    }

    /// `${env.NAME}` from the environment. What a connection lacks, only who connects needs to know; to them, other
    /// resolvers are named.
    fn resolve(&mut self, key: &str, offset: usize, text: &str) -> Option<String> {
        if self.connects
            && keys::is_connection(key)
            && let Some(resolver) = foreign_resolver(text)
        {
            self.problem(offset, &format!("`{key}` asks the resolver `{resolver}`, which trueup has not"));
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${env.") {
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            let Some(value) = (self.environment)(name) else {
                self.without_value(key, offset, name);
                return None;
            };
            out.push_str(before);
            out.push_str(&value);
            rest = tail;
        }
        Some(out + rest)
    }

    fn without_value(&mut self, key: &str, offset: usize, name: &str) {
        if keys::is_connection(key) {
            let at = self.at(offset);
            self.unresolved.push((key.to_owned(), Located::new(format!("env.{name}"), at)));
        } else {
            self.problem(
                offset,
                &format!("`{key}` refers to an environment variable that is not set: ${{env.{name}}}"),
            );
        }
    }

    fn at(&self, offset: usize) -> Location {
        self.lines.locate(self.text, self.file, offset)
    }

    fn problem(&mut self, offset: usize, message: &str) {
        let at = self.at(offset);
        self.problems.push(Problem::blocking(at, message, "correct it; until then the service is unknown"));
    }

    fn notice(&mut self, offset: usize, message: &str) {
        let at = self.at(offset);
        self.problems.push(Problem::notice(at, message, "nothing is lost"));
    }
}

/// The name of a resolver other than `env`: `${vault.path}` asks `vault`.
fn foreign_resolver(text: &str) -> Option<&str> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')?.0.split_once('.'));
    names.map(|(resolver, _)| resolver).find(|resolver| *resolver != "env")
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConnectionValue;
    use super::*;

    fn read(text: &str) -> (Settings, Vec<Problem>) {
        let mut settings = Settings::default();
        let problems =
            read_toml(&mut settings, text, &Arc::from("flyway.toml"), &|name| (name == "X").then(|| "y".to_owned()));
        (settings, problems)
    }

    #[test]
    fn sections_and_environments() {
        let (settings, problems) = read(
            "[flyway]\nenvironment = \"ci\"\nlocations = [\"filesystem:a\", \"filesystem:b\"]\nmixed = true\nbaselineVersion = 3\n[flyway.placeholders]\nname = \"${env.X}z\"\n[flyway.postgresql.transactional]\nlock = false\n[environments.default]\nschemas = [\"no\"]\n[environments.ci]\nurl = \"${env.NOPE}\"\nschemas = [\"one\", \"two\"]\n[environments.ci.flyway]\nmixed = false\n",
        );
        assert_eq!(problems, []);
        assert_eq!(settings.locations.value.len(), 2);
        assert_eq!(settings.locations.at.as_ref().map(|at| (at.line, at.column)), Some((3, 1)));
        assert_eq!(settings.placeholders["name"].value, "yz");
        assert_eq!(settings.schemas.value, ["one", "two"]);
        assert!(!settings.mixed.value, "the environment's own section wins");
        assert_eq!(settings.baseline_version.value, "3");
        assert_eq!(settings.runner["postgresql.transactional.lock"].value, "false");
        let url = settings.connection.get("url").unwrap();
        assert_eq!(url.value, ConnectionValue::Unresolved("env.NOPE".into()));
    }

    fn read_all(files: &[&str], chosen: Option<&str>) -> (Settings, Vec<Problem>) {
        let mut settings = Settings::default();
        let files: Vec<_> =
            files.iter().zip(1..).map(|(text, n)| ((*text).to_owned(), Arc::from(format!("{n}.toml")))).collect();
        let name = chosen.map(|name| Located::new(name.to_owned(), Location::whole("-environment")));
        let chosen = Chosen { name: name.as_ref(), elsewhere: false };
        let (problems, overrides) =
            read_toml_files(&mut settings, &files, chosen, &|name| (name == "X").then(|| "y".to_owned()));
        overrides.into_iter().for_each(|(key, value)| settings.set(&key, value).unwrap());
        (settings, problems)
    }

    #[test]
    fn several_files_are_one() {
        let files = [
            "[flyway]\nenvironment = \"ci\"\ntable = \"a\"\n[environments.ci]\nurl = \"one\"\nuser = \"${env.X}${env.X}\"\n[environments.ci.flyway]\ntable = \"b\"\n[environments.prod]\nurl = \"p\"\n",
            "[flyway]\ntable = \"c\"\nmixed = true\n[environments.ci]\nurl = \"two\"\n",
        ];
        let known = |settings: &Settings, key: &str| match &settings.connection.get(key).unwrap().value {
            ConnectionValue::Known(secret) => secret.expose().to_owned(),
            ConnectionValue::Unresolved(name) => panic!("{name}"),
        };
        let (settings, problems) = read_all(&files, None);
        assert_eq!(problems, []);
        assert_eq!((known(&settings, "url").as_str(), known(&settings, "user").as_str()), ("two", "yy"));
        assert_eq!(settings.table.value, "b", "an environment outranks [flyway], whatever the file");
        assert!(settings.mixed.value);
        let (settings, problems) = read_all(&files, Some("prod"));
        assert_eq!((problems, known(&settings, "url").as_str()), (Vec::new(), "p"));
        assert_eq!(settings.table.value, "c");
        let (_, problems) = read_all(&files, Some("nope"));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "there is no environment `nope`; the files have: ci, prod");
        assert_eq!(problems[0].at.file.as_ref(), "-environment");
    }

    #[test]
    fn who_connects_hears_of_what_is_not_there() {
        let (_, problems) = read_all(
            &[
                "[environments.default]\npassword = \"${vault.pw}\"\nprovisioner = \"clean\"\n[flyway.placeholders]\na = \"${x.y}\"\n",
            ],
            None,
        );
        let found: Vec<_> = problems.iter().map(|problem| (problem.at.line, problem.blocking)).collect();
        assert_eq!(found, [(2, true), (3, true)]);
        assert!(problems[0].message.contains("`vault`"));
    }

    #[test]
    fn problems_have_places() {
        let (_, problems) = read("[flyway]\nnope = 1\ntable = \"${env.NOPE}\"\n[other]\n");
        let mut lines: Vec<_> = problems.iter().map(|p| p.at.line).collect();
        lines.sort_unstable();
        assert_eq!(lines, [2, 3, 4]);
        let (_, problems) = read("[flyway]\nmixed = \n");
        assert_eq!((problems.len(), problems[0].at.line), (1, 2));
    }
}
