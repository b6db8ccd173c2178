//! Diagrams by a PlantUML that is installed: which one, what it draws, and what is wrong with what it drew.

mod pipe;
mod program;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use trueup_portal::input::Input;
use trueup_portal::plantuml::{Content, Diagram, Drawing, Drawings, Refused, Source, sources};

use crate::check::CheckError;
use crate::report::InputError;
pub(super) use program::{Program, wanted};

/// What was drawn so far in this process. A picture is drawn again only when its source is another, or its PlantUML.
#[derive(Debug, Default)]
pub(super) struct Album(Mutex<Pictures>);

#[derive(Debug, Default)]
struct Pictures {
    by: Option<Program>,
    drawn: HashMap<Content, Arc<Drawing>>,
}

/// Which pictures an output has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those of services, and the map.
    All,
    /// Those of services.
    Services,
}

/// The pictures, or what is wrong with each that PlantUML could not draw.
pub(super) type Drawn = Result<Drawings, Vec<InputError>>;

impl Album {
    /// Has everything drawn that is not in the album yet, in one run of PlantUML.
    ///
    /// # Errors
    /// When PlantUML cannot run.
    pub(super) fn draw(&self, program: &Program, input: &Input<'_>, which: Which) -> Result<Drawn, CheckError> {
        let mut sources = sources(input);
        sources.retain(|source| which == Which::All || source.of != Diagram::Map);
        let mut pictures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pictures.by.as_ref() != Some(program) {
            *pictures = Pictures { by: Some(program.clone()), ..Pictures::default() };
        }
        // What nothing shows any more is forgotten.
        let shown: HashSet<&Content> = sources.iter().map(|source| &source.content).collect();
        pictures.drawn.retain(|content, _| shown.contains(content));
        let missing: Vec<&Source> =
            sources.iter().filter(|source| !pictures.drawn.contains_key(&source.content)).collect();
        let errors = add(&mut pictures.drawn, &missing, program)?;
        if !errors.is_empty() {
            return Ok(Err(errors));
        }
        let drawn = |source: Source| Some((source.of, Arc::clone(pictures.drawn.get(&source.content)?)));
        Ok(Ok(sources.into_iter().filter_map(drawn).collect()))
    }
}

/// Draws, and keeps what is a picture; what is wrong with the others.
fn add(
    drawn: &mut HashMap<Content, Arc<Drawing>>,
    missing: &[&Source],
    program: &Program,
) -> Result<Vec<InputError>, CheckError> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<&str> = missing.iter().map(|source| source.content.text.as_str()).collect();
    let answer = pipe::draw(program, &texts)?;
    let mut errors = Vec::new();
    for (source, picture) in missing.iter().zip(&answer.pictures) {
        match Drawing::read(&source.content, picture) {
            Ok(drawing) => {
                drawn.insert(source.content.clone(), Arc::new(drawing));
            }
            Err(Refused::NoGraphviz(said)) => return Err(no_graphviz(&said)),
            Err(refused) => errors.push(error(source, &refused)),
        }
    }
    // It says that something is wrong, and every picture looks right: one of the two is not true.
    if errors.is_empty() && !answer.status.success() {
        return Err(answer.failed(program));
    }
    Ok(errors)
}

fn error(source: &Source, refused: &Refused) -> InputError {
    let of = match &source.of {
        Diagram::Service(name) => format!("the diagram of `{name}`"),
        Diagram::Map => "the map of all services".to_owned(),
    };
    InputError {
        location: source.at.clone(),
        message: format!("{of}: {refused}"),
        help: format!(
            "build without --erd plantuml, and let PlantUML draw {}.puml to see more; or try another release of it",
            source.content.file
        ),
    }
}

fn no_graphviz(said: &str) -> CheckError {
    CheckError::Usage {
        message: format!("PlantUML cannot find Graphviz, which places its boxes: {said}"),
        help: "install it (apt-get install graphviz), let GRAPHVIZ_DOT name its program `dot`, or leave out --erd plantuml"
            .to_owned(),
    }
}
