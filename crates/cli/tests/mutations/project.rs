//! Cases as a project on disk, and what the binary says about it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::mutate::{Expected, Side};

/// One generated service.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) number: usize,
    pub(crate) kind: &'static str,
    pub(crate) side: Side,
    pub(crate) seed: u64,
    pub(crate) yaml: String,
    pub(crate) sql: String,
    pub(crate) expected: Option<Expected>,
    /// The schema as the YAML names it.
    pub(crate) schema: String,
}

impl Case {
    pub(crate) fn service(number: usize) -> String {
        format!("svc-{number:05}")
    }
}

/// A repository made of cases.
pub(crate) struct Project {
    root: tempfile::TempDir,
}

/// What one run reported.
pub(crate) struct Seen {
    /// Service and finding.
    pub(crate) findings: Vec<(String, Found)>,
    /// How many services were compared.
    pub(crate) checked: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) rule: String,
    pub(crate) object: String,
    pub(crate) message: String,
    /// File, line.
    pub(crate) locations: Vec<(String, usize)>,
}

impl Project {
    pub(crate) fn write(cases: &[Case]) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let metadata = root.path().join("architecture/metadata");
        std::fs::create_dir_all(&metadata).expect("made");
        let yaml: String = cases.iter().map(|case| format!("{}\n", case.yaml)).collect();
        std::fs::write(metadata.join("data-stores.yaml"), yaml).expect("written");
        for case in cases {
            let service = Case::service(case.number);
            let folder = root.path().join(format!("services/{service}/src/main/resources/db/migration"));
            std::fs::create_dir_all(&folder).expect("made");
            std::fs::write(folder.join("V1__baseline.sql"), &case.sql).expect("written");
        }
        Self { root }
    }

    pub(crate) fn check(&self) -> Seen {
        let output = Command::new(env!("CARGO_BIN_EXE_trueup"))
            .args(["check", "--no-cache", "--format", "json"])
            .current_dir(self.root.path())
            .output()
            .expect("trueup runs");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let services = report["services"].as_array().expect("services");
        Seen {
            checked: services.iter().filter(|service| service["status"] == "checked").count(),
            findings: report["findings"].as_array().expect("findings").iter().map(found).collect(),
        }
    }

    /// Whether the line at `place` mentions the object, or for a foreign key or check of its own line, its column.
    pub(crate) fn speaks_of(&self, place: &(String, usize), found: &Found) -> Result<(), String> {
        let (file, line) = place;
        let path: PathBuf = self.root.path().join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let shown = text.lines().nth(line - 1).ok_or_else(|| format!("{file} has no line {line}"))?;
        let entry = entry_of(&text, *line, file.ends_with(".yaml"));
        let name = found.object.rsplit('.').next().unwrap_or_default();
        // An index under another name is at the line that makes it; a renamed schema likewise.
        let mentioned = entry.contains(name) || ["index-name", "schema-name"].contains(&found.rule.as_str());
        let key = found.rule == "primary-key" && (entry.contains("PK") || entry.to_lowercase().contains("key"));
        if mentioned || key { Ok(()) } else { Err(format!("{file}:{line} does not mention {name}: {shown}")) }
    }
}

/// The line itself, or in YAML the whole list entry that it belongs to.
fn entry_of(text: &str, line: usize, yaml: bool) -> String {
    let lines: Vec<_> = text.lines().collect();
    let mut first = line - 1;
    while yaml && first > 0 && !lines[first].trim_start().starts_with("- ") && lines[first].starts_with("        ") {
        first -= 1;
    }
    lines[first..line].join("\n")
}

fn found(finding: &Value) -> (String, Found) {
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let place = |place: &Value| {
        (place["file"].as_str().unwrap_or_default().to_owned(), place["line"].as_u64().unwrap_or_default() as usize)
    };
    let locations = finding["locations"].as_array().map(|all| all.iter().map(place).collect()).unwrap_or_default();
    (text("service"), Found { rule: text("rule"), object: text("object"), message: text("message"), locations })
}
