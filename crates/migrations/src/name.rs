//! What a file name says: kind, version, description; or why Flyway refuses it.

use crate::version::Version;

/// The events for which a SQL file can be a callback, by Flyway's ids.
pub const EVENTS: &[&str] = &[
    "afterBaseline",
    "afterBaselineError",
    "afterBaselineOperationFinish",
    "afterClean",
    "afterCleanError",
    "afterCleanOperationFinish",
    "afterConnect",
    "afterEachMigrate",
    "afterEachMigrateError",
    "afterEachMigrateStatement",
    "afterEachMigrateStatementError",
    "afterEachUndo",
    "afterEachUndoError",
    "afterEachUndoStatement",
    "afterEachUndoStatementError",
    "afterInfo",
    "afterInfoError",
    "afterInfoOperationFinish",
    "afterMigrate",
    "afterMigrateApplied",
    "afterMigrateError",
    "afterMigrateOperationFinish",
    "afterRepair",
    "afterRepairError",
    "afterRepairOperationFinish",
    "afterUndo",
    "afterUndoError",
    "afterUndoOperationFinish",
    "afterValidate",
    "afterValidateError",
    "afterValidateOperationFinish",
    "afterVersioned",
    "beforeBaseline",
    "beforeClean",
    "beforeConnect",
    "beforeCreateSchema",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "beforeEachUndo",
    "beforeEachUndoStatement",
    "beforeInfo",
    "beforeMigrate",
    "beforeRepair",
    "beforeRepeatables",
    "beforeUndo",
    "beforeValidate",
    "createSchema",
];

/// How migration files are named; the defaults are Flyway's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Prefix of versioned migrations: `V`.
    pub versioned: String,
    /// Prefix of repeatable migrations: `R`.
    pub repeatable: String,
    /// Prefix of baseline migrations: `B`.
    pub baseline: String,
    /// Prefix of undo migrations: `U`. Only Flyway's paid editions have them; the free one passes over the files.
    pub undo: String,
    /// What stands between version and description: `__`.
    pub separator: String,
    /// Endings of SQL files: `.sql`; compared without regard to case.
    pub suffixes: Vec<String>,
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            versioned: "V".into(),
            repeatable: "R".into(),
            baseline: "B".into(),
            undo: "U".into(),
            separator: "__".into(),
            suffixes: vec![".sql".into()],
        }
    }
}

/// A file name taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `V<version>__<description>.sql`
    Versioned {
        /// The version.
        version: Version,
        /// The description, spaces for `_`.
        description: String,
    },
    /// `B<version>__<description>.sql`
    Baseline {
        /// The version.
        version: Version,
        /// The description, spaces for `_`.
        description: String,
    },
    /// `U<version>__<description>.sql`
    Undo {
        /// The version that it takes back.
        version: Version,
        /// The description, spaces for `_`.
        description: String,
    },
    /// `R__<description>.sql`
    Repeatable {
        /// The description, spaces for `_`.
        description: String,
    },
    /// `<event>[__<description>].sql`
    Callback {
        /// One of [`EVENTS`].
        event: &'static str,
        /// The description, spaces for `_`; often empty.
        description: String,
    },
}

/// Why a file with a SQL ending is no migration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Flyway refuses or ignores it with this text.
    #[error("{0}")]
    Refused(String),
    /// Flyway passes over it without a word (`R.sql`).
    #[error("Flyway skips {0} without a word: nothing stands between prefix and suffix")]
    Skipped(String),
}

