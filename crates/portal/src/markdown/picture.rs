//! The diagram of a service as a file of its own.

use trueup_model::declared::DeclaredService;

use crate::erd::Erd;
use crate::erd::draw::{Targets, draw};
use crate::erd::elk::Elk;
use crate::input::Input;
use crate::markup::Markup;

/// What the pages' stylesheet does for a picture inside of them; light and dark follow the reader's system.
const STYLE: &str = include_str!("../../assets/picture.css");

/// The file; none without a table, or where there is no placement.
pub(super) fn picture(input: &Input<'_>, service: &DeclaredService) -> Option<String> {
    if service.tables.is_empty() {
        return None;
    }
    let mut out = Markup::default();
    let anchors = vec!["erd-title".to_owned(); service.tables.len()];
    let targets = Targets { tables: &anchors, service: &|_| None };
    draw(&Erd::of(service, input.written), &service.name.value, &targets, &Elk, &mut out);
    let drawn = out.finish();
    // Without a placement there is a sentence instead.
    let (attributes, inside) = drawn.strip_prefix("<svg ")?.split_once('>')?;
    let colour = input.domains.of(&service.name.value).and_then(|at| input.domains.domains[at].color);
    let colour = colour.map(|colour| format!("svg{{--domain:{}}}\n", colour.hex())).unwrap_or_default();
    Some(format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {attributes}><style>\n{STYLE}{colour}</style>{inside}"))
}
