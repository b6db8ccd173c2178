//! `SPRING_FLYWAY_*`: Spring's settings as variables, in the forms that Spring Boot binds.

use std::cmp::Reverse;

use trueup_migrations::problem::Problem;
use trueup_migrations::settings::knows_spring_key;
use trueup_model::location::{Located, Location};

const PREFIX: &str = "SPRING_FLYWAY_";

/// Groups of settings with names of the user's, as a variable spells them and as a file does.
const GROUPS: [(&str, &str); 3] =
    [("PLACEHOLDERS_", "placeholders"), ("JDBC_PROPERTIES_", "jdbcProperties"), ("JDBCPROPERTIES_", "jdbcProperties")];

/// The variables as entries of a file would be, each one's place its name; later entries win.
pub(super) fn entries(variables: &[(String, String)], problems: &mut Vec<Problem>) -> Vec<(String, Located<String>)> {
    let mut found: Vec<_> = variables.iter().filter_map(|(name, value)| Some((key(name)?, name, value))).collect();
    // Items of a list in their order. Of `OUTOFORDER` and `OUT_OF_ORDER` Spring takes the one without the dashes' marks.
    found.sort_by_key(|((_, item), name, _)| (*item, Reverse(name.len()), name.as_str()));
    let mut entries = Vec::new();
    for ((key, item), name, value) in found {
        let at = Location::whole(name.as_str());
        if !knows_spring_key(&key) {
            problems.push(Problem::notice(
                at,
                format!("the environment variable `{name}` sets nothing of Spring's Flyway: it has no effect"),
                "correct its name, or remove it",
            ));
            continue;
        }
        let item = item.map(|item| format!("[{item}]")).unwrap_or_default();
        entries.push((format!("spring.flyway.{key}{item}"), Located::new(value.clone(), at)));
    }
    entries
}

/// What stands behind `spring.flyway.`, and which item of a list it is. Spring takes the name in any case.
fn key(name: &str) -> Option<(String, Option<u32>)> {
    let name = name.to_ascii_uppercase();
    let rest = name.strip_prefix(PREFIX).filter(|rest| !rest.is_empty())?;
    let group = GROUPS.iter().find_map(|(prefix, group)| Some((rest.strip_prefix(prefix)?, *group)));
    if let Some((own, group)) = group.filter(|(own, _)| !own.is_empty()) {
        return Some((format!("{group}.{}", own.to_ascii_lowercase().replace('_', ".")), None));
    }
    let base = rest.strip_suffix('_').unwrap_or(rest);
    let (base, item) = match base.rsplit_once('_') {
        Some((list, item)) if item.bytes().all(|byte| byte.is_ascii_digit()) => (list, item.parse().ok()),
        _ => (rest, None),
    };
    Some((base.to_ascii_lowercase(), item))
}

#[cfg(test)]
mod tests {
    use trueup_migrations::settings::{Settings, read_spring};

    use super::*;

    fn read(variables: &[(&str, &str)], file: &[(&str, &str)]) -> (Settings, Vec<Problem>) {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut problems = Vec::new();
        let at = Location::whole("application.yml");
        let mut all: Vec<_> = file
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Located::new((*value).to_owned(), at.clone())))
            .collect();
        all.extend(entries(&variables, &mut problems));
        let mut settings = Settings::default();
        problems.extend(read_spring(&mut settings, &all, &|name| (name == "DB").then(|| "shop".to_owned())));
        (settings, problems)
    }

    #[test]
    fn variables_outrank_files_in_every_form_that_spring_binds() {
        let file = [
            ("spring.flyway.table", "of_file"),
            ("spring.flyway.locations[0]", "a"),
            ("spring.flyway.locations[1]", "b"),
        ];
        let (settings, problems) = read(
            &[
                ("SPRING_FLYWAY_TABLE", "${DB}_history"),
                ("SPRING_FLYWAY_OUT_OF_ORDER", "false"),
                ("SPRING_FLYWAY_OUTOFORDER", "true"),
                ("SPRING_FLYWAY_LOCATIONS_1_", "filesystem:y"),
                ("SPRING_FLYWAY_LOCATIONS_0", "filesystem:x"),
                ("SPRING_FLYWAY_PLACEHOLDERS_DB_NAME", "n"),
                ("SPRING_FLYWAY_POSTGRESQL_TRANSACTIONALLOCK", "false"),
                ("SPRING_FLYWAY_JDBCPROPERTIES_SSLMODE", "require"),
                ("spring_flyway_baselineversion", "7"),
                ("SPRING_FLYWAY_INITSQLS_0", "select 1"),
                ("SPRING_FLYWAY_INITSQLS_1_", "select 2"),
                ("SPRING_DATASOURCE_URL", "x"),
            ],
            &file,
        );
        assert_eq!(problems, []);
        assert_eq!((settings.table.value.as_str(), settings.out_of_order.value), ("shop_history", true));
        let paths: Vec<_> = settings.locations.value.iter().map(|location| location.path.as_str()).collect();
        assert_eq!(paths, ["x", "y"]);
        assert_eq!(settings.table.at.unwrap().file.as_ref(), "SPRING_FLYWAY_TABLE");
        assert_eq!(settings.placeholders["db.name"].value, "n");
        assert_eq!(settings.runner["postgresql.transactional.lock"].value, "false");
        assert_eq!(settings.baseline_version.value, "7");
        assert_eq!(settings.init_sql.value.as_deref(), Some("select 1;\nselect 2"));
        assert!(settings.connection.get("jdbcProperties.sslmode").is_some());
    }

    #[test]
    fn what_sets_nothing_is_said_and_what_is_wrong_is_refused() {
        let (_, problems) = read(&[("SPRING_FLYWAY_NONSENSE", "1"), ("SPRING_FLYWAY_MIXED", "perhaps")], &[]);
        let said: Vec<_> = problems.iter().map(|problem| (problem.at.file.as_ref(), problem.blocking)).collect();
        assert_eq!(said, [("SPRING_FLYWAY_NONSENSE", false), ("SPRING_FLYWAY_MIXED", true)]);
    }
}
