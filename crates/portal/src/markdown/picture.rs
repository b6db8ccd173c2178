//! The diagrams of services and of tables as files of their own.

use std::collections::BTreeSet;

use trueup_model::declared::DeclaredService;

use crate::erd::elk::Elk;
use crate::erd::{self, Erd, draw::Picture};
use crate::facts::table_title;
use crate::lookup::Lookup;

/// The file; none without a table, or where there is no placement.
pub(super) fn picture(input: &Lookup<'_>, service: &DeclaredService) -> Option<String> {
    let name = &service.name.value;
    file(input, service, &Picture::of_service(service, input, &Elk), &erd::title(name))
}

/// The file of a table and its direct neighbours.
pub(super) fn neighbourhood(
    input: &Lookup<'_>,
    service: &DeclaredService,
    table: usize,
    neighbours: &BTreeSet<usize>,
) -> Option<String> {
    let picture = Picture::of(Erd::near(service, input.written, table, neighbours), &Elk);
    file(input, service, &picture, &format!("{} and its neighbours", table_title(&service.tables[table])))
}

fn file(input: &Lookup<'_>, service: &DeclaredService, picture: &Picture<'_>, title: &str) -> Option<String> {
    let colour = input.domain(&service.name.value).and_then(|at| input.domains.domains[at].color);
    picture.file(title, colour, &|name| input.service(name).is_some())
}
