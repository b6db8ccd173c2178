//! COPY data as files, for an engine that takes none over its connection.

use std::io;
use std::path::PathBuf;

use trueup_migrations::statements::stdin_of;

use super::script::Script;

/// A folder that the server reads files from.
#[derive(Clone, Debug)]
pub struct CopyFolder {
    /// Its path here.
    pub here: PathBuf,
    /// Its path as the server sees it: letters, digits and slashes.
    pub there: String,
    /// What names of files start with, so that two lists of scripts do not write the same ones; lower case letters.
    pub prefix: &'static str,
}

/// Writes the data of every `COPY … FROM STDIN` to a file of its own, and has the statement read that file instead. The
/// server reads both alike. Every other place in the text stays where it was. A statement without room for the path,
/// which takes data of a few bytes, stays as it is.
pub(super) fn from_files(scripts: &mut [Script], folder: &CopyFolder) -> io::Result<()> {
    for script in scripts {
        let id = script.id;
        for (number, copy) in std::mem::take(&mut script.copies).into_iter().enumerate() {
            let name = format!("{}{id}x{number}", folder.prefix);
            // The line with `\\.` goes too.
            let last = script.text[copy.data.end..].find('\n').map_or(script.text.len(), |at| copy.data.end + at);
            let Some(statement) = reading(script, last, copy.statement, &format!("{}/{name}", folder.there)) else {
                script.copies.push(copy);
                continue;
            };
            std::fs::write(folder.here.join(name), &script.text[copy.data.clone()])?;
            let start = script.statements[copy.statement].start;
            let end = start + statement.len();
            let blanks = " ".repeat(last - end - 1);
            script.text.replace_range(start..last, &format!("{statement};{blanks}"));
            script.statements[copy.statement] = start..end;
        }
    }
    Ok(())
}

/// The COPY with the path in place of STDIN, when that and a `;` fit between its start and `last`.
fn reading(script: &Script, last: usize, statement: usize, path: &str) -> Option<String> {
    let range = script.statements.get(statement)?.clone();
    let sql = &script.text[range.clone()];
    let stdin = stdin_of(sql)?;
    let reading = format!("{}'{path}'{}", &sql[..stdin.start], &sql[stdin.end..]);
    (reading.len() < last - range.start).then_some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::prepared::scripts_of_texts;
    use super::*;

    #[test]
    fn the_statement_reads_a_file_and_nothing_else_moves() {
        let sql = "SELECT 1;\nCOPY t (a, b) FROM stdin;\n1\tone é\n2\t\\N\n\\.\nSELECT 2;\n";
        let mut prepared = scripts_of_texts(&[("a.sql".to_owned(), sql.to_owned())]);
        let folder = tempfile::tempdir().unwrap();
        let place = CopyFolder { here: folder.path().to_owned(), there: "/base".to_owned(), prefix: "c" };
        from_files(&mut prepared.scripts, &place).unwrap();
        let script = &prepared.scripts[0];
        assert_eq!(std::fs::read_to_string(folder.path().join("c0x0")).unwrap(), "1\tone é\n2\t\\N\n");
        assert!(script.copies.is_empty() && !script.text.contains("\\."));
        let said: Vec<_> = script.statements.iter().map(|range| &script.text[range.clone()]).collect();
        assert_eq!(said, ["SELECT 1", "COPY t (a, b) FROM '/base/c0x0'", "SELECT 2"]);
        assert_eq!(script.text.find("SELECT 2"), sql.find("SELECT 2"));
    }

    #[test]
    fn data_too_short_for_the_path_stays() {
        let sql = "COPY t FROM stdin;\n\\.\n";
        let mut prepared = scripts_of_texts(&[("a.sql".to_owned(), sql.to_owned())]);
        let folder = tempfile::tempdir().unwrap();
        let place = CopyFolder { here: folder.path().to_owned(), there: "/base".to_owned(), prefix: "c" };
        from_files(&mut prepared.scripts, &place).unwrap();
        assert_eq!(prepared.scripts[0].copies.len(), 1);
    }
}
