//! What is served: the last pages that could be made, and what is wrong with the files since.

use std::sync::Arc;
use std::time::Instant;

use trueup_portal::input::Input;
use trueup_portal::live::{Served, Trouble};
use trueup_portal::plantuml::Drawings;
use trueup_portal::{Site, build};

use crate::args::{ErdArgs, ServeArgs, TruthArgs};
use crate::check::{CheckError, Place, find_settings, output};
use crate::portal::plantuml::{self, Album, Which};
use crate::portal::project::Project;
use crate::report::InputError;
use crate::report::text::{SENTENCE, clean};

/// Pages, and whether they show the present files.
pub(super) struct State {
    /// The last good pages; none until there are some.
    pub(super) site: Option<Arc<Site>>,
    /// What is wrong with the files.
    pub(super) troubles: Vec<Trouble>,
    /// Made of all of the above: equal states have equal names, even across a restart.
    pub(super) name: String,
    /// What was set aside when the pages were made.
    notes: String,
}

impl State {
    /// What pages are told about the state that they are served in.
    pub(super) fn served(&self) -> Served<'_> {
        Served { state: &self.name, troubles: &self.troubles }
    }
}

/// Who draws the diagrams, and what was drawn so far: PlantUML is not started for what did not change.
#[derive(Clone, Debug)]
pub(super) struct Studio {
    arguments: ErdArgs,
    album: Arc<Album>,
}

impl Studio {
    /// Says at once, and not only on the pages, that the program is not there.
    ///
    /// # Errors
    /// When somebody wants a PlantUML that is not there.
    pub(super) fn of(arguments: &ServeArgs, place: &Place) -> Result<Self, CheckError> {
        let (root, settings, _) = find_settings(&place.folder);
        plantuml::wanted(&arguments.erd, &settings.portal, &root, place)?;
        Ok(Self { arguments: arguments.erd.clone(), album: Arc::default() })
    }

    /// Has the diagrams drawn; what could not be is in the errors of the project.
    fn draw(&self, project: &mut Project, place: &Place) -> Result<Option<Drawings>, CheckError> {
        if !project.errors.is_empty() {
            return Ok(None);
        }
        let Some(program) = project.plantuml(&self.arguments, place)? else { return Ok(None) };
        match self.album.draw(&program, &project.input(), Which::All)? {
            Ok(drawings) => Ok(Some(drawings)),
            Err(errors) => {
                project.errors = errors;
                Ok(None)
            }
        }
    }
}

/// Reads the files again and makes the pages; tells on the terminal what came of it.
pub(super) fn renew(
    before: Option<&State>,
    truth: &TruthArgs,
    studio: &Studio,
    place: &Place,
) -> Result<State, CheckError> {
    let started = Instant::now();
    let read = Project::read(truth, place).and_then(|mut project| {
        let drawings = studio.draw(&mut project, place)?;
        Ok((project, drawings))
    });
    match read {
        Ok((project, drawings)) if project.errors.is_empty() => {
            let site = Arc::new(build(&Input { drawings: drawings.as_ref(), ..project.input() }));
            let notes = project.notes();
            let mut text = format!("{}, made in {} ms\n", project.size(), started.elapsed().as_millis());
            if before.is_none_or(|before| before.notes != notes) {
                text.push_str(&notes);
            }
            output::print(&text)?;
            Ok(State { name: name(Some(&site), &[]), site: Some(site), troubles: Vec::new(), notes })
        }
        Ok((project, _)) => {
            let troubles = project.errors.iter().map(trouble).collect();
            spoiled(before, troubles, || project.tell_errors("the pages are not made anew", place))
        }
        Err(CheckError::Usage { message, help }) => {
            let text = format!("trueup: {}\n  {}\n", clean(&message, SENTENCE), clean(&help, SENTENCE));
            spoiled(before, vec![Trouble { at: None, message, help }], || output::print(&text))
        }
        Err(error) => Err(error),
    }
}

/// The pages of before, with what is wrong now; it is told once.
fn spoiled(
    before: Option<&State>,
    troubles: Vec<Trouble>,
    tell: impl FnOnce() -> Result<(), CheckError>,
) -> Result<State, CheckError> {
    if before.is_none_or(|before| before.troubles != troubles) {
        tell()?;
        output::print("the pages say so, and show the last state that could be read\n")?;
    }
    let site = before.and_then(|before| before.site.clone());
    let notes = before.map(|before| before.notes.clone()).unwrap_or_default();
    Ok(State { name: name(site.as_deref(), &troubles), site, troubles, notes })
}

fn trouble(error: &InputError) -> Trouble {
    let at = error.location.as_ref().map(|at| format!("{}:{}:{}", at.file, at.line, at.column));
    Trouble { at, message: error.message.clone(), help: error.help.clone() }
}

fn name(site: Option<&Site>, troubles: &[Trouble]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&bytes.len().to_le_bytes());
        hasher.update(bytes);
    };
    for (path, content) in site.iter().flat_map(|site| &site.files) {
        add(path.as_bytes());
        add(content);
    }
    for trouble in troubles {
        add(trouble.at.as_deref().unwrap_or_default().as_bytes());
        add(trouble.message.as_bytes());
        add(trouble.help.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
