//! The page of a difference: for each service both pictures side by side, and what changed as a list.

use super::words::of_service;
use super::{Comparison, Detail, Difference, Pictures, ServiceChange, Sign};
use crate::difference::rows::{self, Row};
use crate::markup::Markup;
use crate::pages::preamble;
use crate::site::STYLE;
use crate::slug::Slugs;

pub(super) fn page(comparison: &Comparison<'_>, difference: &Difference<'_>, pictures: &[Pictures]) -> String {
    let mut out = Markup::document();
    out.element("html", &[("lang", "en")], |html| {
        html.line().element("head", &[], head).line();
        html.element("body", &[], |body| {
            body.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the content").line();
            body.element("main", &[("id", "main"), ("tabindex", "-1"), ("class", "difference")], |main| {
                content(comparison, difference, pictures, main);
            });
            body.line().element("footer", &[], |footer| {
                let text =
                    "Made by trueup from the intent alone: it shows what is declared, not what any database has.";
                footer.leaf("p", &[], text);
            });
        });
    });
    out.finish()
}

fn head(head: &mut Markup) {
    preamble(head);
    head.leaf("title", &[], "What changes in the data stores").line();
    head.void("link", &[("rel", "stylesheet"), ("href", STYLE)]).line();
}

fn content(comparison: &Comparison<'_>, difference: &Difference<'_>, pictures: &[Pictures], main: &mut Markup) {
    main.leaf("h1", &[], "What changes in the data stores");
    main.element("p", &[("class", "quiet")], |p| {
        p.text("Compared with ").leaf("code", &[], comparison.base).text(". ");
        p.text(&rows::sentence(difference));
    });
    if difference.is_empty() {
        return;
    }
    legend(main);
    let slugs = Slugs::of(difference.services.iter().map(|service| service.name));
    if difference.services.len() > 1 {
        contents(difference, &slugs, main);
    }
    for (change, pictures) in difference.services.iter().zip(pictures) {
        service(comparison, change, pictures, &slugs.get(change.name), main);
    }
}

fn legend(out: &mut Markup) {
    out.element("p", &[("class", "legend")], |p| {
        for sign in [Sign::Added, Sign::Changed, Sign::Removed] {
            badge(sign, p);
            p.text(" ");
        }
    });
}

fn badge(sign: Sign, out: &mut Markup) {
    out.element("span", &[("class", &format!("badge {}", sign.word()))], |badge| {
        badge.leaf("span", &[("aria-hidden", "true")], sign.glyph()).text(" ").text(sign.word());
    });
}

fn contents(difference: &Difference<'_>, slugs: &Slugs, out: &mut Markup) {
    out.element("nav", &[("aria-label", "Services"), ("class", "on-page")], |nav| {
        nav.element("ul", &[], |list| {
            for change in &difference.services {
                list.element("li", &[], |item| {
                    item.leaf("a", &[("href", &format!("#s-{}", slugs.get(change.name)))], change.name);
                });
            }
        });
    });
}

fn service(comparison: &Comparison<'_>, change: &ServiceChange<'_>, pictures: &Pictures, slug: &str, out: &mut Markup) {
    let heading = format!("s-{slug}");
    out.line().element("section", &[("aria-labelledby", &heading)], |section| {
        section.element("h2", &[("id", &heading)], |title| {
            title.text(change.name).text(" ");
            badge(change.sign, title);
        });
        let words = of_service(change);
        if !words.is_empty() {
            section.leaf("p", &[("class", "quiet")], &format!("{words}."));
        }
        section.element("div", &[("class", "sides")], |sides| {
            side(change, "Before", pictures.before.as_deref(), sides);
            side(change, "After", pictures.after.as_deref(), sides);
        });
        if !pictures.note.is_empty() {
            section.leaf("p", &[("class", "note")], &pictures.note);
        }
        table(comparison, change, section);
    });
}

fn side(change: &ServiceChange<'_>, when: &str, picture: Option<&str>, out: &mut Markup) {
    out.element("figure", &[], |figure| {
        figure.leaf("figcaption", &[], when);
        let Some(picture) = picture else {
            let there = if when == "Before" { change.before } else { change.after };
            let why = if there.is_some() { "No table is declared." } else { "The service is not declared." };
            figure.leaf("p", &[("class", "nothing")], why);
            return;
        };
        let words = format!("Diagram of {} {}", change.name, when.to_lowercase());
        let frame = [("class", "diagram"), ("role", "region"), ("tabindex", "0"), ("aria-label", words.as_str())];
        figure.element("div", &frame, |frame| {
            frame.element("a", &[("href", picture)], |link| {
                let alt = format!("{words}, as a file; what changed is listed below");
                link.void("img", &[("src", picture), ("alt", &alt), ("loading", "lazy")]);
            });
        });
    });
}

fn table(comparison: &Comparison<'_>, change: &ServiceChange<'_>, out: &mut Markup) {
    let label = format!("What changes in {}", change.name);
    let scroll = [("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", label.as_str())];
    out.element("div", &scroll, |scroll| {
        scroll.element("table", &[("class", "differences")], |table| {
            table.element("thead", &[], |head| {
                head.element("tr", &[], |row| {
                    for words in ["What", "Where", "How", "Declared in"] {
                        row.leaf("th", &[("scope", "col")], words);
                    }
                });
            });
            table.element("tbody", &[], |body| {
                rows::of(comparison, change).iter().for_each(|row| line(row, body));
            });
        });
    });
}

fn line(row: &Row<'_>, out: &mut Markup) {
    out.line().element("tr", &[], |tr| {
        tr.element("td", &[], |cell| badge(row.sign, cell));
        tr.element("th", &[("scope", "row")], |cell| {
            cell.text(row.kind).text(" ").leaf("code", &[], &row.name);
            if let Some(former) = &row.former {
                cell.text(", formerly ").leaf("code", &[], former);
            }
        });
        tr.element("td", &[], |cell| how(row, cell));
        tr.element("td", &[("class", "declared-at")], |cell| {
            let Some((at, source)) = row.at else { return };
            let words = format!("{}:{}", at.file, at.line);
            match source {
                Some(source) => cell.leaf("a", &[("href", &source.line(at))], &words),
                None => cell.leaf("code", &[], &words),
            };
        });
    });
}

fn how(row: &Row<'_>, out: &mut Markup) {
    if !row.has.is_empty() {
        out.leaf("p", &[], &row.has);
    }
    if row.details.is_empty() {
        return;
    }
    out.element("ul", &[], |list| {
        for Detail { what, before, after } in row.details {
            list.element("li", &[], |item| {
                item.text(what).text(": ");
                if !before.is_empty() {
                    item.leaf("del", &[], before);
                }
                if row.sign == Sign::Changed {
                    item.text(if before.is_empty() { "nothing → " } else { " → " });
                }
                if !after.is_empty() {
                    item.leaf("ins", &[], after);
                } else if row.sign == Sign::Changed {
                    item.text("nothing");
                }
            });
        }
    });
}
