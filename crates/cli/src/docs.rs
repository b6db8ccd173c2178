//! Pages of `docs/` that are generated, and the test that keeps them in step.

use std::path::Path;

/// Fails when the file at `path` (from the project root) differs from `expected`; rewrites it instead when
/// `TRUEUP_UPDATE_DOCS` is set.
pub(crate) fn assert_current(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, expected).unwrap();
    }
    let current = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(current == expected, "{path} is not current: run TRUEUP_UPDATE_DOCS=1 cargo test -p trueup --lib");
}
