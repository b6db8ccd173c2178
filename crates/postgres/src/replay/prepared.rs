//! From a service's migrations to the scripts of a replay, in Flyway's order on an empty database, and back from a
//! failure to the author's file.

use std::collections::BTreeSet;
use std::sync::Arc;

use trueup_migrations::classify::{Barrier, Facts, classify};
use trueup_migrations::migration::{Migration, MigrationKind, MigrationSet, Script as Sql, ScriptError};
use trueup_migrations::placeholders::Placeholders;
use trueup_migrations::settings::Settings;
use trueup_migrations::statements::{StatementKind, split};
use trueup_model::location::Location;
use trueup_model::name::{Identifier, QualifiedName};

use super::outcome::ReplayFailure;
use super::script::{CopyData, HistoryRow, Mode, ReplayOptions, Script};

/// A service's migrations, ready to be replayed.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// The scripts in order; a script's id is its index here.
    pub scripts: Vec<Script>,
    /// Where each script came from.
    pub origins: Vec<Origin>,
    /// What Flyway's settings say about the session. Timeouts and deadline are the caller's.
    pub options: ReplayOptions,
    /// The script at which Flyway itself would stop; it and what follows it are left out.
    pub refused: Option<Refused>,
    /// Callbacks that do not run in a replay although Flyway would run them around each statement.
    pub not_run: Vec<Location>,
    /// Extensions that the scripts create.
    pub extensions: BTreeSet<String>,
    /// The statements that do.
    creations: Vec<Creation>,
    /// Whether a script touches what the whole server shares: roles, databases, tablespaces.
    pub cluster_wide: bool,
}

/// A statement that creates an extension.
#[derive(Clone, Debug)]
struct Creation {
    script: usize,
    /// Its bytes in the script's text.
    range: std::ops::Range<usize>,
    name: String,
    schema: Option<String>,
}

/// A script that cannot be run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where.
    pub at: Location,
    /// Why.
    pub message: String,
}

/// The files that one script is made of: usually one; with `beforeEachMigrate` and `afterEachMigrate`, which Flyway
/// runs in the migration's own transaction, several.
#[derive(Clone, Debug)]
pub struct Origin {
    parts: Vec<(usize, Sql)>,
    main: usize,
}

impl Origin {
    /// The migration's file, relative to the project root.
    pub fn file(&self) -> &Arc<str> {
        &self.parts[self.main].1.file
    }

    /// The files' SQL, the migration's own first.
    pub fn sql(&self) -> impl Iterator<Item = &Sql> {
        let others = self.parts.iter().enumerate().filter(|(index, _)| *index != self.main).map(|(_, part)| part);
        std::iter::once(&self.parts[self.main]).chain(others).map(|(_, sql)| sql)
    }

    /// The place in the author's files of a byte in the script's text.
    pub fn locate(&self, offset: usize) -> Location {
        let after = self.parts.partition_point(|(start, _)| *start <= offset).max(1);
        let (start, sql) = &self.parts[after - 1];
        sql.locate(offset.saturating_sub(*start).min(sql.sql.text.len()))
    }
}

impl Prepared {
    /// Has every COPY read its data from a file in `folder`, which the server sees.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn copy_from_files(&mut self, folder: &super::CopyFolder) -> std::io::Result<()> {
        super::copy_files::from_files(&mut self.scripts, folder)
    }

    /// Extensions that statements of their own create, in order.
    pub fn created_extensions(&self) -> impl Iterator<Item = String> {
        self.creations.iter().map(|creation| creation.name.clone())
    }

    /// Whether `extension` may as well be there, in schema `public`, before any script runs: no script wants it elsewhere.
    pub fn leaves_open_where(&self, extension: &str) -> bool {
        let mut creations = self.creations.iter().filter(|creation| creation.name == extension);
        creations.all(|creation| creation.schema.as_deref().is_none_or(|schema| schema == "public"))
    }

    /// Leaves the creation of `extension` out of the scripts: it is there already, made by somebody who may. A statement
    /// inside of a `DO` block stays.
    pub fn leave_out_creation(&mut self, extension: &str) {
        for creation in self.creations.iter().filter(|creation| creation.name == extension) {
            let text = &mut self.scripts[creation.script].text;
            // As long as before, and still a statement: every other place keeps its number.
            let length = creation.range.len();
            text.replace_range(creation.range.clone(), &format!("{NOTHING:length$}"));
        }
    }

    /// The place of a failure in the author's files; the start of the migration's file when there is none closer.
    pub fn locate(&self, failure: &ReplayFailure) -> Option<Location> {
        let origin = self.origins.get(failure.script)?;
        Some(match failure.offset {
            Some(offset) => origin.locate(offset),
            None => Location::whole(Arc::clone(origin.file())),
        })
    }
}

