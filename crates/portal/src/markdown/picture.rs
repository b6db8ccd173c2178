//! The diagrams of services and of tables as files of their own.

use std::collections::BTreeSet;

use trueup_model::declared::DeclaredService;

use crate::erd::elk::Elk;
use crate::erd::{self, Erd, draw::Picture};
use crate::facts::table_title;
use crate::lookup::Lookup;
use crate::puml;
use crate::site::{Sink, Stopped};

/// A diagram, and the same as PlantUML source.
pub(super) struct Files {
    svg: String,
    puml: String,
}

impl Files {
    /// Puts both beside each other; `path` is without an ending.
    pub(super) fn put(self, path: &str, sink: &dyn Sink) -> Result<(), Stopped> {
        sink.file(format!("{path}.svg"), self.svg.into_bytes())?;
        sink.file(format!("{path}.puml"), self.puml.into_bytes())
    }
}

/// The diagram of a service; none without a table, or where there is no placement.
pub(super) fn picture(input: &Lookup<'_>, service: &DeclaredService) -> Option<Files> {
    let name = &service.name.value;
    file(input, service, &Picture::of_service(service, input, &Elk), &erd::title(name))
}

/// The diagram of a table and its direct neighbours.
pub(super) fn neighbourhood(
    input: &Lookup<'_>,
    service: &DeclaredService,
    table: usize,
    neighbours: &BTreeSet<usize>,
) -> Option<Files> {
    let picture = Picture::of(Erd::near(service, input.written, table, neighbours), &Elk);
    file(input, service, &picture, &format!("{} and its neighbours", table_title(&service.tables[table])))
}

fn file(input: &Lookup<'_>, service: &DeclaredService, picture: &Picture<'_>, title: &str) -> Option<Files> {
    let colour = input.domain(&service.name.value).and_then(|at| input.domains.domains[at].color);
    let svg = picture.file(title, colour, &|name| input.service(name).is_some())?;
    Some(Files { svg, puml: puml::source(title, &picture.erd) })
}
