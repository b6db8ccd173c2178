//! The services of a document: one key in column 1 each.

use std::collections::HashMap;
use std::sync::Arc;

use trueup_model::declared::{DeclaredService, Ignore, Prose};
use trueup_model::finding::ObjectPath;
use trueup_model::location::{Located, Location};
use trueup_model::name::Identifier;

use crate::document::{Entry, Node, Text, Value};
use crate::report::{Problem, Report, Scope, quoted};
use crate::{engine, fields, table};

/// The keys of a service.
pub(crate) const KEYS: [&str; 15] = [
    "engine",
    "schema",
    "schema_renamed_from",
    "tables",
    "table_details",
    "features",
    "volume",
    "connection_pool",
    "backup",
    "description",
    "renamed_from",
    "owner",
    "migrations",
    "extensions",
    "ignore",
];

/// The schema of a service that names none, as PostgreSQL has it.
pub(crate) const DEFAULT_SCHEMA: &str = "public";

/// Longest name of a service.
const MAX_NAME: usize = 100;

/// The services read so far, over all files.
#[derive(Default)]
pub(crate) struct Services {
    pub(crate) list: Vec<DeclaredService>,
    places: HashMap<String, Location>,
}

/// The schema that the tables of `service` live in unless they say otherwise.
pub(crate) fn schema_of(service: &DeclaredService) -> Identifier {
    service.schema.as_ref().map_or_else(|| DEFAULT_SCHEMA.into(), |schema| schema.value.clone())
}

/// Reads the services of one document.
pub(crate) fn read_document(file: &Arc<str>, document: &Node, services: &mut Services, report: &mut Report) {
    if document.is_null() {
        return;
    }
    let Value::Mapping(entries) = &document.value else {
        let message = format!("this is {}; expected `service:` and what belongs to it", document.kind());
        report.error(document.at.in_file(file), message, "start each service with its name in column 1 and a colon");
        return;
    };
    for entry in entries.iter().filter(|entry| !fields::is_private(&entry.key)) {
        if let Some(service) = read(file, entry, services, report) {
            services.list.push(service);
        }
    }
}

fn read(file: &Arc<str>, entry: &Entry, services: &mut Services, report: &mut Report) -> Option<DeclaredService> {
    let at = entry.key_at.in_file(file);
    if !is_service_name(&entry.key) {
        let message = format!("{} is not a service name", quoted(&entry.key));
        report.error(at, message, "start with a letter or digit, then letters, digits, `-`, `_` and `.`; at most 100");
        return None;
    }
    if let Some(first) = services.places.get(&*entry.key) {
        let message = format!("the service {} is declared twice; first at {first}", quoted(&entry.key));
        report.error(at, message, "keep all of a service in one place");
        return None;
    }
    services.places.insert(entry.key.to_string(), at.clone());
    let entries: &[Entry] = match &entry.value.value {
        Value::Mapping(entries) => entries,
        _ if entry.value.is_null() => &[],
        _ => {
            let message = format!("the service {} is {}; expected a mapping", quoted(&entry.key), entry.value.kind());
            let help = "write its `engine`, `schema`, `tables`, … below it, indented by two spaces";
            report.error(entry.value.at.in_file(file), message, help);
            return None;
        }
    };
    let mut scope = Scope { file, service: &entry.key, checked: true, object: ObjectPath::service(), report };
    Some(service(Located::new(entry.key.to_string(), at), entries, &mut scope))
}

