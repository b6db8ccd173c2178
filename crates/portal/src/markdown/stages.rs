//! How far the tables, columns and indexes of a service have come, where a report was given.

use trueup_model::declared::{DeclaredService, DeclaredTable};
use trueup_model::location::Location;

use super::text::Inline;
use crate::links::migration_anchors;
use crate::lookup::Lookup;
use crate::stage::{Flow, Judge, Stage};
use crate::text::thousands;
use crate::words::{flow_words, whereabouts};

/// What is known of one service.
pub(super) struct Stages<'a> {
    input: &'a Lookup<'a>,
    judge: Judge<'a>,
    /// The anchors of its migrations.
    anchors: Vec<String>,
}

impl<'a> Stages<'a> {
    /// None without a report: then nothing is known of anything.
    pub(super) fn of(input: &'a Lookup<'a>, service: &'a DeclaredService) -> Option<Self> {
        input.report?;
        let judge = Judge::of(input, service);
        let anchors = judge.provenance().map_or_else(Vec::new, |known| migration_anchors(&known.migrations));
        Some(Self { input, judge, anchors })
    }

    /// A line about a table: its badge, the migration behind it, and what is owed. `home` is what leads to the page with the
    /// service's migrations, when there is one.
    pub(super) fn table(&self, table: &DeclaredTable, home: Option<&str>) -> Inline {
        let flow = self.judge.table(table);
        let mut out = Inline::new();
        let (_, sign, words) = flow_words(self.input, &flow);
        out.strong(&format!("{sign} {words}"));
        if flow.accepted {
            out.text(", difference accepted");
        }
        if let Some(migration) = flow.migration {
            out.text(", last written by ");
            self.maker(&flow, home, &mut out);
            out.text(" ").text(&migration.description);
            whereabouts(self.input, migration).iter().for_each(|part| {
                out.text(" · ").text(part);
            });
        }
        other_name(&flow, " · in the database ", &mut out);
        if flow.stage == Stage::Designed {
            out.text(", a migration is owed");
        } else if flow.owed > 0 {
            out.text(&format!(" · {} of its columns and indexes owed or different", thousands(flow.owed)));
        }
        for finding in flow.findings.iter().filter(|finding| !finding.help.is_empty()).take(2) {
            out.text(" · owed: ").prose(&finding.help);
        }
        out
    }

    /// The cell of a table in a list of them.
    pub(super) fn in_list(&self, table: &DeclaredTable, home: Option<&str>) -> Inline {
        self.cell(&self.judge.table(table), home)
    }

    /// The cell of a column.
    pub(super) fn column(&self, table: &DeclaredTable, column: &str, home: Option<&str>) -> Inline {
        self.cell(&self.judge.column(table, column), home)
    }

    /// The cell of an index.
    pub(super) fn index(&self, table: &DeclaredTable, index: &str, home: Option<&str>) -> Inline {
        self.cell(&self.judge.index(table, index), home)
    }

    fn cell(&self, flow: &Flow<'_, 'a>, home: Option<&str>) -> Inline {
        let (_, sign, words) = flow_words(self.input, flow);
        // Cells are narrow, and what it means stands with the table.
        let words = if flow.stage == Stage::Designed { "designed" } else { &words };
        let mut out = Inline::of(&format!("{sign} {words}"));
        if flow.accepted {
            out.text(", difference accepted");
        }
        if flow.migration.is_some() {
            out.text(" ");
            self.maker(flow, home, &mut out);
        }
        other_name(flow, " as ", &mut out);
        for (number, finding) in flow.findings.iter().enumerate() {
            out.text(if number == 0 { ": " } else { ", " }).text(finding.rule.name());
        }
        out
    }

    /// `V2`, as a link to the line that wrote the object; without a host of lines, to the service's migrations.
    fn maker(&self, flow: &Flow<'_, 'a>, home: Option<&str>, out: &mut Inline) {
        let Some(migration) = flow.migration else { return };
        let label = Inline::of_code(&migration.label());
        if let Some((source, made)) = self.input.known.source.zip(flow.made) {
            let whole = Location::whole(migration.file.as_str());
            out.outward(&source.line(made.at.as_ref().unwrap_or(&whole)), &label);
            return;
        }
        let anchor = flow.made.and_then(|made| self.anchors.get(made.migration?));
        match home.zip(anchor) {
            Some((home, anchor)) => out.link(&format!("{home}#{anchor}"), &label),
            None => out.append(&label),
        };
    }
}

fn other_name(flow: &Flow<'_, '_>, before: &str, out: &mut Inline) {
    if let Some(other) = flow.made.and_then(|made| made.other_name.as_ref()) {
        out.text(before).code(other);
    }
}