/// Events that Flyway raises once before the versioned migrations of an empty database, in order.
const BEFORE: &[&str] =
    &["afterConnect", "beforeValidate", "afterValidate", "beforeCreateSchema", "createSchema", "beforeMigrate"];

/// Events between the versioned and the repeatable migrations.
const BETWEEN: &[&str] = &["afterVersioned", "beforeRepeatables"];

/// Events at the end.
const AFTER: &[&str] = &["afterMigrateApplied", "afterMigrate", "afterMigrateOperationFinish"];

/// Events around each statement, which a replay does not raise.
const PER_STATEMENT: &[&str] = &["beforeEachMigrateStatement", "afterEachMigrateStatement"];

/// Lays out everything Flyway would run on an empty database: the highest baseline instead of the versions up to it,
/// the later versions, the repeatables, and the callbacks around them. `placeholders` has all values of the run.
pub fn scripts_from(set: &MigrationSet, settings: &Settings, placeholders: &Placeholders) -> Prepared {
    let mut laying = Laying { set, settings, placeholders, prepared: Prepared::default(), names_history: false };
    laying.prepared.not_run = PER_STATEMENT
        .iter()
        .flat_map(|event| set.callbacks_of(event))
        .map(|callback| Location::whole(Arc::clone(&callback.path)))
        .collect();
    if let Err(refused) = laying.everything() {
        laying.prepared.refused = Some(refused);
    }
    laying.prepared.options = laying.options();
    laying.prepared
}

/// Lays out SQL that is no migration: what a project names to run first, in the given order. Paths and texts.
pub fn scripts_of_texts(files: &[(String, String)]) -> Prepared {
    let (set, settings) = (MigrationSet::default(), Settings::default());
    let placeholders = settings.replacements();
    let mut laying = Laying {
        set: &set,
        settings: &settings,
        placeholders: &placeholders,
        prepared: Prepared::default(),
        names_history: false,
    };
    if let Err(refused) = files.iter().try_for_each(|(path, text)| laying.text(path, text)) {
        laying.prepared.refused = Some(refused);
    }
    laying.prepared
}

fn unreadable(migration: &Migration, error: &ScriptError) -> Refused {
    let at = error.at().cloned().unwrap_or_else(|| Location::whole(Arc::clone(&migration.path)));
    Refused { at, message: error.to_string() }
}

struct Laying<'a> {
    set: &'a MigrationSet,
    settings: &'a Settings,
    placeholders: &'a Placeholders,
    prepared: Prepared,
    names_history: bool,
}

