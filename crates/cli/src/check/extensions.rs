//! Extensions that a service's intent needs, by what the author lists, and by the types and operator classes that are
//! used.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, ObjectKind, ObjectPath};
use trueup_model::location::Location;
use trueup_model::name::Identifier;
use trueup_model::rule::Rule;
use trueup_postgres::disposable::{self, Database, DatabaseError, ExtensionError};
use trueup_postgres::replay::Prepared;

/// Types that come with an extension.
const TYPES: &[(&str, &str)] = &[
    ("geometry", "postgis"),
    ("geography", "postgis"),
    ("citext", "citext"),
    ("hstore", "hstore"),
    ("ltree", "ltree"),
    ("vector", "vector"),
    ("halfvec", "vector"),
];

/// The extensions that a service needs, each with the first place that says so.
pub(super) fn needed(service: &DeclaredService) -> BTreeMap<Identifier, Location> {
    let mut needed: BTreeMap<Identifier, Location> =
        service.extensions.iter().map(|listed| (listed.value.clone(), listed.at.clone())).collect();
    for details in service.tables.iter().filter_map(|table| table.details.as_ref()) {
        let types = details.columns.iter().filter_map(|column| column.type_sql.as_ref());
        let types = types.filter_map(|sql| Some((extension_of(&sql.value)?, &sql.at)));
        let keys = details.indexes.iter().flat_map(|index| &index.keys);
        let classes = keys.filter_map(|key| Some((key.operator_class.as_ref()?.extension()?, &key.at)));
        for (extension, at) in types.chain(classes) {
            needed.entry(extension.into()).or_insert_with(|| at.clone());
        }
    }
    needed
}

/// Every extension that the intent or the scripts may create.
pub(super) fn all(service: &DeclaredService, scripts: &[&Prepared]) -> Vec<String> {
    let declared = needed(service).into_keys().map(|extension| extension.as_str().to_owned());
    let created = scripts.iter().flat_map(|prepared| prepared.extensions.iter().cloned());
    let all: BTreeSet<String> = declared.chain(created).collect();
    all.into_iter().collect()
}

/// Creates, before the scripts run, extensions that take a superuser, and leaves their statements out. In production
/// somebody may create them, by an allow-list or as administrator; here the scripts run as a plain owner. One that the
/// server lacks is left to the script, whose statement then says so.
pub(super) async fn create_for_scripts(
    database: &Database,
    mut scripts: [&mut Prepared; 2],
) -> Result<(), DatabaseError> {
    let named: Vec<String> = scripts.iter().flat_map(|prepared| prepared.created_extensions()).collect();
    if !named.iter().any(|name| disposable::needs_superuser(name)) {
        return Ok(());
    }
    // The others too, in their order: they may be what those require.
    for extension in named {
        if !scripts.iter().all(|prepared| prepared.leaves_open_where(&extension)) {
            continue;
        }
        match database.create_extension(&extension).await {
            Ok(()) => scripts.iter_mut().for_each(|prepared| prepared.leave_out_creation(&extension)),
            Err(ExtensionError::Database(error)) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(())
}

/// The extension that brings a type, judged by the type's bare name.
fn extension_of(type_sql: &str) -> Option<&'static str> {
    let bare = type_sql.split(['(', '[', ' ']).next()?.rsplit('.').next()?.to_ascii_lowercase();
    TYPES.iter().find(|(name, _)| *name == bare).map(|(_, extension)| *extension)
}

/// The one finding for an extension that the server lacks.
pub(super) fn missing(service: &str, extension: &Identifier, at: &Location, reason: &str) -> Finding {
    Finding::new(Rule::MissingExtension, service, ObjectPath::new(ObjectKind::Extension, [extension.clone()]))
        .message(format!("extension `{extension}` is needed here: {reason}"))
        .help(format!(
            "install it where trueup finds PostgreSQL, or point --scratch-url at a server that has it; \
             until then what needs `{extension}` is unknown, and the rest is compared"
        ))
        .sides(extension.as_str(), "")
        .in_intent(Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_name_their_extension() {
        assert_eq!(extension_of("GEOMETRY(Point, 4326)"), Some("postgis"));
        assert_eq!(extension_of("public.citext"), Some("citext"));
        assert_eq!(extension_of("VARCHAR(20)"), None);
    }
}
