//! The diagram of a service as a file of its own.

use trueup_model::declared::DeclaredService;

use crate::erd::Erd;
use crate::erd::draw::Picture;
use crate::erd::elk::Elk;
use crate::lookup::Lookup;

/// The file; none without a table, or where there is no placement.
pub(super) fn picture(input: &Lookup<'_>, service: &DeclaredService) -> Option<String> {
    let name = &service.name.value;
    let colour = input.domain(name).and_then(|at| input.domains.domains[at].color);
    let picture = Picture::of(Erd::of(service, input.written), &Elk);
    let is_known = |name: &str| input.service(name).is_some();
    picture.file(&format!("Entity relationship diagram of {name}"), colour, &is_known)
}
