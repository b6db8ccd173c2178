//! Where migrations lie: `classpath:` and `filesystem:` locations, with wildcards.

use std::path::{Path, PathBuf};

use regex::Regex;
use trueup_model::location::Location as Place;

/// Which kind of location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Inside of a service's resources: `src/main/resources/…`.
    Classpath,
    /// A folder, relative to the service's folder or to the project root.
    Filesystem,
}

/// One entry of `locations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationSpec {
    /// Kind.
    pub scheme: Scheme,
    /// The path, with `/`, without a trailing one.
    pub path: String,
    /// Where it was written; `None` when it was found and not written.
    pub at: Option<Place>,
}

/// A location that needs something trueup does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("location `{0}` is not supported: only `classpath:` and `filesystem:` are")]
pub struct UnsupportedLocation(pub String);

impl LocationSpec {
    /// Reads `classpath:db/migration`, `filesystem:sql`, or `db/migration` (classpath). `{vendor}` is `postgresql`.
    ///
    /// # Errors
    /// Another prefix: `s3:`, `gcs:`, ….
    pub fn parse(written: &str, at: Option<Place>) -> Result<Self, UnsupportedLocation> {
        let written = written.trim().replace("{vendor}", "postgresql").replace('\\', "/");
        let (scheme, path) = match written.split_once(':') {
            None => (Scheme::Classpath, written.as_str()),
            Some(("classpath", path)) => (Scheme::Classpath, path.trim_start_matches('/')),
            Some(("filesystem", path)) => (Scheme::Filesystem, path),
            Some((drive, _)) if drive.len() == 1 => (Scheme::Filesystem, written.as_str()),
            Some(_) => return Err(UnsupportedLocation(written)),
        };
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() && !path.is_empty() { "/" } else { trimmed };
        Ok(Self { scheme, path: path.to_owned(), at })
    }

    /// A folder that was found, relative to the project root.
    pub fn found(folder: &str) -> Self {
        Self { scheme: Scheme::Filesystem, path: folder.to_owned(), at: None }
    }

    /// The location as Flyway prints it.
    pub fn descriptor(&self) -> String {
        match self.scheme {
            Scheme::Classpath => format!("classpath:{}", self.path),
            Scheme::Filesystem => format!("filesystem:{}", self.path),
        }
    }

    /// The folder to walk and what to take from it. `base` is the service's folder, absolute like `root`.
    pub fn resolve(&self, root: &Path, base: &Path) -> ResolvedLocation {
        let (folder, pattern) = divide_at_wildcard(&self.path);
        let candidates = match self.scheme {
            Scheme::Classpath => {
                ["src/main/resources", "resources", ""].map(|prefix| base.join(prefix).join(folder)).to_vec()
            }
            Scheme::Filesystem => vec![base.join(folder), root.join(folder)],
        };
        let folder = candidates.iter().find(|folder| folder.is_dir()).unwrap_or(&candidates[0]).clone();
        ResolvedLocation { folder, pattern: pattern.map(Pattern::new) }
    }

    /// Folders in which Java, Kotlin, Groovy and Scala migrations of a classpath location would stand.
    pub fn code_folders(&self, base: &Path) -> Vec<PathBuf> {
        if self.scheme == Scheme::Filesystem {
            return Vec::new();
        }
        let (folder, _) = divide_at_wildcard(&self.path);
        ["java", "kotlin", "groovy", "scala"].map(|language| base.join("src/main").join(language).join(folder)).to_vec()
    }
}

/// The folder before the first segment with a wildcard, and the rest.
fn divide_at_wildcard(path: &str) -> (&str, Option<&str>) {
    let Some(wild) = path.find(['*', '?']) else { return (path, None) };
    match path[..wild].rfind('/') {
        Some(0) => ("/", Some(&path[1..])),
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => ("", Some(path)),
    }
}

/// A location on disk.
#[derive(Clone, Debug)]
pub struct ResolvedLocation {
    /// The folder to walk; it may not exist.
    pub folder: PathBuf,
    /// Which files in it, when the location has wildcards.
    pub pattern: Option<Pattern>,
}

impl ResolvedLocation {
    /// The script name of a file by its path below the folder (with `/`); `None` when the location leaves it out.
    pub fn script<'p>(&self, below: &'p str) -> Option<&'p str> {
        match &self.pattern {
            None => Some(below),
            Some(pattern) => pattern.script(below),
        }
    }
}

