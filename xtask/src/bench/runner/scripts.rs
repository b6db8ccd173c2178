//! Generated migrations: each makes a table and an index.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes `number` scripts into a folder of their own below `work`; those that are there already stay.
pub(super) fn write(work: &Path, number: usize) -> Result<PathBuf, String> {
    let folder = work.join(format!("scripts-{number}"));
    let failed = |error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    for version in 1..=number {
        std::fs::write(folder.join(name(version)), text(version)).map_err(failed)?;
    }
    Ok(folder)
}

fn name(version: usize) -> String {
    format!("V{version}__table_{version}.sql")
}

fn text(version: usize) -> String {
    format!(
        "CREATE TABLE table_{version} (id bigint PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now());\n\
         CREATE INDEX table_{version}_name ON table_{version} (name);\n"
    )
}

/// The same for `psql`: each script in a transaction of its own, as the others run it, but without any history.
pub(super) fn for_psql(folder: &Path, number: usize) -> String {
    let mut script = String::new();
    for version in 1..=number {
        // Writing to a String does not fail.
        let _ = write!(script, "BEGIN;\n\\i {}\nCOMMIT;\n", folder.join(name(version)).display());
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_for_each_version_and_each_in_the_script() {
        let work = tempfile::tempdir().expect("temporary folder");
        let folder = write(work.path(), 3).expect("written");
        assert_eq!(std::fs::read_dir(&folder).expect("folder").count(), 3);
        let script = for_psql(&folder, 3);
        assert_eq!((script.matches("\\i ").count(), script.matches("COMMIT;").count()), (3, 3));
    }
}
