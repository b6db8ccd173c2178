//! From settings to the set of migrations, with all that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trueup_model::finding::{Finding, ObjectKind, ObjectPath, Severity};
use trueup_model::location::Location;
use trueup_model::name::Identifier;
use trueup_model::rule::Rule;
use walkdir::WalkDir;

use crate::location::{LocationSpec, ResolvedLocation};
use crate::migration::{Migration, MigrationKind, MigrationSet, ScriptError};
use crate::name::{Name, NameError, Naming};
use crate::settings::{ScriptConfig, Settings, read_script_config};
use crate::source::{Source, SourceError, read_settings_file};
use crate::version::Version;

/// No location holds more files than this; a walk that finds more stops and says so.
const MAX_FILES: usize = 200_000;
const MAX_DEPTH: usize = 64;
/// Endings of migrations written for the JVM.
pub(crate) const CODE: &[&str] = &["java", "class", "kt", "groovy", "scala"];
const SCRIPTS: &[&str] = &["sh", "bash", "py", "ps1", "cmd", "bat"];

/// Loads all scripts of a service. What is wrong becomes findings; nothing is left out in silence.
pub fn load(root: &Path, service: &str, settings: &Settings) -> MigrationSet {
    Loader::new(root, service, settings).load()
}

/// The same for a run, which looks for the values of placeholders only where it needs them: in what is pending. A
/// script that was applied long ago may name a placeholder that has no value today.
pub fn load_for_run(root: &Path, service: &str, settings: &Settings) -> MigrationSet {
    Loader { checks_placeholders: false, ..Loader::new(root, service, settings) }.load()
}

/// The path of `file` relative to `root`, with `/`; as it is when it lies elsewhere.
pub(crate) fn relative(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap_or(file);
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
        .replacen("//", "/", 1)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Everything,
    Callbacks,
}

struct Loader<'a> {
    root: &'a Path,
    base: PathBuf,
    canonical_root: Option<PathBuf>,
    service: &'a str,
    settings: &'a Settings,
    naming: Naming,
    seen: BTreeSet<PathBuf>,
    /// Whether every placeholder must have a value.
    checks_placeholders: bool,
    set: MigrationSet,
}

impl<'a> Loader<'a> {
    fn new(root: &'a Path, service: &'a str, settings: &'a Settings) -> Self {
        Self {
            root,
            base: root.join(&settings.base),
            canonical_root: root.canonicalize().ok(),
            service,
            settings,
            naming: settings.naming(),
            seen: BTreeSet::new(),
            checks_placeholders: true,
            set: MigrationSet::default(),
        }
    }

    fn load(mut self) -> MigrationSet {
        for location in self.distinct(&self.settings.locations.value) {
            self.location(&location, Take::Everything);
        }
        for location in self.distinct(&self.settings.callback_locations.value) {
            self.location(&location, Take::Callbacks);
        }
        self.finish()
    }

    /// Locations without those that lie inside of another one, as Flyway does.
    fn distinct(&self, specs: &[LocationSpec]) -> Vec<(LocationSpec, ResolvedLocation)> {
        let mut all: Vec<_> = specs.iter().map(|spec| (spec.clone(), spec.resolve(self.root, &self.base))).collect();
        let plain: Vec<PathBuf> =
            all.iter().filter(|(_, l)| l.pattern.is_none()).map(|(_, l)| l.folder.clone()).collect();
        let mut kept = BTreeSet::new();
        all.retain(|(_, location)| {
            let inside = plain.iter().any(|folder| location.folder != *folder && location.folder.starts_with(folder));
            location.pattern.is_some() || (!inside && kept.insert(location.folder.clone()))
        });
        all
    }

    fn location(&mut self, (spec, location): &(LocationSpec, ResolvedLocation), take: Take) {
        let code: Vec<_> = spec.code_folders(&self.base).into_iter().filter(|folder| folder.is_dir()).collect();
        if location.folder.is_dir() {
            self.walk(location, take);
        } else if code.is_empty() {
            self.missing_location(spec, location);
        }
        for folder in code {
            self.walk(&ResolvedLocation { folder, pattern: location.pattern.clone() }, take);
        }
    }

