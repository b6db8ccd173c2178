//! The page of one table, where its service is too large for one page.

use trueup_model::declared::DeclaredService;

use super::pages::{Book, href};
use super::section::Setting;
use super::stages::Stages;
use super::text::{Inline, Markdown};
use crate::facts::table_title;
use crate::links::Page;

impl Book<'_> {
    /// The page of a table. `picture` is the address of the picture of it and its neighbours.
    pub(super) fn table(
        &self,
        service: &DeclaredService,
        position: usize,
        stages: Option<&Stages<'_>>,
        picture: Option<&str>,
    ) -> Option<String> {
        let table = &service.tables[position];
        let (page, home) = (self.links.page_of(service, table)?, self.links.service(&service.name.value)?);
        let mut out = Markdown::default();
        let anchor = self.links.table(service, table);
        out.heading(1, &anchor, &Inline::of_code(&table_title(table)));
        let mut trail = Inline::new();
        trail.link(&href(&page, &Page::Home), &Inline::of("Services")).text(" / ");
        trail.link(&href(&page, &home), &Inline::of(&service.name.value)).text(" / ").code(&table_title(table));
        out.paragraph(&trail);
        let home = href(&page, &home);
        let other = |other: &Page| Some(href(&page, other));
        let to_table = |table: &_| self.to_table(&page, service, table).unwrap_or_default();
        let setting = Setting {
            input: self.input,
            links: self.links,
            picture,
            other: &other,
            prefix: "",
            table: &to_table,
            stages,
            home: Some(&home),
            lists_tables: false,
        };
        setting.about(table, &mut out);
        let mut line = Inline::new();
        if let Some(picture) = picture {
            line.picture(picture, &format!("{} and its neighbours", table_title(table)));
        }
        out.paragraph(&line);
        setting.body(service, position, &anchor, &mut out);
        Some(out.finish())
    }
}
