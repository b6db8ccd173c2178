//! Several files in one: a comment, then sections that start with `-- name --`.

/// A parsed archive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive {
    /// Name and text of each section, in order.
    pub(crate) sections: Vec<(String, String)>,
}

impl Archive {
    pub(crate) fn parse(text: &str) -> Self {
        let mut archive = Self::default();
        for line in text.split_inclusive('\n') {
            match (section(line), archive.sections.last_mut()) {
                (Some(name), _) => archive.sections.push((name.to_owned(), String::new())),
                (None, Some((_, body))) => body.push_str(line),
                // Before the first section: the comment.
                (None, None) => {}
            }
        }
        archive
    }

    /// The text of a section; empty when there is none.
    pub(crate) fn section(&self, name: &str) -> &str {
        self.sections.iter().find(|(other, _)| other == name).map_or("", |(_, text)| text)
    }
}

fn section(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("-- ")?.strip_suffix(" --").filter(|name| !name.contains(' '))
}

#[test]
fn sections_are_told_from_sql_comments() {
    let archive = Archive::parse("why\n-- a/b.sql --\nSELECT 1; -- one\n-- a comment here --\n-- expect --\nexit 0\n");
    assert_eq!(archive.section("a/b.sql"), "SELECT 1; -- one\n-- a comment here --\n");
    assert_eq!(archive.section("expect"), "exit 0\n");
    assert_eq!(archive.sections.len(), 2);
}
