//! The page that says how to read the others.

use super::{Pages, badge};
use crate::facts::Mark;
use crate::input::Standing;
use crate::links::Page;
use crate::markup::Markup;
use crate::stage::Stage;
use crate::words::stage_words;

/// A foot of a line, drawn by hand: title, path, and the ring's place when there is one.
const FEET: [(&str, &str, Option<&str>); 3] = [
    ("exactly one row", "M4 12H56M36 7V17M44 7V17", None),
    ("one row, or none", "M4 12H56M48 7V17", Some("40")),
    ("any number of rows", "M4 12H56M56 5L44 12L56 19", Some("40")),
];

impl Pages<'_> {
    /// The page that says how to read the others.
    pub(crate) fn guide(&self) -> String {
        self.shell(&Page::Guide, "How to read", |main| {
            main.leaf("h1", &[], "How to read these pages");
            paragraph(
                main,
                "Everything here is made from the intent: the YAML in which the architects say what data each service \
                keeps. It shows what is meant to be. Whether it came true is said by badges, and only when the \
                pages were built with the report of a check.",
            );
            badges(main);
            self.stages(main);
            self.verified(main);
            diagram(main);
            tables(main);
            search(main);
        })
    }

    /// How far tables, columns and indexes have come.
    fn stages(&self, out: &mut Markup) {
        section("Stages of tables, columns and indexes", out, |section| {
            paragraph(
                section,
                "A table has a badge; each column and index has its sign, and the migration that made it or last wrote it, as a \
                link to the line. A table is only done when all of its columns and indexes are; where some are owed or different, it says so: in part.",
            );
            section.element("dl", &[], |list| {
                for (stage, is_done, meaning) in stages() {
                    let (class, sign, words) = stage_words(self.input, &stage, is_done);
                    list.element("dt", &[], |term| {
                        term.element("span", &[("class", &format!("badge {class}"))], |badge| {
                            badge.leaf("span", &[("aria-hidden", "true")], sign).text(" ").text(&words);
                        });
                    });
                    list.leaf("dd", &[], meaning);
                }
            });
        });
    }

    /// What the stages rest on.
    fn verified(&self, out: &mut Markup) {
        section("What this rests on", out, |section| {
            paragraph(
                section,
                "The report says what the migrations produce, as of when it was made. The records of the environments say which \
                migrations are applied, as of the moment that stands with each; nobody looked at the databases' tables for \
                these pages. A migration that failed, was taken back, is missing there, stands below a baseline, or was \
                applied with another text, is unknown. Merged is what git finds on the main branch; in a shallow clone it \
                does not know since when.",
            );
            section.element("p", &[], |p| {
                match self.input.known.main {
                    Some(branch) => p.text("The main branch is ").leaf("code", &[], branch).text("."),
                    None => p.text("For these pages no main branch was found."),
                };
            });
        });
    }
}