/// Names of services are folders too.
pub(crate) fn is_service_name(name: &str) -> bool {
    let sound = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    sound && name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn service(name: Located<String>, entries: &[Entry], scope: &mut Scope<'_>) -> DeclaredService {
    let value = |key: &str| entries.iter().find(|entry| &*entry.key == key).map(|entry| &entry.value);
    for entry in entries.iter().filter(|entry| !KEYS.contains(&&*entry.key) && !fields::is_private(&entry.key)) {
        scope.unknown_key(&entry.key, entry.key_at, &KEYS);
    }
    let engine = match value("engine").and_then(|node| fields::text(node, "`engine`", scope)) {
        Some(text) => engine::read(text.text, text.at()),
        None => engine::absent(name.at.clone()),
    };
    scope.checked = engine.is_postgres;
    let (schema, inner_rename) = value("schema").map_or((None, None), |node| schema(node, scope));
    let outer_rename = value("schema_renamed_from").and_then(|node| table::renamed_from(node, scope));
    let effective = schema.as_ref().map_or_else(|| DEFAULT_SCHEMA.into(), |schema| schema.value.clone());
    DeclaredService {
        schema_renamed_from: schema_rename(inner_rename, outer_rename, scope),
        tables: table::read(value("tables"), value("table_details"), &effective, scope),
        renamed_from: value("renamed_from").and_then(|node| located(node, "`renamed_from`", scope)),
        extensions: value("extensions").map_or_else(Vec::new, |node| extensions(node, scope)),
        migrations: value("migrations").and_then(|node| migrations(node, scope)),
        owner: value("owner").and_then(|node| located(node, "`owner`", scope)),
        ignore: value("ignore").map_or_else(Vec::new, |node| ignored(node, scope)),
        prose: prose(entries, scope),
        name,
        engine,
        schema,
    }
}

type MaybeName = Option<Located<Identifier>>;

/// `schema: name`, or `schema: {name, renamed_from}`.
fn schema(node: &Node, scope: &mut Scope<'_>) -> (MaybeName, MaybeName) {
    let Some(entries) = fields::entries(node) else { return (schema_name(node, scope), None) };
    let (mut name, mut renamed) = (None, None);
    for entry in entries {
        match &*entry.key {
            "name" => name = schema_name(&entry.value, scope),
            "renamed_from" => renamed = table::renamed_from(&entry.value, scope),
            key if fields::is_private(key) => {}
            key => scope.unknown_key(key, entry.key_at, &["name", "renamed_from"]),
        }
    }
    (name, renamed)
}

fn schema_name(node: &Node, scope: &mut Scope<'_>) -> MaybeName {
    let file = scope.file;
    if node.is_null() {
        return None;
    }
    let Some(text) = Text::of(node, file) else {
        scope.wrong_type(node, "`schema`", "the name of a schema");
        return None;
    };
    let mut problems = Vec::new();
    let name = fields::name(text, "schema name", scope.checked, &mut problems);
    let label = name.as_ref().map_or_else(|| crate::names::stand_in(text.text), |name| name.value.clone());
    scope.about(ObjectPath::schema(&label)).not_understood(&problems);
    name
}

fn schema_rename(inner: MaybeName, outer: MaybeName, scope: &mut Scope<'_>) -> MaybeName {
    let other = inner.as_ref().zip(outer.as_ref()).filter(|(inner, outer)| inner.value != outer.value);
    if let Some((_, outer)) = other {
        let message = "the schema has two former names";
        scope.not_understood(&[Problem::new(outer.at.clone(), outer.value.as_str(), message, "keep one of them")]);
    }
    inner.or(outer)
}

fn located(node: &Node, what: &str, scope: &mut Scope<'_>) -> Option<Located<String>> {
    let at = scope.at(node.at);
    fields::prose(node, what, scope).filter(|text| !text.is_empty()).map(|text| Located::new(text, at))
}

fn extensions(node: &Node, scope: &mut Scope<'_>) -> Vec<Located<Identifier>> {
    let file = scope.file;
    let mut problems = Vec::new();
    let mut names = Vec::new();
    for item in fields::items(node, "`extensions`", scope) {
        match Text::of(item, file) {
            Some(text) => names.extend(fields::name(text, "extension", scope.checked, &mut problems)),
            None => scope.wrong_type(item, "an item of `extensions`", "the name of an extension"),
        }
    }
    scope.not_understood(&problems);
    names
}

/// A folder inside the project; anything else is refused, since trueup will read what is in it.
fn migrations(node: &Node, scope: &mut Scope<'_>) -> Option<Located<String>> {
    let folder = located(node, "`migrations`", scope)?;
    let path = folder.value.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with(['/', '~']) || drive || path.split('/').any(|part| part == "..") {
        let message = format!("the migrations folder {} is not inside the project", quoted(&folder.value));
        let help = "write a path relative to the project root, without `..`";
        scope.not_understood(&[Problem::new(folder.at, &folder.value, message, help)]);
        return None;
    }
    Some(folder)
}

/// `[{pattern, reason}, …]`, or a mapping from patterns to reasons.
fn ignored(node: &Node, scope: &mut Scope<'_>) -> Vec<Ignore> {
    match &node.value {
        Value::Mapping(entries) => entries
            .iter()
            .filter_map(|entry| {
                let pattern = Located::new(entry.key.to_string(), scope.at(entry.key_at));
                let reason = fields::prose(&entry.value, "the reason", scope);
                reasoned(pattern, reason, scope)
            })
            .collect(),
        _ => fields::items(node, "`ignore`", scope).iter().filter_map(|item| ignore(item, scope)).collect(),
    }
}

fn ignore(item: &Node, scope: &mut Scope<'_>) -> Option<Ignore> {
    let Some(entries) = fields::entries(item) else {
        let pattern = located(item, "an item of `ignore`", scope)?;
        return reasoned(pattern, None, scope);
    };
    let (mut pattern, mut reason) = (None, None);
    for entry in entries {
        match &*entry.key {
            "pattern" => pattern = located(&entry.value, "`pattern`", scope),
            "reason" => reason = fields::prose(&entry.value, "`reason`", scope),
            key if fields::is_private(key) => {}
            key => scope.unknown_key(key, entry.key_at, &["pattern", "reason"]),
        }
    }
    let pattern = pattern.unwrap_or_else(|| Located::new(String::new(), scope.at(item.at)));
    reasoned(pattern, reason, scope)
}

fn reasoned(pattern: Located<String>, reason: Option<String>, scope: &mut Scope<'_>) -> Option<Ignore> {
    let reason = reason.filter(|reason| !reason.is_empty());
    let lacking = if pattern.value.is_empty() { Some("pattern") } else { reason.is_none().then_some("reason") };
    if let Some(lacking) = lacking {
        let message =
            format!("an item of `ignore` has no {lacking}, so it ignores nothing: {}", quoted(&pattern.value));
        let help = "write `- {pattern: \"rule:schema.table.member\", reason: why}`";
        scope.not_understood(&[Problem::new(pattern.at, &pattern.value, message, help)]);
        return None;
    }
    reason.map(|reason| Ignore { pattern, reason })
}

fn prose(entries: &[Entry], scope: &mut Scope<'_>) -> Prose {
    let mut prose = Prose::default();
    for entry in entries {
        match &*entry.key {
            "features" => {
                let lines = fields::items(&entry.value, "`features`", scope);
                prose.features = lines.iter().filter_map(|item| feature(item, scope)).collect();
            }
            "volume" => prose.volume = fields::prose(&entry.value, "`volume`", scope),
            "backup" => prose.backup = fields::prose(&entry.value, "`backup`", scope),
            "description" => drop(fields::prose(&entry.value, "`description`", scope)),
            "connection_pool" => prose.connection_pool = pool(&entry.value, scope),
            _ => {}
        }
    }
    prose
}

/// A line of `features`. One with a colon and no quotes is a mapping to YAML, and prose to its author.
fn feature(item: &Node, scope: &mut Scope<'_>) -> Option<String> {
    if let Some([entry]) = fields::entries(item) {
        let value = fields::prose(&entry.value, "a line of `features`", scope).unwrap_or_default();
        return Some(format!("{}: {value}", entry.key));
    }
    fields::prose(item, "a line of `features`", scope)
}

fn pool(node: &Node, scope: &mut Scope<'_>) -> Vec<(String, String)> {
    let Some(entries) = fields::entries(node) else {
        if !node.is_null() {
            scope.wrong_type(node, "`connection_pool`", "a mapping");
        }
        return Vec::new();
    };
    let mut pool = Vec::new();
    for entry in entries {
        let value = fields::prose(&entry.value, "a value of `connection_pool`", scope);
        pool.push((entry.key.to_string(), value.unwrap_or_default()));
    }
    pool
}