#[derive(Clone, Copy)]
enum Prefix {
    Versioned,
    Baseline,
    Undo,
    Repeatable,
    Callback(&'static str),
}

impl Naming {
    /// The suffix of `file` when it is one of SQL files, as it stands in the name.
    pub fn suffix_of<'f>(&self, file: &'f str) -> Option<&'f str> {
        self.suffixes.iter().find_map(|suffix| {
            let at = file.len().checked_sub(suffix.len())?;
            let tail = file.get(at..)?;
            tail.eq_ignore_ascii_case(suffix).then_some(tail)
        })
    }

    /// Takes a file name (no folders) apart. `None` when it has none of the suffixes of SQL files.
    ///
    /// # Errors
    /// The exact text with which Flyway refuses the name.
    pub fn parse(&self, file: &str) -> Option<Result<Name, NameError>> {
        let suffix = self.suffix_of(file)?;
        Some(self.parse_stem(file, &file[..file.len() - suffix.len()], suffix))
    }

    /// Takes the part before the suffix apart; `file` and `suffix` serve the messages.
    ///
    /// # Errors
    /// The exact text with which Flyway refuses the name.
    pub fn parse_stem(&self, file: &str, stem: &str, suffix: &str) -> Result<Name, NameError> {
        let Some((text, prefix)) = self.longest_prefix(stem) else {
            return Err(NameError::Refused(format!("Unrecognised migration name format: {file}")));
        };
        let (left, right) = self.separate(&stem[text.len()..]);
        let description = right.replace('_', " ");
        let example = if right.is_empty() { "description" } else { right };
        match prefix {
            Prefix::Versioned | Prefix::Baseline | Prefix::Undo => {
                let version = self.version(file, text, left, example, suffix)?;
                Ok(match prefix {
                    Prefix::Baseline => Name::Baseline { version, description },
                    Prefix::Undo => Name::Undo { version, description },
                    _ => Name::Versioned { version, description },
                })
            }
            _ if !left.is_empty() => Err(NameError::Refused(format!(
                "Invalid repeatable migration / callback name format: {file} (It cannot contain a version and should look like this: {text}{}{example}{suffix})",
                self.separator
            ))),
            Prefix::Repeatable if stem.len() == text.len() => Err(NameError::Skipped(file.to_owned())),
            Prefix::Repeatable => Ok(Name::Repeatable { description }),
            Prefix::Callback(event) => Ok(Name::Callback { event, description }),
        }
    }

    fn version(&self, file: &str, prefix: &str, left: &str, example: &str, suffix: &str) -> Result<Version, NameError> {
        if left.is_empty() {
            return Err(NameError::Refused(format!(
                "Invalid versioned migration name format: {file} (It must contain a version and should look like this: {prefix}1.2{}{example}{suffix})",
                self.separator
            )));
        }
        Version::parse(left).ok_or_else(|| {
            NameError::Refused(format!(
                "Invalid versioned migration name format: {file} (could not recognise version number {left})"
            ))
        })
    }

    /// The longest prefix or event that `stem` starts with, case and all.
    fn longest_prefix<'s>(&self, stem: &'s str) -> Option<(&'s str, Prefix)> {
        let kinds = [
            (self.versioned.as_str(), Prefix::Versioned),
            (self.baseline.as_str(), Prefix::Baseline),
            (self.undo.as_str(), Prefix::Undo),
            (self.repeatable.as_str(), Prefix::Repeatable),
        ];
        let events = EVENTS.iter().map(|&event| (event, Prefix::Callback(event)));
        let (text, prefix) = kinds
            .into_iter()
            .chain(events)
            .filter(|(text, _)| stem.starts_with(text))
            .max_by_key(|(text, _)| text.len())?;
        Some((&stem[..text.len()], prefix))
    }

    /// Splits at the first separator; without one everything is version.
    fn separate<'s>(&self, rest: &'s str) -> (&'s str, &'s str) {
        if self.separator.is_empty() {
            return (rest, "");
        }
        rest.split_once(self.separator.as_str()).unwrap_or((rest, ""))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(file: &str) -> Result<Name, NameError> {
        Naming::default().parse(file).expect("a SQL suffix")
    }

    fn versioned(version: &str, description: &str) -> Name {
        Name::Versioned { version: Version::parse(version).expect("version"), description: description.into() }
    }

    fn refusal(file: &str) -> String {
        parse(file).expect_err(file).to_string()
    }

    #[test]
    fn accepted_forms() {
        assert_eq!(parse("V1__x.sql"), Ok(versioned("1", "x")));
        assert_eq!(parse("V1_2__a_b.SQL"), Ok(versioned("1.2", "a b")));
        assert_eq!(parse("V4.sql"), Ok(versioned("4", "")));
        assert_eq!(parse("V1__a__b.sql"), Ok(versioned("1", "a  b")));
        assert_eq!(parse("V-1__x.sql"), Ok(versioned("-1", "x")));
        assert_eq!(
            parse("B2__base.sql"),
            Ok(Name::Baseline { version: Version::parse("2").expect("2"), description: "base".into() })
        );
        assert_eq!(parse("R__a_b.sql"), Ok(Name::Repeatable { description: "a b".into() }));
        assert_eq!(parse("afterMigrate.sql"), Ok(Name::Callback { event: "afterMigrate", description: String::new() }));
        assert_eq!(
            parse("afterMigrateApplied__v_x.sql"),
            Ok(Name::Callback { event: "afterMigrateApplied", description: "v x".into() })
        );
        assert_eq!(Naming::default().parse("V57__readme.md"), None);
    }

    #[test]
    fn version_numbers_that_are_none() {
        for (file, number) in [
            ("V_5__x.sql", "_5"),
            ("V7_x__d.sql", "7_x"),
            ("V14.__d.sql", "14."),
            ("V15..1__d.sql", "15..1"),
            ("Vabc__d.sql", "abc"),
            ("V13-1__d.sql", "13-1"),
            ("Vlatest__d.sql", "latest"),
            ("Vnext__d.sql", "next"),
            ("V6_.sql", "6_"),
        ] {
            let expected = format!(
                "Invalid versioned migration name format: {file} (could not recognise version number {number})"
            );
            assert_eq!(refusal(file), expected);
        }
    }

    #[test]
    fn other_refusals_have_flyways_words() {
        assert_eq!(
            refusal("V__x.sql"),
            "Invalid versioned migration name format: V__x.sql (It must contain a version and should look like this: V1.2__x.sql)"
        );
        assert_eq!(
            refusal("R1__x.sql"),
            "Invalid repeatable migration / callback name format: R1__x.sql (It cannot contain a version and should look like this: R__x.sql)"
        );
        for file in ["foo.sql", "v2__x.sql", ".hidden.sql", "u1__x.sql"] {
            assert_eq!(refusal(file), format!("Unrecognised migration name format: {file}"));
        }
        assert_eq!(parse("R.sql"), Err(NameError::Skipped("R.sql".into())));
    }

    #[test]
    fn undo_migrations_have_the_version_they_take_back() {
        let version = Version::parse("1.2").unwrap();
        assert_eq!(parse("U1_2__a_b.sql"), Ok(Name::Undo { version, description: "a b".into() }));
        assert!(matches!(parse("U__x.sql"), Err(NameError::Refused(_))));
    }

    #[test]
    fn own_prefixes_separator_and_suffixes() {
        let naming = Naming {
            versioned: "mig".into(),
            separator: "-".into(),
            suffixes: vec![".pgsql".into(), ".ddl".into()],
            ..Naming::default()
        };
        assert_eq!(naming.parse("mig1.1-a_b.DDL"), Some(Ok(versioned("1.1", "a b"))));
        assert_eq!(naming.parse("mig1.sql"), None);
    }

    proptest! {
        #[test]
        fn never_panics(file in ".*") {
            let _ = Naming::default().parse(&file);
            let _ = Naming::default().parse(&format!("V{file}.sql"));
        }
    }
}