/// A wildcard: `**` any folders, `*` at least one character of a segment, `?` one.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// Turns the part of a path from its first wildcard segment on into a pattern. When its last segment has a `.`
    /// it means files, else folders with all that is below them.
    fn new(pattern: &str) -> Self {
        let mut regex = String::from("(?s)^");
        let mut rest = pattern;
        while let Some(character) = rest.chars().next() {
            let (text, used) = match character {
                '*' if rest.starts_with("**/") => ("([^/]+/)*?".to_owned(), 3),
                '*' if rest.starts_with("**") => ("([^/]+/)*?".to_owned(), 2),
                '*' => ("[^/]+?".to_owned(), 1),
                '?' => ("[^/]".to_owned(), 1),
                other => (regex::escape(other.encode_utf8(&mut [0; 4])), other.len_utf8()),
            };
            regex.push_str(&text);
            rest = &rest[used..];
        }
        let files = pattern.rsplit('/').next().is_some_and(|last| last.contains('.'));
        regex.push_str(if files { "$" } else { "/(?<script>.*)$" });
        // A pattern too large to compile matches nothing, as one that is wrong does.
        Self { regex: Regex::new(&regex).unwrap_or_else(|_| never()) }
    }

    fn script<'p>(&self, below: &'p str) -> Option<&'p str> {
        let captures = self.regex.captures(below)?;
        Some(captures.name("script").map_or(below, |script| script.as_str()))
    }
}

/// A pattern that matches nothing.
fn never() -> Regex {
    #[allow(clippy::unwrap_used, reason = "a constant pattern, compiled in a test")]
    Regex::new("[^\\s\\S]").unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> LocationSpec {
        LocationSpec::parse(text, None).expect(text)
    }

    fn script(pattern: &str, below: &str) -> Option<String> {
        Pattern::new(pattern).script(below).map(str::to_owned)
    }

    #[test]
    fn prefixes() {
        assert_eq!(
            spec("db/migration/"),
            LocationSpec { scheme: Scheme::Classpath, path: "db/migration".into(), at: None }
        );
        assert_eq!(spec("classpath:/db/migration/{vendor}").path, "db/migration/postgresql");
        assert_eq!(spec("filesystem:/a/b").descriptor(), "filesystem:/a/b");
        assert!(LocationSpec::parse("s3:bucket/x", None).is_err());
        assert!(!never().is_match("x"));
    }

    #[test]
    fn wildcards() {
        assert_eq!(divide_at_wildcard("db/m*/sql"), ("db", Some("m*/sql")));
        assert_eq!(divide_at_wildcard("*"), ("", Some("*")));
        assert_eq!(script("*", "v1/V1__a.sql").as_deref(), Some("V1__a.sql"));
        assert_eq!(script("*", "V1__a.sql"), None);
        assert_eq!(script("m?", "m1/x/V1__a.sql").as_deref(), Some("x/V1__a.sql"));
        assert_eq!(script("m?", "m/V1__a.sql"), None);
        assert_eq!(script("m*", "m/V1__a.sql"), None, "a star needs a character");
        assert_eq!(script("**/sql", "a/b/sql/V1__a.sql").as_deref(), Some("V1__a.sql"));
        assert_eq!(script("**/sql", "sql/V1__a.sql").as_deref(), Some("V1__a.sql"));
        assert_eq!(script("**/*.sql", "a/b/V1__a.sql").as_deref(), Some("a/b/V1__a.sql"));
        assert_eq!(script("**/*.sql", "V1__a.sql").as_deref(), Some("V1__a.sql"));
        assert_eq!(script("**", "a/V1__a.sql"), None, "as Flyway");
    }

    #[test]
    fn classpath_lies_in_the_resources() {
        let dir = tempfile::tempdir().expect("tempdir");
        let resources = dir.path().join("svc/src/main/resources/db/migration");
        std::fs::create_dir_all(&resources).expect("mkdir");
        assert_eq!(spec("classpath:db/migration").resolve(dir.path(), &dir.path().join("svc")).folder, resources);
        let sql = dir.path().join("sql");
        std::fs::create_dir_all(&sql).expect("mkdir");
        assert_eq!(
            spec("filesystem:sql").resolve(dir.path(), &dir.path().join("svc")).folder,
            sql,
            "falls back to the root"
        );
    }
}
