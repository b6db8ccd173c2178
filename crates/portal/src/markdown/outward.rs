//! Lines, files and commits on the host of the repository, as links where it is known.

use trueup_model::location::Location;

use super::text::Inline;
use crate::lookup::Lookup;
use crate::truth::Merged;

/// A place in a file.
pub(super) fn place(input: &Lookup<'_>, at: &Location) -> Inline {
    linked(input.known.source.map(|source| source.line(at)), Inline::of_code(&format!("{}:{}", at.file, at.line)))
}

/// A file.
pub(super) fn file(input: &Lookup<'_>, path: &str) -> Inline {
    linked(input.known.source.map(|source| source.file(path)), Inline::of_code(path))
}

/// The commit that merged something, by its day.
pub(super) fn merged(input: &Lookup<'_>, merged: &Merged) -> Inline {
    let Merged::Yes(Some(commit)) = merged else {
        return Inline::of(match merged {
            Merged::Unknown => "? unknown",
            Merged::No => "not merged",
            Merged::Yes(_) => "merged",
        });
    };
    linked(input.known.source.and_then(|source| source.commit(&commit.id)), Inline::of(&commit.day))
}

fn linked(href: Option<String>, text: Inline) -> Inline {
    let Some(href) = href else { return text };
    let mut link = Inline::new();
    link.outward(&href, &text);
    link
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceLinks;

    /// The Markdown of a link to a line of `file`, where the repository is shown at `address`.
    fn markdown(address: &str, file: &str) -> String {
        let source = SourceLinks::parse(address, "main", "").unwrap();
        let (mut link, text) = (Inline::new(), Inline::of_code("V1"));
        link.outward(&source.line(&Location::new(file, 2, 1)), &text);
        let mut out = super::super::Markdown::default();
        out.paragraph(&link);
        out.finish()
    }

    #[test]
    fn addresses_hold_nothing_that_means_something_in_markdown() {
        let line = markdown("https://github.com/a/b", "db/V1__a_(b).sql");
        assert_eq!(line, "[`V1`](https://github.com/a/b/blob/main/db/V1__a_%28b%29.sql#L2)\n");
        let line = markdown("https://c.example/(x)*[y]?f={path}&copy;l={line}!$", "a)b](c `d` <e>.sql");
        assert_eq!(
            line,
            "[`V1`](https://c.example/%28x%29%2A%5By%5D?f=a%29b%5D%28c%20%60d%60%20%3Ce%3E.sql&copy%3Bl=2%21%24)\n"
        );
    }
}
