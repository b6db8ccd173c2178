//! Reading on after a syntax error.
//!
//! Whatever a broken service leaves open, a bracket or a quote, it ends where the next key stands in column 1. So the
//! file is cut into sections there, and each is parsed alone, which tells the broken ones and their errors. Then the
//! file is parsed once more with the broken sections blanked, all but their names: aliases find their anchors, a
//! service that stands twice is seen, and nothing is said of a service that is broken but that it is.
//!
//! All of it takes a fixed number of passes over the text, however many errors there are.

use std::collections::HashSet;
use std::sync::Arc;

use crate::builder::{Budget, Stop, build};
use crate::document::{Mark, Node, Value};
use crate::report::Report;
use crate::service::is_service_name;
use crate::syntax::explain;
use crate::text::lines;

/// How often the blanked file is parsed, each time without one more section that does not fit the others.
const MAX_ROUNDS: usize = 4;

/// Reads what can be read of `text`, in which there is a syntax error somewhere, and reports all errors in it.
pub(crate) fn documents(file: &Arc<str>, text: &str, budget: &mut Budget, report: &mut Report) -> Vec<Node> {
    let mut sections = sections(text);
    budget.renew();
    let mut reader = Reader { file, budget, report };
    let sound = reader.judge(&mut sections);
    if !sound {
        return Vec::new();
    }
    reader.judge_aliases(&mut sections);
    reader.together(&mut sections).unwrap_or_else(|| reader.apart(&sections))
}

/// A part of a file: a key in column 1, or what separates documents, and everything up to the next.
struct Section<'t> {
    first_line: u32,
    text: &'t str,
    state: State,
}

enum State {
    Sound,
    /// It has an alias that is unknown there.
    Borrows {
        alias: String,
        stop: Stop,
        errors: Box<Report>,
    },
    Broken,
}

impl Section<'_> {
    fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    fn starts_document(&self) -> bool {
        self.text.starts_with("---") || self.text.starts_with("...") || self.text.starts_with('%')
    }

    /// As many lines, with nothing on them but the service's name.
    fn blanked(&self) -> String {
        let key = lines(self.text).find(|(_, line)| starts_key(line));
        let name = key.and_then(|(number, line)| Some((number, line.split(':').next()?.trim_end())));
        let name = name.filter(|(_, name)| is_service_name(name));
        let breaks = lines(self.text).count() - 1;
        let before = name.map_or(0, |(number, _)| number as usize - 1);
        let stub = name.map_or_else(String::new, |(_, name)| format!("{name}:"));
        "\n".repeat(before) + &stub + &"\n".repeat(breaks - before)
    }
}

/// Cuts a file into its sections.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut starts: Vec<(u32, usize)> = vec![(1, 0)];
    let mut empty = true;
    let content = lines(text).map(|(_, line)| line).find(|line| !is_empty(line) && !line.starts_with("---"));
    // In a file that is one mapping in brackets, nothing tells a service from any other key.
    let in_brackets = content.is_some_and(|line| line.starts_with(['{', '[']));
    for (number, line) in lines(text).take(if in_brackets { 0 } else { usize::MAX }) {
        let separates = line.starts_with("---") || line.starts_with("...");
        if (separates || starts_key(line)) && !empty {
            starts.push((number, line.as_ptr() as usize - text.as_ptr() as usize));
        }
        // Directives and comments belong to what follows them.
        empty &= is_empty(line);
    }
    let ends = starts.iter().skip(1).map(|(_, offset)| *offset).chain([text.len()]);
    let section = |((first_line, start), end): (&(u32, usize), usize)| Section {
        first_line: *first_line,
        text: &text[*start..end],
        state: State::Sound,
    };
    starts.iter().zip(ends).map(section).collect()
}

fn is_empty(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with(['#', '%'])
}

/// Whether a key starts in column 1: something before a colon, or a service's name that lacks its colon.
fn starts_key(line: &str) -> bool {
    let Some(first) = line.chars().next().filter(|first| !" \t#{}[],:%|>".contains(*first)) else { return false };
    if line == "-" || line.starts_with("- ") {
        return false;
    }
    let bare = line.split(" #").next().unwrap_or_default().trim_end();
    first == '?' || line.contains(": ") || bare.ends_with(':') || is_service_name(bare)
}

