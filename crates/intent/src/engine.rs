//! The `engine` of a service: prose that names PostgreSQL or does not.

use trueup_model::declared::Engine;
use trueup_model::location::Location;

/// Reads the text of `engine`.
///
/// PostgreSQL anywhere in it means that all of the service is checked; so does PostGIS, which runs nowhere else.
pub(crate) fn read(text: &str, at: Location) -> Engine {
    let lower = text.to_ascii_lowercase();
    let postgis = lower.contains("postgis");
    let named = lower.find("postgres");
    let major = named.and_then(|start| major(&lower[start + "postgres".len()..]));
    Engine { text: text.trim().to_owned(), at, is_postgres: named.is_some() || postgis, major, postgis }
}

/// The engine of a service that names none.
pub(crate) fn absent(at: Location) -> Engine {
    Engine { text: String::new(), at, is_postgres: true, major: None, postgis: false }
}

/// The major version right behind the name: `QL 15`, `QL 15.4`, `QL (15)`, `QL - Flexible Server 16`.
fn major(behind: &str) -> Option<u16> {
    let mut rest = behind.strip_prefix("ql").unwrap_or(behind);
    loop {
        let shorter = rest.trim_start_matches([' ', '(', ':', '-', '/', ',']);
        let fillers = ["version", "flexible", "single", "server", "v"];
        let shorter = fillers.iter().find_map(|filler| shorter.strip_prefix(filler)).unwrap_or(shorter);
        if shorter.len() == rest.len() {
            break;
        }
        rest = shorter;
    }
    let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(text: &str) -> (bool, Option<u16>, bool) {
        let engine = read(text, Location::whole("f"));
        (engine.is_postgres, engine.major, engine.postgis)
    }

    #[test]
    fn engines_of_the_reference() {
        assert_eq!(engine("PostgreSQL 15"), (true, Some(15), false));
        assert_eq!(engine("PostGIS (PostgreSQL 15)"), (true, Some(15), true));
        assert_eq!(engine("Valkey 8 + PostgreSQL 15"), (true, Some(15), false));
        assert_eq!(engine("PostgreSQL 15 + S3-Compatible Object Store"), (true, Some(15), false));
        assert_eq!(engine("Oracle Database 19c"), (false, None, false));
        assert_eq!(engine("Couchbase 7"), (false, None, false));
    }

    #[test]
    fn versions_of_other_things_are_not_taken() {
        assert_eq!(engine("PostgreSQL + Valkey 8"), (true, None, false));
        assert_eq!(engine("Azure Database for PostgreSQL - Flexible Server 16"), (true, Some(16), false));
        assert_eq!(engine("postgres:17.2"), (true, Some(17), false));
        assert_eq!(engine("PostgreSQL v16"), (true, Some(16), false));
    }
}
