//! Puts sections into pages that somebody else keeps: between markers, or in the place of a section with the anchor
//! `data-store`. Every other byte stays what it is.

use std::ops::Range;

/// What begins a place, before the name of the service.
const BEGIN: &str = "<!-- trueup:data-store";
/// What ends a place.
const END: &str = "<!-- /trueup -->";
/// The anchor that marks a heading.
const ANCHOR: &str = "#data-store";

/// What is wrong with a page, at a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceError {
    /// The line, from 1; 0 for the whole page.
    pub line: usize,
    /// What is the case.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl PlaceError {
    fn new(line: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { line, message: message.into(), help: help.into() }
    }
}

/// The page with its sections put in.
///
/// `section` gives the Markdown of a service, with the heading as its first line, and hears whether it is the only one in
/// the page; `own` is the service of the page
/// itself, which a heading with the anchor `data-store` means when there is no marker.
///
/// # Errors
/// Everything that is wrong with the page. Nothing is put in then.
pub fn place(
    page: &[u8],
    own: &str,
    section: &dyn Fn(&str, bool) -> Option<String>,
) -> Result<Vec<u8>, Vec<PlaceError>> {
    let lines = lines(page);
    let marked = marked(&lines)?;
    let places = if marked.is_empty() { vec![headed(&lines, own)?] } else { marked };
    let mut errors = Vec::new();
    let (mut out, mut done) = (Vec::with_capacity(page.len()), 0);
    let is_alone = places.len() == 1;
    for place in places {
        let Some(text) = section(&place.service, is_alone) else {
            errors.push(unknown(&place));
            continue;
        };
        let (start, end) = (offset(&lines, place.lines.start, page), offset(&lines, place.lines.end, page));
        out.extend_from_slice(&page[done..start]);
        let is_last = end == page.len();
        out.extend(body(&text, &place, is_last && !page.ends_with(b"\n")).bytes());
        done = end;
    }
    out.extend_from_slice(&page[done..]);
    if errors.is_empty() { Ok(out) } else { Err(errors) }
}

fn unknown(place: &Place) -> PlaceError {
    let service = place.service.escape_debug();
    let help = if place.is_marked {
        "name a service of the intent".to_owned()
    } else {
        format!("name the page after its service, or write `{BEGIN} SERVICE -->` and `{END}` into it")
    };
    PlaceError::new(place.line, format!("`{service}` is no service of the intent"), help)
}

/// A run of lines that a section takes the place of.
#[derive(Debug)]
struct Place {
    service: String,
    /// The line of the marker or the heading, from 1.
    line: usize,
    lines: Range<usize>,
    is_marked: bool,
    line_end: &'static str,
}

/// The lines of a page.
#[derive(Debug)]
struct Line<'a> {
    start: usize,
    text: &'a [u8],
    /// In a block of code, where nothing is a marker or a heading.
    is_code: bool,
}

impl Line<'_> {
    /// The text without blanks around it; nothing when it is not text.
    fn words(&self) -> &str {
        let text = self.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.text);
        std::str::from_utf8(text).unwrap_or_default().trim()
    }

    fn line_end(&self) -> &'static str {
        if self.text.ends_with(b"\r\n") { "\r\n" } else { "\n" }
    }

    /// How far it is indented, in blanks; text without is a paragraph's own.
    fn is_indented(&self) -> bool {
        self.text.starts_with(b"    ") || self.text.starts_with(b"\t")
    }
}

fn lines(page: &[u8]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let (mut start, mut fence) = (0, None::<String>);
    for text in page.split_inclusive(|byte| *byte == b'\n') {
        let mut line = Line { start, text, is_code: fence.is_some() };
        let words = line.words();
        match &fence {
            None => {
                fence = fence_of(words).filter(|_| !line.is_indented()).map(str::to_owned);
                line.is_code = fence.is_some();
            }
            Some(open) => {
                let is_end = words.starts_with(open.as_str()) && words.trim_start_matches(&open[..1]).is_empty();
                if is_end {
                    fence = None;
                }
            }
        }
        start += text.len();
        lines.push(line);
    }
    lines
}

/// The run of marks that begins a block of code.
fn fence_of(words: &str) -> Option<&str> {
    let mark = words.chars().next().filter(|mark| "`~".contains(*mark))?;
    let run = &words[..words.len() - words.trim_start_matches(mark).len()];
    (run.len() >= 3).then_some(run)
}

