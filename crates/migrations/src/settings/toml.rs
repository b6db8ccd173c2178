//! `flyway.toml`.

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
    entries: Vec<(String, Located<String>)>,
    /// Keys of the connection that refer to a variable without a value: key, variable.
    unresolved: Vec<(String, Located<String>)>,
    problems: Vec<Problem>,
}

/// Reads `flyway.toml` into the settings: `[flyway]`, then `[environments.NAME]` of the environment that `[flyway]`
/// chooses (`default` otherwise), then `[environments.NAME.flyway]`. Gives every problem found.
pub fn read_toml(settings: &mut Settings, text: &str, file: &Arc<str>, environment: Environment<'_>) -> Vec<Problem> {
    let lines = LineIndex::new(text);
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let at = lines.locate(text, file, error.span().map_or(0, |span| span.start));
            return vec![Problem::blocking(
                at,
                format!("this is not TOML: {}", error.message()),
                "correct the file; nothing of it was read",
            )];
        }
    };
    let mut reader =
        Reader { text, file, lines, environment, entries: Vec::new(), unresolved: Vec::new(), problems: Vec::new() };
    reader.document(document.get_ref());
    let Reader { entries, unresolved, mut problems, .. } = reader;
    problems.extend(entries.into_iter().filter_map(|(key, value)| settings.set(&key, value).err()));
    for (key, variable) in unresolved {
        settings.connection.set_unresolved(key, variable.value, variable.at);
    }
    problems
}

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) {
        for (key, value) in document {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("flyway", DeValue::Table(table)) => self.table("", table),
                ("environments", DeValue::Table(_)) => {}
                ("id" | "name" | "databaseType", _) => {}
                (other, _) => self.problem(key.span().start, &format!("Unknown configuration property: {other}")),
            }
        }
        let chosen =
            self.entries.iter().rev().find(|(key, _)| key == "environment").map(|(_, value)| value.value.clone());
        self.environment(document, chosen.as_deref().unwrap_or("default"));
    }

    fn environment(&mut self, document: &DeTable<'_>, name: &str) {
        let Some(DeValue::Table(environments)) = document.get("environments").map(Spanned::get_ref) else { return };
        let Some(DeValue::Table(chosen)) = environments.get(name).map(Spanned::get_ref) else { return };
        for (key, value) in chosen {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("flyway", DeValue::Table(table)) => self.table("", table),
                ("resolvers" | "provisioner" | "displayName", _) => {
                    self.notice(
                        key.span().start,
                        &format!("`environments.{name}.{}` concerns connecting: it has no effect here", key.get_ref()),
                    );
                }
                (field, _) => self.value(field, key.span().start, value),
            }
        }
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

    /// `${env.NAME}` from the environment; other resolvers are named. What a connection lacks, only who connects needs
    /// to know.
    fn resolve(&mut self, key: &str, offset: usize, text: &str) -> Option<String> {
        let Some(start) = text.find("${env.") else { return Some(text.to_owned()) };
        let (name, rest) = text[start + 6..].split_once('}').unwrap_or((&text[start + 6..], ""));
        let found = (self.environment)(name).map(|value| format!("{}{value}{rest}", &text[..start]));
        if found.is_none() && keys::is_connection(key) {
            let at = self.at(offset);
            self.unresolved.push((key.to_owned(), Located::new(format!("env.{name}"), at)));
        } else if found.is_none() {
            self.problem(
                offset,
                &format!("`{key}` refers to an environment variable that is not set: {}", &text[start..]),
            );
        }
        found
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
