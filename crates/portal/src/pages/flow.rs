//! Badges and marks that say how far a table, a column or an index has come, and links to the lines behind them.

use trueup_model::location::Location;

use super::Pages;
use crate::markup::Markup;
use crate::stage::{Flow, Stage};
use crate::text::thousands;
use crate::truth::{Made, Merged, Migration};
use crate::words::{flow_words, whereabouts};

/// Everything that leads out of the site tells the other side nothing.
const OUTWARD: (&str, &str) = ("rel", "noopener noreferrer");

impl Pages<'_> {
    /// The badge of a table, the migration behind it, and where it is; `migrations` are the addresses of all of them.
    pub(super) fn flow(&self, flow: &Flow<'_, '_>, migrations: &[String], out: &mut Markup) {
        out.element("p", &[("class", "flow")], |p| {
            let (class, sign, words) = flow_words(self.input, flow);
            p.element("span", &[("class", &format!("badge stage {class}"))], |badge| {
                badge.leaf("span", &[("aria-hidden", "true")], sign).text(" ").text(&words);
            });
            if flow.accepted {
                p.text(" ").leaf("span", &[("class", "badge")], "difference accepted");
            }
            if let (Some(migration), Some(made)) = (flow.migration, flow.made) {
                p.text(" last written by ");
                self.maker(migration, made, migrations, p);
                p.text(" ").text(&migration.description);
                for part in whereabouts(self.input, migration) {
                    p.text(" · ").text(&part);
                }
                if let Some(other) = &made.other_name {
                    p.text(" · in the database ").leaf("code", &[], other);
                }
            }
            if flow.stage == Stage::Designed {
                p.text(" a migration is owed");
            } else if flow.owed > 0 {
                p.text(&format!(" · {} of its columns and indexes owed or different", thousands(flow.owed)));
            }
            for finding in flow.findings.iter().filter(|finding| !finding.help.is_empty()).take(2) {
                p.text(" · owed: ").prose(&finding.help);
            }
        });
    }

    /// The cell of a column or an index: the sign, and the migration.
    pub(super) fn stage_cell(&self, flow: &Flow<'_, '_>, migrations: &[String], out: &mut Markup) {
        let (class, sign, mut words) = flow_words(self.input, flow);
        if flow.accepted {
            words.push_str(", difference accepted");
        }
        out.element("td", &[("class", "stage-cell")], |cell| {
            cell.element("span", &[("class", &format!("step {class}")), ("title", &words)], |step| {
                step.leaf("span", &[("aria-hidden", "true")], sign).leaf("span", &[("class", "sr")], &words);
            });
            if let (Some(migration), Some(made)) = (flow.migration, flow.made) {
                cell.text(" ");
                self.maker(migration, made, migrations, cell);
            }
            if let Some(other) = flow.made.and_then(|made| made.other_name.as_ref()) {
                cell.text(" as ").leaf("code", &[], other);
            }
        });
    }

    /// `V2`, as a link to the line that wrote the object; without a host of lines, to the migration on the page.
    fn maker(&self, migration: &Migration, made: &Made, migrations: &[String], out: &mut Markup) {
        let label = migration.label();
        let whole = Location::whole(migration.file.as_str());
        let at = made.at.as_ref().unwrap_or(&whole);
        let title = format!("{} at {}:{}", migration.script, at.file, at.line);
        if let Some(source) = self.input.known.source {
            out.leaf("a", &[("href", &source.line(at)), OUTWARD, ("title", &title)], &label);
        } else if let Some(href) = made.migration.and_then(|number| migrations.get(number)) {
            out.leaf("a", &[("href", href), ("title", &title)], &label);
        } else {
            out.leaf("span", &[("title", &title)], &label);
        }
    }

    /// A place in a file, as a link where the host of the lines is known.
    pub(super) fn place(&self, at: &Location, out: &mut Markup) {
        let text = format!("{}:{}", at.file, at.line);
        self.code_link(self.input.known.source.map(|source| source.line(at)), &text, out);
    }

    /// A file, as a link where the host is known.
    pub(super) fn file(&self, path: &str, out: &mut Markup) {
        self.code_link(self.input.known.source.map(|source| source.file(path)), path, out);
    }

    fn code_link(&self, href: Option<String>, text: &str, out: &mut Markup) {
        match href {
            Some(href) => out.element("a", &[("href", &href), OUTWARD], |link| {
                link.code(text);
            }),
            None => out.code(text),
        };
    }

    /// The commit that merged something: its day, as a link where the host is known.
    pub(super) fn merged(&self, merged: &Merged, out: &mut Markup) {
        match merged {
            Merged::Unknown => out.leaf("span", &[("class", "quiet")], "? unknown"),
            Merged::No => out.text("not merged"),
            Merged::Yes(None) => out.text("merged"),
            Merged::Yes(Some(commit)) => match self.input.known.source.and_then(|source| source.commit(&commit.id)) {
                Some(href) => out.leaf("a", &[("href", &href), OUTWARD, ("title", &commit.id)], &commit.day),
                None => out.leaf("span", &[("title", &commit.id)], &commit.day),
            },
        };
    }
}