struct Reader<'a> {
    file: &'a Arc<str>,
    budget: &'a mut Budget,
    report: &'a mut Report,
}

impl Reader<'_> {
    /// Parses each section alone, and reports the errors of the broken ones. Whether that came to the end.
    fn judge(&mut self, sections: &mut [Section<'_>]) -> bool {
        for section in sections {
            let mut errors = Report::default();
            let (documents, stop) = build(self.file, section.text, section.first_line, self.budget, &mut errors);
            match stop.or_else(|| not_a_key(section, &documents)) {
                None => {}
                Some(stop) => match unknown_alias(&stop, section) {
                    Some(alias) => section.state = State::Borrows { alias, stop, errors: Box::new(errors) },
                    None => {
                        self.report.absorb(errors);
                        self.breaks(section, stop);
                    }
                },
            }
            if self.budget.is_spent() || self.report.is_full(self.file) {
                return false;
            }
        }
        true
    }

    fn breaks(&mut self, section: &mut Section<'_>, stop: Stop) {
        explain(self.file, section.text, section.first_line, stop, self.report);
        section.state = State::Broken;
    }

    /// What borrows from a broken section cannot be read, for no fault of its own; what borrows from nowhere is broken.
    fn judge_aliases(&mut self, sections: &mut [Section<'_>]) {
        if !sections.iter().any(|section| matches!(section.state, State::Borrows { .. })) {
            return;
        }
        let (broken, sound): (Vec<_>, Vec<_>) = sections.iter().partition(|section| section.is_broken());
        let anchors = |sections: &[&Section<'_>]| -> HashSet<String> {
            sections.iter().flat_map(|section| anchors(section.text)).map(str::to_owned).collect()
        };
        let (lost, there) = (anchors(&broken), anchors(&sound));
        for section in sections {
            match std::mem::replace(&mut section.state, State::Sound) {
                State::Borrows { alias, .. } if there.contains(&alias) => {}
                State::Borrows { alias, stop, errors } => {
                    self.report.absorb(*errors);
                    let stop = if lost.contains(&alias) { Stop::Full } else { stop };
                    self.breaks(section, stop);
                }
                state => section.state = state,
            }
        }
    }

    /// Parses the file without its broken sections. `None` when too many others do not fit together.
    fn together(&mut self, sections: &mut [Section<'_>]) -> Option<Vec<Node>> {
        for _ in 0..MAX_ROUNDS {
            let mut text = String::new();
            for section in &*sections {
                if section.is_broken() { text.push_str(&section.blanked()) } else { text.push_str(section.text) }
            }
            self.budget.renew();
            let mut errors = Report::default();
            let (documents, stop) = build(self.file, &text, 1, self.budget, &mut errors);
            let Some(stop) = stop.filter(|stop| !matches!(stop, Stop::Full)) else {
                self.report.absorb(errors);
                return Some(documents);
            };
            if self.budget.is_spent() {
                explain(self.file, &text, 1, stop, self.report);
                return Some(Vec::new());
            }
            let line = stop.at().map_or(1, |at| at.line);
            let after = sections.partition_point(|section| section.first_line <= line);
            let culprit = sections[..after].iter().rposition(|section| !section.is_broken())?;
            let alias = unknown_alias(&stop, &sections[culprit]);
            // It may be the broken ones that had its anchor.
            let lost = alias.is_some_and(|alias| {
                let broken = sections.iter().filter(|section| section.is_broken());
                broken.flat_map(|section| anchors(section.text)).any(|anchor| anchor == alias)
            });
            self.breaks(&mut sections[culprit], if lost { Stop::Full } else { stop });
        }
        None
    }

    /// Parses each section that is not broken alone; aliases to other sections are lost.
    fn apart(&mut self, sections: &[Section<'_>]) -> Vec<Node> {
        self.budget.renew();
        let mut documents = Vec::new();
        for section in sections.iter().filter(|section| !section.is_broken()) {
            let (read, stop) = build(self.file, section.text, section.first_line, self.budget, self.report);
            if stop.is_none() {
                documents.extend(read);
            }
            if self.budget.is_spent() || self.report.is_full(self.file) {
                break;
            }
        }
        documents
    }
}

/// A section that is sound YAML and no mapping is a key without its colon.
fn not_a_key(section: &Section<'_>, documents: &[Node]) -> Option<Stop> {
    let text = documents.iter().find(|node| !matches!(node.value, Value::Mapping(_)) && !node.is_null())?;
    let info = "simple key expected".to_owned();
    (!section.starts_document() && starts_key(section.text.lines().next().unwrap_or_default()))
        .then_some(Stop::Syntax { at: text.at, info })
}

/// The alias that has no anchor in its section, when that is why reading stopped.
fn unknown_alias(stop: &Stop, section: &Section<'_>) -> Option<String> {
    let Stop::Syntax { at, info } = stop else { return None };
    if !info.contains("unknown anchor") {
        return None;
    }
    let Mark { line, column } = *at;
    let (_, line) = lines(section.text).find(|(number, _)| number + section.first_line - 1 == line)?;
    let behind = line.char_indices().nth(column as usize).map_or("", |(start, _)| &line[start..]);
    Some(word(behind).to_owned()).filter(|alias| !alias.is_empty())
}

/// What may be the names of anchors in a text.
fn anchors(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('&').map(|(start, _)| word(&text[start + 1..])).filter(|anchor| !anchor.is_empty())
}

fn word(text: &str) -> &str {
    text.split(|c: char| c.is_whitespace() || ",[]{}&".contains(c)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn starts(text: &str) -> Vec<u32> {
        sections(text).iter().map(|section| section.first_line).collect()
    }

    #[test]
    fn sections_start_with_keys_in_column_1() {
        assert_eq!(
            starts("# a\na:\n  x: {\nb:\n- c\n- d: e\n\nf g\nsvc-e\n'q q': {\n  h: 1\n}\n? i\n: j\n"),
            [1, 4, 9, 10, 13]
        );
        assert_eq!(starts("%YAML 1.2\n---\na: |\n  b:\n...\n---\nc:\r\n d:\re:"), [1, 3, 5, 6, 7, 9]);
        assert_eq!(starts("# x\n---\n{\na: 1,\nb: 2\n"), [1]);
    }

    #[test]
    fn nothing_is_lost_between_sections() {
        let text = "# a\na:\n\n b\nc:\r\n  d\r\n---\ne: f";
        assert_eq!(sections(text).iter().map(|section| section.text).collect::<String>(), text);
    }

    /// How many characters are parsed for each one of the text.
    fn effort(text: &str) -> usize {
        let file: Arc<str> = "f".into();
        let mut budget = Budget::of_a_file();
        documents(&file, text, &mut budget, &mut Report::default());
        budget.characters() / text.len()
    }

    #[test]
    fn work_does_not_grow_with_the_number_of_errors() {
        let services = |body: &str, count: usize| -> String {
            (0..count).map(|number| format!("svc-{number}:\n  {}\n", body.replace('#', &number.to_string()))).collect()
        };
        let at_most = MAX_ROUNDS + 2;
        for body in
            ["a: {", "a: [", "a: \"", "a: '", "a: *nobody", "a: *x#", "a: *x\n  b: *nobody", "a: &x#\n  b: {", "? ["]
        {
            for count in [10, 90, 1000] {
                let text = "x-a: &x 1\n".to_owned() + &services(body, count) + &services("a: *x", 1000);
                assert!(effort(&text) <= at_most, "{body}: {}", effort(&text));
            }
        }
        for text in ["---\n  a: b\n".repeat(1000), "a\n".repeat(1000), "- a: b\n".repeat(1000), "...\n".repeat(1000)] {
            assert!(effort(&text) <= at_most, "{}", effort(&text));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_in_a_fixed_number_of_passes(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "svc-b", ":", ": ", "\n", "\r\n", "  ", "- ", "{", "}", "[", "]", ",", "\"", "'", "|", ">", "#", "&x ", "*x", "*y",
                    "<<: ", "? ", "---", "...", "%YAML 1.2\n", "!", "\t", "é",
                ]),
                1..80,
            ),
        ) {
            let text = parts.concat();
            let file: Arc<str> = "f".into();
            let mut budget = Budget::of_a_file();
            documents(&file, &text, &mut budget, &mut Report::default());
            // The scanner looks a few characters beyond each section's end.
            prop_assert!(budget.characters() <= (MAX_ROUNDS + 2) * (text.chars().count() + 8));
        }
    }
}
