//! The one place where text becomes Markdown.
//!
//! What reads it is not one parser but a row of them: Jinja of a macros plugin, snippets, Python-Markdown with attribute
//! lists and its block extensions, GitHub, and then a browser. Characters that mean something to any of them are written
//! as numeric entities, which all of them hand on as the character.

use crate::prose::spans;
use crate::text::visible;

/// A piece of a line: words, code, links. There is no way to put a finished string into it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inline {
    out: String,
}

impl Inline {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Just this text.
    pub(crate) fn of(text: &str) -> Self {
        let mut inline = Self::new();
        inline.text(text);
        inline
    }

    /// Just this code.
    pub(crate) fn of_code(text: &str) -> Self {
        let mut inline = Self::new();
        inline.code(text);
        inline
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Text, made visible and escaped.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let before = self.out.chars().next_back();
        prose(&visible(text), before, &mut self.out);
        self
    }

    /// Another piece.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.out.push_str(&other.out);
        self
    }

    /// Text that must not be read past.
    pub(crate) fn strong(&mut self, text: &str) -> &mut Self {
        if text.trim().is_empty() {
            return self;
        }
        self.out.push_str("<strong>");
        self.text(text);
        self.out.push_str("</strong>");
        self
    }

    /// A name, a type, an expression.
    pub(crate) fn code(&mut self, text: &str) -> &mut Self {
        let text = visible(text);
        if is_plain_code(&text) {
            self.out.push('`');
            self.out.push_str(&text);
            self.out.push('`');
        } else {
            self.out.push_str("<code>");
            entities(&text, &mut self.out);
            self.out.push_str("</code>");
        }
        self
    }

    /// A link. `href` is made of slugs and names of ours.
    pub(crate) fn link(&mut self, href: &str, inside: &Self) -> &mut Self {
        debug_assert!(is_address(href), "{href}");
        self.out.push_str(&format!("[{}]({href})", inside.out));
        self
    }

    /// A sentence of ours, with code where it stands between backticks.
    pub(crate) fn prose(&mut self, text: &str) -> &mut Self {
        for (is_code, part) in spans(text) {
            if is_code {
                self.code(part)
            } else {
                self.text(part)
            };
        }
        self
    }

    /// A link that leaves the pages. `href` is encoded already; what else means something in Markdown is encoded too.
    pub(crate) fn outward(&mut self, href: &str, inside: &Self) -> &mut Self {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@&+,=%".contains(&byte);
        self.out.push_str(&format!("[{}](", inside.out));
        for byte in href.bytes() {
            if is_plain(byte) {
                self.out.push(char::from(byte));
            } else {
                self.out.push_str(&format!("%{byte:02X}"));
            }
        }
        self.out.push(')');
        self
    }

    /// A picture that lies at an address made of slugs, and leads to itself in full size.
    pub(crate) fn picture(&mut self, src: &str, description: &str) -> &mut Self {
        debug_assert!(is_address(src.strip_prefix("https://").unwrap_or(src)), "{src}");
        let mut alt = String::new();
        entities(&visible(description), &mut alt);
        self.out.push_str(&format!("[![{alt}]({src})]({src})"));
        self
    }

    /// Something that a link can lead to. `id` is made of slugs.
    pub(crate) fn anchor(&mut self, id: &str) -> &mut Self {
        debug_assert!(is_address(id), "{id}");
        self.out.push_str(&format!("<span id=\"{id}\"></span>"));
        self
    }
}

/// Blocks of Markdown, each followed by an empty line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markdown {
    out: String,
}

impl Markdown {
    /// A heading with an anchor made of slugs.
    pub(crate) fn heading(&mut self, level: usize, anchor: &str, title: &Inline) -> &mut Self {
        debug_assert!(is_address(anchor), "{anchor}");
        self.block(&format!("{} {} {{ #{anchor} }}", "#".repeat(level), filled(title)))
    }

    /// A heading for readers that know no attribute lists.
    pub(crate) fn title(&mut self, level: usize, title: &Inline) -> &mut Self {
        self.block(&format!("{} {}", "#".repeat(level), filled(title)))
    }

    /// A paragraph; nothing when it is empty.
    pub(crate) fn paragraph(&mut self, text: &Inline) -> &mut Self {
        if text.out.trim().is_empty() { self } else { self.block(text.out.trim()) }
    }

    /// A list; nothing when it is empty.
    pub(crate) fn list(&mut self, items: &[Inline]) -> &mut Self {
        if items.is_empty() {
            return self;
        }
        let lines: Vec<String> = items.iter().map(|item| format!("- {}", filled(item))).collect();
        self.block(&lines.join("\n"))
    }

