//! Served pages that are open while the intent changes. See `live.mjs`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::served::Served;

const YAML: &str = "architecture/metadata/data-stores.yaml";

/// The quickest of the reloads may not take longer than this, in milliseconds: the program is not optimized in tests, and
/// the machine is busy with other tests.
const SHOWN: f64 = 10_000.0;

/// A copy of the intent of a project; the other state has a column more.
struct Project(tempfile::TempDir);

impl Project {
    fn copy(from: &Path) -> Self {
        let project = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(project.path().join(YAML).parent().unwrap()).unwrap();
        for file in [YAML, "architecture/metadata/domains.yaml"] {
            if let Ok(text) = std::fs::read(from.join(file)) {
                std::fs::write(project.path().join(file), text).unwrap();
            }
        }
        Self(project)
    }

    fn yaml(&self) -> PathBuf {
        self.0.path().join(YAML)
    }

    fn visit(&self, service: &str, after: &str, picture: Option<&Path>) -> Option<Value> {
        let served = Served::start(self.0.path(), &[]);
        let text = std::fs::read_to_string(self.yaml()).unwrap();
        let (before, rest) = text.split_once(after).unwrap();
        let columns = rest.split_once("columns:\n").map(|(between, _)| between.len()).unwrap() + "columns:\n".len();
        let (between, columns) = rest.split_at(columns);
        let indent = " ".repeat(columns.len() - columns.trim_start().len());
        let with = |line: &str| format!("{before}{after}{between}{indent}{line}\n{columns}");
        let planted = "<img src=x onerror=window.pwned=1>";
        crate::ask(
            "live.mjs",
            &json!({
                "address": format!("http://{}/", served.authority),
                "file": self.yaml(),
                "service": format!("services/{service}.html"),
                "word": "just_saved",
                "states": {
                    "other": with("- {name: just_saved, type: TEXT, constraints: 'NULL'}"),
                    "broken": with(&format!("- {{name: just_saved, type: TEXT, '{planted}': 1, constraints: [}}")),
                },
                "picture": picture,
            }),
        )
    }
}

#[allow(clippy::print_stdout, reason = "what was measured, for whoever asks with --nocapture")]
fn judge(answer: &Value) {
    let problems = answer["problems"].as_array().unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    for page in answer["said"].as_array().unwrap() {
        let items = page.as_array().unwrap();
        assert!(items.iter().all(|item| item.as_str().unwrap().starts_with(YAML)) && !items.is_empty(), "{page}");
    }
    let times: Vec<f64> = answer["times"].as_array().unwrap().iter().map(|time| time.as_f64().unwrap()).collect();
    assert!(times.iter().any(|time| *time < SHOWN), "{times:?}");
    println!("from a save to the reloaded page, in milliseconds: {times:.0?}");
}

#[test]
fn open_pages_follow_the_intent_and_say_what_is_wrong_with_it() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/brownfield");
    let picture = std::env::var_os("TRUEUP_SCREENSHOTS").map(PathBuf::from);
    let picture =
        picture.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join("portal-serve.png"));
    let Some(answer) = Project::copy(&example).visit("svc-lending", "table_details:", picture.as_deref()) else {
        return;
    };
    judge(&answer);
}

#[test]
fn pages_of_the_reference_repository_follow_too() {
    let Some(corpora) = trueup_testkit::shared_corpora() else {
        trueup_testkit::skipped("the reference repository is not beside the clone");
        return;
    };
    let project = Project::copy(&corpora.join("novatrek"));
    let Some(answer) = project.visit("svc-check-in", "svc-check-in:", None) else { return };
    judge(&answer);
}
