//! The diagram of a service as a file of its own.

use trueup_model::declared::DeclaredService;

use crate::erd::Erd;
use crate::erd::draw::Picture;
use crate::erd::elk::Elk;
use crate::input::Input;

/// The file; none without a table, or where there is no placement.
pub(super) fn picture(input: &Input<'_>, service: &DeclaredService) -> Option<String> {
    let name = &service.name.value;
    let colour = input.domains.of(name).and_then(|at| input.domains.domains[at].color);
    let picture = Picture::of(Erd::of(service, input.written), &Elk);
    let is_known = |name: &str| input.declared.services.iter().any(|other| other.name.value == name);
    picture.file(&format!("Entity relationship diagram of {name}"), colour, &is_known)
}