    fn missing_location(&mut self, spec: &LocationSpec, location: &ResolvedLocation) {
        let at = spec.at.clone().unwrap_or_else(|| Location::whole(relative(self.root, &location.folder)));
        let mut finding = Finding::new(Rule::MigrationFile, self.service, ObjectPath::service())
            .message(format!("the location `{}` does not exist", spec.descriptor()))
            .help("correct `locations`, or create the folder")
            .sides("", spec.descriptor())
            .in_migration(Some(&at));
        if !self.settings.fail_on_missing_locations.value {
            finding.severity = Severity::Warning;
        }
        self.set.findings.push(finding);
    }

    fn walk(&mut self, location: &ResolvedLocation, take: Take) {
        let walk = WalkDir::new(&location.folder).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_type().is_dir() && entry.file_name().to_string_lossy().starts_with('.')
        };
        let mut files = 0;
        let mut entries = walk.into_iter();
        while let Some(entry) = entries.next() {
            // What cannot be read or loops is skipped, as Flyway does; a script among it is missed by both.
            let Ok(entry) = entry else { continue };
            let is_dir = entry.file_type().is_dir();
            if hidden(&entry) || (entry.path_is_symlink() && self.leads_out(entry.path())) {
                if is_dir {
                    entries.skip_current_dir();
                }
                continue;
            }
            if is_dir {
                continue;
            }
            files += 1;
            if files > MAX_FILES {
                self.fault(&location.folder, "", (1, 1), format!("more than {MAX_FILES} files: the rest was not read"));
                break;
            }
            if self.seen.insert(entry.path().to_owned()) {
                self.entry(location, entry.path(), take);
            }
        }
    }

    /// Whether a link leads out of the project; then it is not followed, and that is said.
    fn leads_out(&mut self, link: &Path) -> bool {
        let target = link.canonicalize().ok();
        let inside = target.zip(self.canonical_root.as_ref()).is_some_and(|(target, root)| target.starts_with(root));
        if !inside {
            self.fault(
                link,
                &relative(self.root, link),
                (1, 1),
                "it is a link that leads out of the project, or nowhere: it was not read".into(),
            );
        }
        !inside
    }

    fn entry(&mut self, location: &ResolvedLocation, file: &Path, take: Take) {
        let below = relative(&location.folder, file);
        let Some(script) = location.script(&below) else { return };
        let name = script.rsplit('/').next().unwrap_or(script);
        match self.naming.parse(name) {
            None => self.other_kind(file, script, name),
            Some(Ok(Name::Callback { event, description })) => {
                // With callback locations of their own, callbacks elsewhere do not count.
                if take == Take::Callbacks || self.settings.callback_locations.value.is_empty() {
                    self.script(file, script, MigrationKind::Callback(event), None, description);
                }
            }
            Some(_) if take == Take::Callbacks => {}
            Some(Ok(Name::Versioned { version, description })) => {
                self.script(file, script, MigrationKind::Versioned, Some(version), description);
            }
            Some(Ok(Name::Baseline { version, description })) => {
                self.script(file, script, MigrationKind::Baseline, Some(version), description);
            }
            Some(Ok(Name::Undo { version, description })) => {
                self.script(file, script, MigrationKind::Undo, Some(version), description);
            }
            Some(Ok(Name::Repeatable { description })) => {
                self.script(file, script, MigrationKind::Repeatable, None, description);
            }
            Some(Err(error)) => self.bad_name(file, script, &error),
        }
    }

    /// A file that is no SQL: Java and script migrations are named, everything else is none of our business.
    fn other_kind(&mut self, file: &Path, script: &str, name: &str) {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let extension = extension.to_ascii_lowercase();
        let kind = match extension.as_str() {
            code if CODE.contains(&code) => "a Java migration",
            "" if !name.contains('.') => "a script migration",
            shell if SCRIPTS.contains(&shell) => "a script migration",
            _ => return,
        };
        if self.naming.parse_stem(name, stem, "").is_err() {
            return;
        }
        let finding = self
            .finding(Rule::JavaMigration, script, file, (1, 1))
            .message(format!("{script} is {kind}, which trueup does not run"))
            .help(format!(
                "write SQL that does the same into a file called {stem}.sql, and name it in `[replay] before` of \
                 trueup.toml; until then what it does is unknown"
            ));
        self.set.findings.push(finding);
    }

    fn bad_name(&mut self, file: &Path, script: &str, error: &NameError) {
        let mut finding = self
            .finding(Rule::MigrationName, script, file, (1, 1))
            .message(error.to_string())
            .help("its SQL never runs; rename it, or move it out of the folder");
        if self.settings.validate_migration_naming.value {
            finding.severity = Severity::Error;
        }
        self.set.findings.push(finding);
    }

    fn script(
        &mut self,
        file: &Path,
        script: &str,
        kind: MigrationKind,
        version: Option<Version>,
        description: String,
    ) {
        let Some(config) = self.config(file, script) else { return };
        let guessed = self.settings.detect_encoding.value && config.encoding.is_none();
        let encoding = (!guessed).then(|| config.encoding.unwrap_or(self.settings.encoding.value));
        let source = match Source::read(file, encoding) {
            Ok(source) => source,
            Err(error) => return self.unreadable(file, script, &error),
        };
        let replaces_placeholders =
            config.placeholder_replacement.unwrap_or(self.settings.placeholder_replacement.value);
        let path = Arc::from(relative(self.root, file));
        let mut migration = Migration {
            kind,
            version,
            description,
            script: script.to_owned(),
            path,
            checksum: None,
            config,
            replaces_placeholders,
            source,
        };
        self.check_placeholders(&migration);
        migration.checksum = match kind {
            // A text that is not held is not read a second time for this: a run computes it.
            MigrationKind::Repeatable if replaces_placeholders && !migration.source.is_held() => None,
            _ => migration.checksum_with(&self.settings.replacements()).ok(),
        };
        self.place(migration);
    }

    fn place(&mut self, migration: Migration) {
        match migration.kind {
            MigrationKind::Versioned => self.set.versioned.push(migration),
            MigrationKind::Repeatable => self.set.repeatables.push(migration),
            MigrationKind::Baseline => self.set.baselines.push(migration),
            MigrationKind::Undo => self.set.undos.push(migration),
            MigrationKind::Callback(event) => self.set.callbacks.entry(event).or_default().push(migration),
        }
    }

    /// The `.conf` beside a script; `None` when it is wrong, which has been said then.
    fn config(&mut self, file: &Path, script: &str) -> Option<ScriptConfig> {
        let mut name = file.as_os_str().to_owned();
        name.push(".conf");
        let beside = PathBuf::from(name);
        if !beside.exists() {
            return Some(ScriptConfig::default());
        }
        let text = match read_settings_file(&beside) {
            Ok(text) => text,
            Err(error) => {
                self.unreadable(&beside, script, &error);
                return None;
            }
        };
        match read_script_config(&text, &Arc::from(relative(self.root, &beside))) {
            Ok(config) => Some(config),
            Err(problems) => {
                self.set.findings.extend(problems.iter().map(|problem| problem.finding(self.service)));
                None
            }
        }
    }

    fn check_placeholders(&mut self, migration: &Migration) {
        if !self.checks_placeholders || !migration.replaces_placeholders || !migration.source.is_held() {
            return;
        }
        let Ok(text) = migration.text() else { return };
        let mut placeholders = self.settings.replacements();
        placeholders.set_built_in("filename", migration.script.as_str());
        let errors = placeholders.check(&text);
        if errors.is_empty() {
            return;
        }
        let lines = crate::lines::LineIndex::new(&text);
        // One per key and script: a name that is missing once is mostly missing everywhere.
        let mut keys = BTreeSet::new();
        for error in errors.into_iter().filter(|error| keys.insert(error.key.clone())) {
            let place = lines.line_column(&text, error.offset);
            self.fault(migration.source.file(), &migration.script, place, error.message);
        }
    }

    fn unreadable(&mut self, file: &Path, script: &str, error: &SourceError) {
        let hint = match error {
            SourceError::Decode(_) => ". Save it in that encoding, or set `encoding`",
            _ => "",
        };
        self.fault(file, script, error.line_column(), format!("{}: {error}{hint}", relative(self.root, file)));
    }

    fn fault(&mut self, file: &Path, script: &str, place: (u32, u32), message: String) {
        let finding = self
            .finding(Rule::MigrationFile, script, file, place)
            .sides("", &message)
            .message(message)
            .help("until this is settled, what the migrations of the service do is unknown");
        self.set.findings.push(finding);
    }

    fn finding(&self, rule: Rule, script: &str, file: &Path, (line, column): (u32, u32)) -> Finding {
        let object = ObjectPath::new(ObjectKind::Migration, [Identifier::new(script)]);
        let at = Location::new(relative(self.root, file), line, column);
        Finding::new(rule, self.service, object).in_migration(Some(&at))
    }

    fn finish(mut self) -> MigrationSet {
        let by_version = |a: &Migration, b: &Migration| a.version.cmp(&b.version).then_with(|| a.path.cmp(&b.path));
        self.set.versioned.sort_by(by_version);
        self.set.baselines.sort_by(by_version);
        self.set.undos.sort_by(by_version);
        self.set.repeatables.sort_by(by_description);
        self.set.callbacks.values_mut().for_each(|all| all.sort_by(by_description));
        self.collisions();
        self.set
    }

    fn collisions(&mut self) {
        let same_version = |a: &Migration, b: &Migration| a.version == b.version;
        let version = |m: &Migration| {
            format!("Found more than one migration with version {}", m.version.as_ref().map_or("", Version::text))
        };
        let description =
            |m: &Migration| format!("Found more than one repeatable migration with description {}", m.description);
        let mut found = pairs(&self.set.versioned, same_version, version);
        found.extend(pairs(&self.set.baselines, same_version, version));
        found.extend(pairs(&self.set.undos, same_version, |m| version(m).replace("migration", "undo migration")));
        found.extend(pairs(&self.set.repeatables, |a, b| a.description == b.description, description));
        for callbacks in self.set.callbacks.values() {
            let name = |m: &Migration| m.script.rsplit('/').next().unwrap_or_default().to_owned();
            found.extend(pairs(
                callbacks,
                |a, b| name(a) == name(b),
                |m| format!("Found more than 1 SQL callback script called {}!", name(m)),
            ));
        }
        let findings: Vec<_> = found.into_iter().map(|(text, a, b)| self.collision(&text, &a, &b)).collect();
        self.set.findings.extend(findings);
    }

    fn collision(&self, text: &str, first: &Offender, second: &Offender) -> Finding {
        let object = ObjectPath::new(ObjectKind::Migration, [Identifier::new(second.script.as_str())]);
        Finding::new(Rule::VersionCollision, self.service, object)
            .message(format!("{text}\nOffenders:\n-> {}\n-> {}", first.path, second.path))
            .help("Flyway refuses to run; renumber or rename the one that is not applied anywhere yet")
            .sides("", format!("{}, {}", first.path, second.path))
            .in_migration(Some(&Location::whole(Arc::clone(&second.path))))
    }
}

