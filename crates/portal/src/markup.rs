//! The one place where text becomes HTML or SVG.
//!
//! Names of elements and attributes are written by us, at compile time; everything else goes through [`Markup::text`]
//! or an attribute's value and is escaped there. There is no way to put a finished string into the output.

use crate::prose;
use crate::text::visible;

/// An attribute: a name of ours, and a value from anywhere.
pub(crate) type Attribute<'a> = (&'static str, &'a str);

/// HTML (with inline SVG) that is being written. What is opened is closed, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markup {
    out: String,
}

impl Markup {
    /// Nothing yet.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The beginning of an HTML document.
    pub(crate) fn document() -> Self {
        Self { out: "<!DOCTYPE html>\n".to_owned() }
    }

    /// An element with something inside.
    pub(crate) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(name, attributes);
        inside(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self
    }

    /// An element with nothing but text inside.
    pub(crate) fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) -> &mut Self {
        self.element(name, attributes, |inside| {
            inside.text(text);
        })
    }

    /// An HTML element that has no end, such as `meta`.
    pub(crate) fn void(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> &mut Self {
        self.open(name, attributes);
        self
    }

    /// An SVG shape: an element with nothing inside.
    pub(crate) fn shape(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> &mut Self {
        self.element(name, attributes, |_| {})
    }

    /// Text, made visible and escaped.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape(&visible(text), &mut self.out);
        self
    }

    /// A sentence of ours, with code where it stands between backticks.
    pub(crate) fn prose(&mut self, text: &str) -> &mut Self {
        for (is_code, part) in prose::spans(text) {
            if is_code {
                self.code(part)
            } else {
                self.text(part)
            };
        }
        self
    }

    /// Code: names and paths may break after what parts them.
    pub(crate) fn code(&mut self, text: &str) -> &mut Self {
        let text = visible(text);
        self.element("code", &[], |code| {
            for (number, piece) in prose::pieces(&text).enumerate() {
                if number > 0 {
                    code.void("wbr", &[]);
                }
                code.text(piece);
            }
        })
    }

    /// Other markup, which was written by the same rules.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.out.push_str(&other.out);
        self
    }

    /// A line break in the source, for people who read it.
    pub(crate) fn line(&mut self) -> &mut Self {
        self.out.push('\n');
        self
    }

    /// Everything that was written.
    pub(crate) fn finish(mut self) -> String {
        self.out.push('\n');
        self.out
    }

    fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            debug_assert!(!name.starts_with("on") && *name != "style", "the pages' policy forbids {name}");
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&visible(value), &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
    }
}

/// Escapes for text and for values in double quotes alike: one rule is easier to keep than two.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_nest_and_text_is_escaped() {
        let mut markup = Markup::new();
        markup.element("p", &[("title", "\"><script>")], |p| {
            p.text("a < b & 'c'").void("br", &[]).leaf("b", &[], "\u{202e}");
        });
        let expected = "<p title=\"&quot;&gt;&lt;script&gt;\">a &lt; b &amp; &#39;c&#39;<br><b>\\u{202e}</b></p>\n";
        assert_eq!(markup.finish(), expected);
    }

    proptest! {
        /// Whatever the text: a parser finds one element, with that text and that attribute, and nothing else.
        #[test]
        fn a_parser_reads_back_what_was_written(text in any::<String>(), value in "\\PC{0,40}") {
            let mut markup = Markup::new();
            markup.leaf("p", &[("title", &value)], &text);
            let parsed = scraper::Html::parse_fragment(&markup.finish());
            let paragraph = parsed.select(&scraper::Selector::parse("p").unwrap()).next().unwrap();
            prop_assert_eq!(paragraph.text().collect::<String>(), visible(&text).into_owned());
            let title = visible(&value).into_owned();
            prop_assert_eq!(paragraph.value().attr("title"), Some(title.as_str()));
            prop_assert_eq!(parsed.select(&scraper::Selector::parse("*").unwrap()).count(), 2);
        }
    }
}