fn offset(lines: &[Line<'_>], line: usize, page: &[u8]) -> usize {
    lines.get(line).map_or(page.len(), |line| line.start)
}

/// All places between markers.
fn marked(lines: &[Line<'_>]) -> Result<Vec<Place>, Vec<PlaceError>> {
    let (mut places, mut errors, mut open): (Vec<Place>, _, Option<Place>) = (Vec::new(), Vec::new(), None);
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_code) {
        let words = line.words();
        if let Some(rest) = words.strip_prefix(BEGIN) {
            if let Some(before) = open.take() {
                errors.push(endless(&before));
            }
            let service = rest.strip_suffix("-->").map_or("", str::trim);
            if service.is_empty() || service.contains(char::is_whitespace) {
                errors.push(PlaceError::new(
                    at + 1,
                    "the marker names no service",
                    format!("write it as `{BEGIN} SERVICE -->`, on a line of its own"),
                ));
            }
            let (service, line_end) = (service.to_owned(), line.line_end());
            open = Some(Place { service, line: at + 1, lines: at + 1..at + 1, is_marked: true, line_end });
        } else if words == END {
            match open.take() {
                Some(place) => places.push(Place { lines: place.lines.start..at, ..place }),
                None => errors.push(PlaceError::new(
                    at + 1,
                    format!("`{END}` ends nothing"),
                    format!("write `{BEGIN} SERVICE -->` before it, or remove it"),
                )),
            }
        }
    }
    errors.extend(open.iter().map(endless));
    for (at, place) in places.iter().enumerate() {
        if let Some(first) = places[..at].iter().find(|first| first.service == place.service) {
            let message = format!("the section of `{}` is already put in at line {}", place.service, first.line);
            errors.push(PlaceError::new(place.line, message, "remove one of the two pairs of markers"));
        }
    }
    if errors.is_empty() { Ok(places) } else { Err(errors) }
}

fn endless(place: &Place) -> PlaceError {
    let message = format!("the place of `{}` has no end", place.service.escape_debug());
    PlaceError::new(place.line, message, format!("write `{END}` where it ends, on a line of its own"))
}

/// The body of the section whose heading has the anchor: up to the next heading that is not below it.
fn headed(lines: &[Line<'_>], own: &str) -> Result<Place, Vec<PlaceError>> {
    let headings: Vec<(usize, usize)> = (0..lines.len()).filter_map(|at| Some((at, heading(lines, at)?))).collect();
    let with_anchor: Vec<_> = headings.iter().filter(|(at, _)| has_anchor(lines[*at].words())).collect();
    let [(at, level)] = with_anchor.as_slice() else {
        return Err(vec![match with_anchor.get(1) {
            None => PlaceError::new(
                0,
                "there is no place for a section",
                format!(
                    "write `{BEGIN} SERVICE -->` and `{END}` on lines of their own, or a heading with `{{ {ANCHOR} }}`"
                ),
            ),
            Some((second, _)) => PlaceError::new(
                second + 1,
                format!("a second heading has the anchor `{ANCHOR}`"),
                "keep one of them, or use markers",
            ),
        }]);
    };
    let end =
        headings.iter().find(|(other, depth)| other > at && depth <= level).map_or(lines.len(), |(other, _)| *other);
    let (service, line_end) = (own.to_owned(), lines[*at].line_end());
    Ok(Place { service, line: at + 1, lines: at + 1..end, is_marked: false, line_end })
}

fn has_anchor(words: &str) -> bool {
    let list = words.strip_suffix('}').and_then(|rest| rest.rsplit_once('{')).map(|(_, list)| list);
    list.is_some_and(|list| list.split_whitespace().any(|word| word == ANCHOR))
}

/// The level of the heading that begins at a line.
fn heading(lines: &[Line<'_>], at: usize) -> Option<usize> {
    let line = &lines[at];
    if line.is_code || line.is_indented() {
        return None;
    }
    let words = line.words();
    let level = words.len() - words.trim_start_matches('#').len();
    if level > 0 {
        let is_heading = level <= 6 && (words.len() == level || words[level..].starts_with([' ', '\t']));
        return is_heading.then_some(level);
    }
    underlined(words, lines.get(at + 1)?)
}

/// `Title` above `===` or `---`.
fn underlined(words: &str, below: &Line<'_>) -> Option<usize> {
    let rule = below.words();
    if words.is_empty() || words.starts_with(['|', '>', '-', '*', '<']) || rule.len() < 2 || below.is_code {
        return None;
    }
    let is_all = |mark: char| rule.chars().all(|c| c == mark);
    is_all('=').then_some(1).or(is_all('-').then_some(2))
}

/// The section as it stands in the page: with the page's line ends, and an empty line on both sides. Under a heading of
/// the author, ours is left out.
fn body(section: &str, place: &Place, cut_end: bool) -> String {
    let text = if place.is_marked { section } else { section.split_once('\n').map_or("", |(_, rest)| rest) };
    let mut body = format!("\n{}\n", text.trim_matches('\n'));
    if !cut_end {
        body.push('\n');
    } else {
        body.truncate(body.trim_end_matches('\n').len());
    }
    if place.line_end == "\n" { body } else { body.replace('\n', place.line_end) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn section(service: &str, _: bool) -> Option<String> {
        service.starts_with("svc-").then(|| format!("## Data store {{ #data-store }}\n\n{service}\n"))
    }

    fn put(page: &str) -> Result<String, Vec<(usize, String)>> {
        let placed = place(page.as_bytes(), "svc-own", &section);
        placed
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .map_err(|errors| errors.into_iter().map(|error| (error.line, error.message)).collect())
    }

    #[test]
    fn a_section_goes_between_its_markers() {
        let page = "\u{feff}<!-- trueup:data-store svc-a -->\r\nold\r\n<!-- /trueup -->";
        let expected = "\u{feff}<!-- trueup:data-store svc-a -->\r\n\r\n## Data store { #data-store }\r\n\r\nsvc-a\r\n\r\n<!-- /trueup -->";
        assert_eq!(put(page).unwrap(), expected);
        assert_eq!(put(expected).unwrap(), expected);
    }

    #[test]
    fn a_heading_keeps_its_words_and_what_follows_its_place() {
        let page = "# Me\n\n## :material-database: Data Store { #data-store }\nold\n### Older\n```\n## no heading\n```\n## Next\nx";
        let expected = "# Me\n\n## :material-database: Data Store { #data-store }\n\nsvc-own\n\n## Next\nx";
        assert_eq!(put(page).unwrap(), expected);
        assert_eq!(put(expected).unwrap(), expected);
        let last = "## D { #data-store .x }\nold";
        assert_eq!(put(last).unwrap(), "## D { #data-store .x }\n\nsvc-own");
        assert_eq!(
            put("## D { #data-store }\nold\n\nNext\n====\n").unwrap(),
            "## D { #data-store }\n\nsvc-own\n\nNext\n====\n"
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |page: &str| put(page).unwrap_err();
        assert_eq!(said("a\n<!-- trueup:data-store svc-a -->\n"), [(2, "the place of `svc-a` has no end".to_owned())]);
        assert_eq!(said("<!-- /trueup -->\n"), [(1, "`<!-- /trueup -->` ends nothing".to_owned())]);
        assert_eq!(said("nothing\n"), [(0, "there is no place for a section".to_owned())]);
        let pair = |service: &str| format!("<!-- trueup:data-store {service} -->\n<!-- /trueup -->\n");
        assert_eq!(said(&pair("other")), [(1, "`other` is no service of the intent".to_owned())]);
        assert_eq!(said(&pair("")), [(1, "the marker names no service".to_owned())]);
        let twice = pair("svc-a") + &pair("svc-a");
        assert_eq!(said(&twice), [(3, "the section of `svc-a` is already put in at line 1".to_owned())]);
        let both = said(&format!("<!-- trueup:data-store svc-a -->\n{}", pair("svc-b")));
        assert_eq!(both, [(1, "the place of `svc-a` has no end".to_owned())]);
        assert_eq!(said("## A { #data-store }\n## B { #data-store }\n")[0].0, 2);
        assert_eq!(said("```\n<!-- trueup:data-store svc-a -->\n```\n")[0].0, 0, "code is no marker");
    }

    fn pieces() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "text",
            "# A",
            "## B",
            "### C",
            "```",
            "~~~",
            "| a | b |",
            "---",
            "===",
            "",
            "    code",
            "<!-- x -->",
            "é",
        ]);
        prop::collection::vec((prop_oneof![known.prop_map(str::to_owned), "[ -~]{0,12}"], prop::bool::ANY), 0..12)
            .prop_map(|lines| {
                lines.iter().map(|(line, crlf)| format!("{line}{}", if *crlf { "\r\n" } else { "\n" })).collect()
            })
    }

    proptest! {
        /// Outside of the markers every byte stays, whatever it is; and doing it twice changes nothing.
        #[test]
        fn bytes_outside_are_identical(before in pieces(), old in pieces(), after in pieces(), ends in prop::bool::ANY) {
            let (begin, end) = ("<!-- trueup:data-store svc-a -->\n", "<!-- /trueup -->");
            let after = if ends { format!("\n{after}") } else { String::new() };
            let page = format!("{before}{begin}{old}{end}{after}");
            // A block of code that is open around a marker makes it text.
            if let Ok(placed) = put(&page) {
                if placed.contains("svc-a\n\n<!-- /trueup") {
                    prop_assert!(placed.starts_with(&format!("{before}{begin}")), "{}", placed);
                    prop_assert!(placed.ends_with(&format!("{end}{after}")), "{}", placed);
                }
                prop_assert_eq!(put(&placed).unwrap(), placed);
            }
        }

        /// The same under a heading: everything up to it stays, and everything from the next one on.
        #[test]
        fn bytes_outside_of_a_section_are_identical(before in pieces(), old in pieces(), next in "[a-z]{1,8}") {
            let before = before.replace("```", "x").replace("~~~", "x").replace("trueup", "x");
            let old = old.replace(['#', '`', '~', '-', '='], "x");
            let (head, after) = ("## D { #data-store }\n", format!("## {next}\n{before}"));
            let placed = put(&format!("{before}\n{head}{old}{after}")).unwrap();
            prop_assert_eq!(&placed, &format!("{before}\n{head}\nsvc-own\n\n{after}"));
            prop_assert_eq!(put(&placed).unwrap(), placed);
        }
    }
}
