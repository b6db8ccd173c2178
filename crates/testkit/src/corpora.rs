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
