//! The overview of a service: engine, schema, volume and the rest, as a table of properties.

use trueup_model::declared::DeclaredService;

use super::Pages;
use super::home::standing_sentence;
use crate::facts::table_title;
use crate::links::has_table_pages;
use crate::markup::Markup;
use crate::text::{count, thousands};
use crate::words::minute;

/// How many services that reference one are named.
pub(crate) const SHOWN: usize = 60;

impl Pages<'_> {
    /// The overview table. What the author left out has no row, but for engine and schema.
    pub(super) fn overview(&self, service: &DeclaredService, out: &mut Markup) {
        out.element("div", &[("class", "scroll")], |scroll| {
            scroll.element("table", &[("class", "facts")], |table| {
                table.leaf("caption", &[("class", "sr")], "Overview");
                table.element("tbody", &[], |body| self.facts(service, body));
            });
        });
    }

    fn facts(&self, service: &DeclaredService, out: &mut Markup) {
        row("Engine", out, |cell| {
            cell.text(if service.engine.text.is_empty() { "not given" } else { &service.engine.text });
        });
        row("Schema", out, |cell| match &service.schema {
            Some(schema) => {
                cell.leaf("code", &[], schema.value.as_str());
                if let Some(former) = &service.schema_renamed_from {
                    cell.text(", formerly ").leaf("code", &[], former.value.as_str());
                }
            }
            None => {
                cell.text("not given");
            }
        });
        row("Tables", out, |cell| self.table_names(service, cell));
        for (title, text) in service_rows(service) {
            row(title, out, |cell| {
                cell.text(&text);
            });
        }
        self.callers(service, out);
        row("Agreement", out, |cell| {
            cell.text(&standing_sentence(&self.input.standing(service)));
        });
        for environment in self.input.known.environments {
            row(&environment.name, out, |cell| {
                match environment.as_of.get(&service.name.value) {
                    Some(moment) => cell.text(&format!("as of {}", minute(moment))),
                    None => cell.text("no record"),
                };
            });
        }
        row("Declared in", out, |cell| {
            self.place(&service.name.at, cell);
        });
    }

    /// The services that reference this one, by what the YAML says.
    fn callers(&self, service: &DeclaredService, out: &mut Markup) {
        let callers: Vec<_> = self.input.callers(&service.name.value).collect();
        let Some(own) = self.links.service(&service.name.value).filter(|_| !callers.is_empty()) else { return };
        row("Referenced by", out, |cell| {
            for (number, (caller, columns)) in callers.iter().take(SHOWN).enumerate() {
                let Some(page) = self.links.service(&caller.name.value) else { continue };
                cell.text(if number == 0 { "" } else { ", " });
                cell.leaf("a", &[("href", &own.to(&page))], &caller.name.value);
                if *columns > 1 {
                    cell.text(&format!(" ({})", count(*columns, "column")));
                }
            }
            if callers.len() > SHOWN {
                cell.text(&format!(" and {} more", thousands(callers.len() - SHOWN)));
            }
        });
    }

    fn table_names(&self, service: &DeclaredService, out: &mut Markup) {
        if service.tables.is_empty() {
            out.text("none declared");
        }
        if has_table_pages(service) {
            out.leaf("a", &[("href", "#tables")], &count(service.tables.len(), "table"));
            return;
        }
        for (position, table) in service.tables.iter().enumerate() {
            out.text(if position == 0 { "" } else { ", " });
            let href = format!("#{}", self.links.table(service, table));
            out.element("a", &[("href", &href)], |link| {
                link.leaf("code", &[], &table_title(table));
            });
        }
    }
}

/// What the author says about a service, with the title of each row; what was left out has none.
pub(crate) fn service_rows(service: &DeclaredService) -> Vec<(&'static str, String)> {
    let prose = &service.prose;
    let pool: Vec<String> =
        prose.connection_pool.iter().map(|(key, value)| format!("{} {value}", key.replace('_', " "))).collect();
    let pool = (!pool.is_empty()).then(|| pool.join(" / "));
    let extensions: Vec<&str> = service.extensions.iter().map(|extension| extension.value.as_str()).collect();
    let extensions = (!extensions.is_empty()).then(|| extensions.join(", "));
    let rows = [
        ("Estimated volume", prose.volume.clone()),
        ("Connection pool", pool),
        ("Backup strategy", prose.backup.clone()),
        ("Extensions", extensions),
        ("Owner", service.owner.as_ref().map(|owner| owner.value.clone())),
        ("Migrations", service.migrations.as_ref().map(|folder| folder.value.clone())),
        ("Formerly", service.renamed_from.as_ref().map(|name| name.value.clone())),
    ];
    rows.into_iter().filter_map(|(title, text)| Some((title, text?))).collect()
}

fn row(title: &str, out: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    out.element("tr", &[], |row| {
        row.leaf("th", &[("scope", "row")], title).element("td", &[], inside);
    });
}
