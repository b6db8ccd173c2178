//! The diagram of a service as a file of its own.

use trueup_model::declared::DeclaredService;

use crate::erd::elk::Elk;
use crate::erd::{self, draw::Picture};
use crate::lookup::Lookup;

/// The file; none without a table, or where there is no placement.
pub(super) fn picture(input: &Lookup<'_>, service: &DeclaredService) -> Option<String> {
    let name = &service.name.value;
    let colour = input.domain(name).and_then(|at| input.domains.domains[at].color);
    let picture = Picture::of_service(service, input, &Elk);
    let is_known = |name: &str| input.service(name).is_some();
    picture.file(&erd::title(name), colour, &is_known)
}