    /// A table. Every row has as many cells as there are heads.
    pub(crate) fn table(&mut self, heads: &[&'static str], rows: &[Vec<Inline>]) -> &mut Self {
        let heads: Vec<Inline> = heads.iter().map(|head| Inline::of(head)).collect();
        self.grid(&heads, rows)
    }

    /// The same with heads from anywhere.
    pub(crate) fn grid(&mut self, heads: &[Inline], rows: &[Vec<Inline>]) -> &mut Self {
        let line = |cells: &[Inline]| {
            let cells: Vec<&str> = cells.iter().map(|cell| cell.out.trim()).collect();
            format!("| {} |", cells.join(" | "))
        };
        let rule = vec!["---"; heads.len()].join(" | ");
        let mut lines = vec![line(heads), format!("| {rule} |")];
        for row in rows {
            debug_assert_eq!(row.len(), heads.len());
            lines.push(line(row));
        }
        self.block(&lines.join("\n"))
    }

    /// Everything that was written; it ends with one line end.
    pub(crate) fn finish(self) -> String {
        let mut out = self.out;
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    fn block(&mut self, text: &str) -> &mut Self {
        self.out.push_str(text);
        self.out.push_str("\n\n");
        self
    }
}

fn filled(item: &Inline) -> &str {
    let text = item.out.trim();
    if text.is_empty() { "&#8211;" } else { text }
}

/// Whether an address is one of ours: slugs and dots, slashes, and one anchor.
pub(super) fn is_address(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./#%".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// Whether a code span can hold the text as it is, for every reader.
fn is_plain_code(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || " _.,:;()'\"+-*/=%?@".contains(c);
    !text.is_empty() && text.trim() == text && !text.contains("  ") && text.chars().all(allowed)
}

/// Every character that is not a letter, a digit or a single blank, as an entity.
fn entities(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_alphanumeric() || c == ' ' { out.push(c) } else { entity(c, out) }
    }
}

fn entity(c: char, out: &mut String) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// Sentences stay readable in the source: marks that mean nothing where they stand are left as they are.
fn prose(text: &str, end: Option<char>, out: &mut String) {
    let chars: Vec<char> = text.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map_or(end, |at| Some(chars[at]));
        let after = chars.get(at + 1).copied();
        match c {
            ' ' if before == Some(' ') => {}
            ' ' => out.push(' '),
            _ if c.is_alphanumeric() || !c.is_ascii() => out.push(c),
            _ if means_nothing(c, before, after) => out.push(c),
            _ => entity(c, out),
        }
    }
}

/// Whether an ASCII mark is only a mark. The first character of a text may begin a line, so nothing is harmless there.
fn means_nothing(c: char, before: Option<char>, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    let is_word = |c: char| c.is_alphanumeric();
    match c {
        ',' | ';' | '?' | '\'' | '"' => true,
        // A number and a dot begin a list; `(c)` and its like are turned into signs.
        '.' => before.is_alphabetic() || after.is_some_and(|c| c.is_ascii_digit()),
        '(' => before == ' ' && after.is_some_and(|c| c.is_ascii_digit()),
        ')' => before.is_ascii_digit(),
        '%' | '/' => is_word(before),
        '_' => is_word(before) && after.is_some_and(is_word),
        '-' => is_word(before) && after != Some('-') && after != Some('>'),
        // `:name:` is a picture, `:` after a line end a definition, `://` an address.
        ':' => is_word(before) && after.is_none_or(|c| c == ' '),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> String {
        Inline::of(text).out
    }

    /// What a browser shows of the entities.
    fn decoded(text: &str) -> String {
        let page = scraper::Html::parse_fragment(text);
        page.root_element().text().collect()
    }

    #[test]
    fn sentences_stay_readable_and_marks_that_mean_something_do_not() {
        assert_eq!(
            of("Unique hold, for each member; why? 7-day PITR"),
            "Unique hold, for each member; why? 7-day PITR"
        );
        assert_eq!(of("on reservation_id and check_in_date"), "on reservation_id and check_in_date");
        assert_eq!(of("min: 5"), "min: 5");
        assert_eq!(
            of("# a *b* [c](d) {{ e }}"),
            "&#35; a &#42;b&#42; &#91;c&#93;&#40;d&#41; &#123;&#123; e &#125;&#125;"
        );
        assert_eq!(of("1. a"), "1&#46; a");
        assert_eq!(of("a | b `c` https://x"), "a &#124; b &#96;c&#96; https&#58;&#47;&#47;x");
        assert_eq!(of("--8<-- \"x\""), "&#45;&#45;8&#60;&#45;&#45; \"x\"");
        assert_eq!(Inline::of_code("check_in_id").out, "`check_in_id`");
        assert_eq!(Inline::of_code("a`|<b>").out, "<code>a&#96;&#124;&#60;b&#62;</code>");
    }

    #[test]
    fn blocks_begin_with_nothing_of_an_author() {
        let mut markdown = Markdown::default();
        markdown.heading(2, "a", &Inline::of("    # x\n# y")).paragraph(&Inline::of("    code\n---"));
        markdown.list(&[Inline::of("- x"), Inline::new()]);
        markdown.table(&["A", "B"], &[vec![Inline::of("| x"), Inline::new()]]);
        let expected = "## &#35; x &#35; y { #a }\n\ncode &#45;&#45;&#45;\n\n- &#45; x\n- &#8211;\n\n\
                        | A | B |\n| --- | --- |\n| &#124; x |  |\n";
        assert_eq!(markdown.finish(), expected);
    }

    proptest! {
        /// Whatever the text: no character in it means anything to a template, an attribute list, HTML or a table.
        #[test]
        fn nothing_that_means_something_is_left(text in any::<String>()) {
            for out in [of(&text), Inline::of_code(&text).out.trim_matches('`').replace("<code>", "").replace("</code>", "")] {
                let bare = out.replace("&#", "");
                let is_safe = !bare.contains(['<', '>', '&', '{', '}', '[', ']', '|', '`', '\\', '#', '!', '^', '~', '$', '\n']);
                prop_assert!(is_safe, "{}", out);
            }
        }

        #[test]
        fn a_browser_reads_back_what_was_written(text in "\\PC{0,60}") {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&decoded(&of(&text))), words(&visible(&text)));
        }
    }
}
