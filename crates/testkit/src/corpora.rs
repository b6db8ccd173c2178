//! Real migrations that are shared beside the clone.

use std::path::{Path, PathBuf};

/// `TRUEUP_SHARED`, else `shared` beside the clone; `None` when neither is there (say [`crate::skipped`] then).
pub fn shared_corpora() -> Option<PathBuf> {
    let named = std::env::var_os("TRUEUP_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(|parent| parent.join("shared"));
    named.or(beside).map(|shared| shared.join("corpora")).filter(|corpora| corpora.is_dir())
}

/// One corpus, as its `corpus*.json` describes it.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Its name.
    pub name: String,
    /// Folders with migrations.
    pub locations: Vec<PathBuf>,
    /// The schema that migrations run in; `public` when the corpus names none.
    pub default_schema: String,
    /// `${key}` to value.
    pub placeholders: Vec<(String, String)>,
    /// SQL to run first.
    pub before: Vec<String>,
    /// `pg_dump --schema-only --no-owner` after plain `psql`.
    pub golden: PathBuf,
}

/// All corpora that have a golden, by name.
pub fn corpora(root: &Path) -> std::io::Result<Vec<Corpus>> {
    let mut all = Vec::new();
    for folder in std::fs::read_dir(root)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&folder)? {
            let file = file?.file_name().to_string_lossy().into_owned();
            if let Some(which) = file.strip_prefix("corpus").and_then(|rest| rest.strip_suffix(".json")) {
                all.push(corpus(&folder, &file, which)?);
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn corpus(folder: &Path, file: &str, which: &str) -> std::io::Result<Corpus> {
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join(file))?)?;
    let strings = |key: &str| -> Vec<String> {
        json[key].as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let placeholders = json["placeholders"].as_object().into_iter().flatten();
    Ok(Corpus {
        name: json["name"].as_str().unwrap_or(file).to_owned(),
        locations: strings("locations").iter().map(|location| folder.join(location)).collect(),
        default_schema: json["default_schema"].as_str().unwrap_or("public").to_owned(),
        placeholders: placeholders
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        before: strings("before"),
        golden: folder.join(format!("golden-schema{which}.sql")),
    })
}

impl Corpus {
    /// All versioned and repeatable migrations, and then the callbacks, as one `psql` script, with the history table that some of
    /// them write to. Placeholders are filled in beforehand, into files under `work`.
    pub fn script(&self, work: &Path) -> std::io::Result<String> {
        let mut files = Vec::new();
        for location in &self.locations {
            sql_files(location, &mut files)?;
        }
        files.retain(|file| order(file).is_some());
        files.sort_by_key(|file| order(file));
        let schema = &self.default_schema;
        let mut script = self.before.join(";\n");
        script.push_str(&format!("CREATE SCHEMA IF NOT EXISTS {schema};\nSET search_path = {schema};\n{HISTORY}\n"));
        for (number, file) in files.iter().enumerate() {
            let mut text = std::fs::read_to_string(file)?;
            for (key, value) in &self.placeholders {
                text = text.replace(&format!("${{{key}}}"), value);
            }
            let filled = work.join(format!("{number}.sql"));
            std::fs::write(&filled, text)?;
            script.push_str(&format!("\\i {}\nRESET ALL;\nSET search_path = {schema};\n", filled.display()));
        }
        script.push_str(&format!("DROP TABLE {schema}.flyway_schema_history;\n"));
        Ok(script)
    }
}

/// As much of Flyway's history table as migrations touch.
const HISTORY: &str = "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), \
    description varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), \
    installed_on timestamp, execution_time int, success boolean);";

fn sql_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sql_files(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "sql") {
            files.push(path);
        }
    }
    Ok(())
}

/// Versioned migrations by their numbers, then repeatable ones, then `afterMigrate` callbacks, both by their
/// description; `None` for anything else.
fn order(file: &Path) -> Option<(u8, Vec<u64>, String)> {
    let name = file.file_stem()?.to_str()?;
    for (rank, prefix) in [(1, "R__"), (2, "afterMigrate")] {
        if let Some(description) = name.strip_prefix(prefix) {
            return Some((rank, Vec::new(), description.to_owned()));
        }
    }
    let (version, _) = name.strip_prefix('V')?.split_once("__")?;
    let mut parts = version.split(['.', '_']).map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    while parts.last() == Some(&0) {
        parts.pop();
    }
    Some((0, parts, String::new()))
}