impl Laying<'_> {
    fn everything(&mut self) -> Result<(), Refused> {
        let set = self.set;
        self.events(BEFORE)?;
        let baseline = set.baselines.last();
        let covered = |migration: &&Migration| {
            baseline.is_some_and(|baseline| migration.version.is_some() && migration.version <= baseline.version)
        };
        for migration in baseline.into_iter().chain(set.versioned.iter().filter(|m| !covered(m))) {
            self.migration(migration)?;
        }
        self.events(if set.repeatables.is_empty() { &BETWEEN[..1] } else { BETWEEN })?;
        for migration in &set.repeatables {
            self.migration(migration)?;
        }
        self.events(if self.prepared.scripts.is_empty() { &AFTER[1..] } else { AFTER })
    }

    fn events(&mut self, events: &[&str]) -> Result<(), Refused> {
        for event in events {
            for callback in self.set.callbacks_of(event) {
                self.push(&[callback], 0, None)?;
            }
        }
        Ok(())
    }

    fn migration(&mut self, migration: &Migration) -> Result<(), Refused> {
        let before = self.set.callbacks_of("beforeEachMigrate");
        let after = self.set.callbacks_of("afterEachMigrate");
        let parts: Vec<&Migration> = before.iter().chain([migration]).chain(after).collect();
        self.push(&parts, before.len(), Some(self.row(migration)))
    }

    fn row(&self, migration: &Migration) -> HistoryRow {
        let kind = if migration.kind == MigrationKind::Baseline { "SQL_BASELINE" } else { "SQL" };
        HistoryRow {
            version: migration.version.as_ref().map(|version| version.text().to_owned()),
            description: migration.description.clone(),
            kind: kind.to_owned(),
            script: migration.script.clone(),
            checksum: migration.checksum.or_else(|| migration.checksum_with(self.placeholders).ok()),
        }
    }

    /// Adds one script made of `parts`, the one at `main` being the migration.
    fn push(&mut self, parts: &[&Migration], main: usize, history: Option<HistoryRow>) -> Result<(), Refused> {
        let mut script = Script {
            id: self.prepared.scripts.len(),
            text: String::new(),
            statements: Vec::new(),
            mode: Mode::Ahead,
            copies: Vec::new(),
            history,
        };
        let mut origin = Origin { parts: Vec::new(), main };
        let mut understood = true;
        for part in parts {
            if !script.text.is_empty() {
                script.text.push_str(BETWEEN_PARTS);
            }
            let sql = part.script_with(self.placeholders).map_err(|error| unreadable(part, &error))?;
            let (mode, cut) = self.append(&mut script, part.config.execute_in_transaction, &sql)?;
            script.mode = strictest(script.mode, mode);
            understood &= cut;
            origin.parts.push((script.text.len() - sql.sql.text.len(), sql));
        }
        if !understood {
            script.statements.clear();
            script.copies.clear();
        }
        self.prepared.scripts.push(script);
        self.prepared.origins.push(origin);
        Ok(())
    }

    /// Adds one file that is no migration.
    fn text(&mut self, path: &str, text: &str) -> Result<(), Refused> {
        let sql = Sql::of_text(path, text);
        let mut script = Script {
            id: self.prepared.scripts.len(),
            text: String::new(),
            statements: Vec::new(),
            mode: Mode::Ahead,
            copies: Vec::new(),
            history: None,
        };
        let (mode, understood) = self.append(&mut script, None, &sql)?;
        script.mode = mode;
        if !understood {
            script.statements.clear();
        }
        self.prepared.scripts.push(script);
        self.prepared.origins.push(Origin { parts: vec![(0, sql)], main: 0 });
        Ok(())
    }

    /// Appends one file to a script; gives how it must be sent and whether it could be cut into statements.
    fn append(&mut self, script: &mut Script, decided: Option<bool>, sql: &Sql) -> Result<(Mode, bool), Refused> {
        let text = &sql.sql.text;
        let cut = split(text);
        let facts = classify(text, &cut, &self.settings.table.value);
        self.names_history |= facts.barriers.contains(&Barrier::HistoryTable);
        self.prepared.extensions.extend(facts.extensions.iter().map(|created| created.name.clone()));
        self.prepared.cluster_wide |= !facts.cluster_wide.is_empty();
        let mode = self.mode(decided, sql, &facts)?;
        let start = script.text.len();
        self.prepared.creations.extend(facts.extensions.into_iter().filter_map(|created| {
            let range = created.range?;
            let range = start + range.start..start + range.end;
            Some(Creation { script: script.id, range, name: created.name, schema: created.schema })
        }));
        let Ok(cut) = cut else {
            script.text.push_str(text);
            return Ok((mode, false));
        };
        for statement in &cut.statements {
            if let StatementKind::CopyFromStdin { data } = &statement.kind {
                let data = start + data.start..start + data.end;
                script.copies.push(CopyData { statement: script.statements.len(), data });
            }
            script.statements.push(start + statement.range.start..start + statement.range.end);
        }
        let sendable = cut.sendable(text);
        // Blanks for skipped characters keep their number, not always their bytes; then only statements are sent.
        script.text.push_str(if sendable.len() == text.len() { &sendable } else { text });
        let all_or_pieces = if sendable.len() == text.len() { mode } else { strictest(mode, Mode::Stepwise) };
        Ok((all_or_pieces, true))
    }

    /// As Flyway decides: the script's own configuration, else the setting, else what the statements are.
    fn mode(&self, decided: Option<bool>, sql: &Sql, facts: &Facts) -> Result<Mode, Refused> {
        let in_transaction = match decided {
            Some(decided) => decided,
            None if !self.settings.execute_in_transaction.value => false,
            None if facts.is_mixed_for_flyway() && !self.settings.mixed.value => return Err(mixed(sql, facts)),
            // Flyway runs what it misses in a transaction, where the server refuses it; nobody can mean that.
            None => facts.is_transactional(),
        };
        Ok(if in_transaction { transactional_mode(facts) } else { Mode::Autocommit })
    }

    fn options(&self) -> ReplayOptions {
        let settings = self.settings;
        let mut schemas = settings.schemas.value.clone();
        if let Some(default) = &settings.default_schema.value
            && !schemas.contains(default)
        {
            schemas.insert(0, default.clone());
        }
        let default_schema = settings.history_schema().map(Identifier::new);
        let table = &settings.table.value;
        let schema = default_schema.clone().unwrap_or_else(|| Identifier::new("public"));
        ReplayOptions {
            default_schema,
            create_schemas: schemas
                .into_iter()
                .filter(|_| settings.create_schemas.value)
                .map(Identifier::new)
                .collect(),
            init_sql: settings.init_sql.value.clone(),
            history: self.names_history.then(|| QualifiedName::new(schema, table.as_str())),
            statement_timeout: None,
            deadline: None,
        }
    }
}