struct Offender {
    script: String,
    path: Arc<str>,
}

fn by_description(a: &Migration, b: &Migration) -> std::cmp::Ordering {
    a.description.encode_utf16().cmp(b.description.encode_utf16()).then_with(|| a.path.cmp(&b.path))
}

/// Neighbours that are the same by `same`, with a text about them.
fn pairs(
    sorted: &[Migration],
    same: impl Fn(&Migration, &Migration) -> bool,
    text: impl Fn(&Migration) -> String,
) -> Vec<(String, Offender, Offender)> {
    let offender = |m: &Migration| Offender { script: m.script.clone(), path: Arc::clone(&m.path) };
    let neighbours = sorted.windows(2).filter(|pair| same(&pair[0], &pair[1]));
    neighbours.map(|pair| (text(&pair[0]), offender(&pair[0]), offender(&pair[1]))).collect()
}

/// A finding for a script whose SQL could not be had after it was loaded.
pub fn script_findings(service: &str, migration: &Migration, error: &ScriptError) -> Vec<Finding> {
    let object = || ObjectPath::new(ObjectKind::Migration, [Identifier::new(migration.script.as_str())]);
    let one = |at: &Location, message: &str| {
        Finding::new(Rule::MigrationFile, service, object())
            .message(message)
            .help("until this is settled, what the migrations of the service do is unknown")
            .sides("", message)
            .in_migration(Some(at))
    };
    match error {
        ScriptError::Placeholders(all) => all.iter().map(|(at, error)| one(at, &error.message)).collect(),
        ScriptError::Split { at, message } => vec![one(at, message)],
        ScriptError::Source(error) => {
            let (line, column) = error.line_column();
            vec![one(&Location::new(Arc::clone(&migration.path), line, column), &error.to_string())]
        }
    }
}

/// Scripts by path, for those who know a file and want its migration.
pub fn by_path(set: &MigrationSet) -> BTreeMap<&str, &Migration> {
    let all = set.in_order().chain(&set.baselines).chain(&set.undos).chain(set.callbacks.values().flatten());
    all.map(|migration| (&*migration.path, migration)).collect()
}