/// Stages, each with whether it is done, and what it means.
pub(crate) fn stages() -> [(Stage, bool, &'static str); 9] {
    let unknown = Stage::Unknown("why".to_owned());
    [
        (Stage::NotVerified, false, "no report was given, or it does not speak of the service."),
        (Stage::NotChecked(String::new()), false, "the service is not on PostgreSQL, or was left out of the check."),
        (unknown, false, "what is known proves no stage; the reason stands beside it. Never green."),
        (Stage::Designed, false, "it is declared, and no migration makes it: somebody owes one."),
        (Stage::Differs, false, "a migration makes it, but not as it is declared; the mark beside it says how."),
        (Stage::Written, false, "a migration makes it, and is not known to be on the main branch."),
        (Stage::Merged, false, "the migration is on the main branch, with the text that was replayed."),
        (
            Stage::Live(0),
            false,
            "the migration that last wrote it is applied there, with the same checksum; of several environments the \
            last one is named. Something still keeps it from being done: another environment, a finding about it or its \
            table, an accepted difference, or a migration that is not known to be merged.",
        ),
        (Stage::Live(0), true, "it agrees, is merged, and is live in every environment. Nothing else is green."),
    ]
}

fn paragraph(out: &mut Markup, text: &str) {
    out.leaf("p", &[], text);
}

fn section(title: &str, out: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    out.line().element("section", &[("class", "guide")], |section| {
        section.leaf("h2", &[], title);
        inside(section);
    });
}

fn badges(out: &mut Markup) {
    let meanings = [
        (Standing::NotVerified, "no report was given, or it does not speak of this service. Nothing is known."),
        (
            Standing::Agrees { accepted: 0 },
            "the migrations were replayed and produce what is declared, as of the report.",
        ),
        (Standing::Agrees { accepted: 2 }, "the same, but for findings that somebody accepted."),
        (
            Standing::Differs { findings: 3 },
            "so many findings count: the YAML and the migrations say different things.",
        ),
        (Standing::Unknown(String::new()), "it could not be compared, or part of it was not understood. Never green."),
        (
            Standing::NotChecked(String::new()),
            "deliberately left out, for example because the engine is not PostgreSQL.",
        ),
    ];
    section("Badges of services", out, |section| {
        section.element("dl", &[], |list| {
            for (standing, meaning) in meanings {
                list.element("dt", &[], |term| badge(&standing, term)).leaf("dd", &[], meaning);
            }
        });
    });
}

fn diagram(out: &mut Markup) {
    section("Diagrams", out, |section| {
        paragraph(
            section,
            "A box is a table; it leads to the table's section. What is referenced stands to the left of what \
            references it, and a line ends at the column's row. Only a line to a declared key is a foreign key of the database. \
            A dashed line is a logical reference: to another service (a rounded badge), or to a table whose key is not \
            declared. A dotted badge names something that is not in the intent.",
        );
        section.element("dl", &[], |list| {
            for mark in [Mark::Primary, Mark::Foreign, Mark::Unique] {
                list.element("dt", &[], |term| {
                    term.leaf("span", &[("class", mark.class())], mark.letters());
                });
                list.leaf("dd", &[], mark.words());
            }
            list.leaf("dt", &[], "NN").leaf("dd", &[], "not null: a column without it may be empty");
            for (meaning, data, ring) in FEET {
                list.element("dt", &[], |term| foot(meaning, data, ring, term)).leaf("dd", &[], meaning);
            }
        });
    });
}

fn foot(title: &str, data: &str, ring: Option<&str>, out: &mut Markup) {
    let attributes = [("class", "erd"), ("role", "img"), ("aria-label", title), ("width", "60"), ("height", "24")];
    out.element("svg", &attributes, |svg| {
        svg.shape("path", &[("class", "foot"), ("d", data)]);
        if let Some(x) = ring {
            svg.shape("circle", &[("class", "foot"), ("cx", x), ("cy", "12"), ("r", "3.5")]);
        }
    });
}

fn tables(out: &mut Markup) {
    section("Tables", out, |section| {
        paragraph(
            section,
            "Types, defaults and checks stand as they are declared. NULL stands where the author wrote it or said \
            nothing; a primary key is NOT NULL. A table that is only listed exists by name, and nothing else is said about it. \
            “As written” gives the author's own words where they say more than was understood. A red mark beside a table, a \
            column or an index leads to what was found about it.",
        );
    });
}

fn search(out: &mut Markup) {
    section("Search", out, |section| {
        section.element("p", &[], |p| {
            p.text("Press ").leaf("kbd", &[], "/").text(
                " on any page and write part of the name of a service, table, column or \
                index. ",
            );
            p.leaf("kbd", &[], "↑").text(" and ").leaf("kbd", &[], "↓").text(" choose, ").leaf("kbd", &[], "Enter");
            p.text(" goes there, ").leaf("kbd", &[], "Esc").text(" leaves. Several words all have to occur.");
        });
    });
}