/// A statement that does nothing, shorter than any CREATE EXTENSION.
const NOTHING: &str = "SELECT 1";

/// Ends whatever statement or comment a file leaves unfinished before the next file begins.
const BETWEEN_PARTS: &str = "\n;\n";

/// Of what makes a script a barrier when it is migrated for good, a replay needs only these: its checks survive
/// transaction control, RESET ALL and the rest, and there is no lock and no history to protect.
fn transactional_mode(facts: &Facts) -> Mode {
    let modes = facts.barriers.iter().map(|barrier| match barrier {
        Barrier::SetTransaction | Barrier::NotUnderstood(_) => Mode::Alone,
        Barrier::StringSyntax => Mode::Stepwise,
        _ => Mode::Ahead,
    });
    modes.fold(Mode::Ahead, strictest)
}

fn strictest(one: Mode, other: Mode) -> Mode {
    let rank = |mode| match mode {
        Mode::Ahead => 0,
        Mode::Stepwise => 1,
        Mode::Alone => 2,
        Mode::Autocommit => 3,
    };
    if rank(one) >= rank(other) { one } else { other }
}

fn mixed(sql: &Sql, facts: &Facts) -> Refused {
    let statement = facts.outside_transaction.iter().find(|statement| statement.flyway_detects);
    Refused {
        at: sql.locate(statement.map_or(0, |statement| statement.range.start)),
        message: format!(
            "{} cannot run inside a transaction, and other statements of this file need one: Flyway refuses such a \
             file unless `mixed` is set",
            statement.map_or("a statement", |statement| statement.what.as_str())
        ),
    }
}
