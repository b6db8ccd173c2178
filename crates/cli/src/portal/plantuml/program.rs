//! Where PlantUML is: named by somebody, or on the PATH.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::{ErdArgs, ErdEngine};
use crate::check::{CheckError, Place};
use crate::settings::PortalSettings;

/// A PlantUML that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::portal) struct Program {
    /// As messages call it.
    pub(super) name: String,
    program: PathBuf,
    first: Vec<OsString>,
}

/// The PlantUML that somebody wants to draw the diagrams; none when they are drawn by trueup. A flag outranks the file.
///
/// # Errors
/// When it is not there, or named and not wanted.
pub(in crate::portal) fn wanted(
    arguments: &ErdArgs,
    settings: &PortalSettings,
    root: &Path,
    place: &Place,
) -> Result<Option<Program>, CheckError> {
    if arguments.erd.or(settings.erd).unwrap_or_default() == ErdEngine::Trueup {
        return match &arguments.plantuml {
            Some(_) => Err(usage("--plantuml is for diagrams by PlantUML", "add --erd plantuml")),
            None => Ok(None),
        };
    }
    let named = match (&arguments.plantuml, &settings.plantuml) {
        (Some(path), _) => Some((path.clone(), place.folder.as_path())),
        (None, Some(path)) => Some((PathBuf::from(&path.value), root)),
        (None, None) => None,
    };
    match named {
        Some((path, folder)) => Program::named(&path, folder).map(Some),
        None => Program::installed().map(Some),
    }
}

impl Program {
    /// A jar, a program, or the name of a program on the PATH.
    fn named(path: &Path, folder: &Path) -> Result<Self, CheckError> {
        let file = folder.join(path);
        let is_jar = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("jar"));
        if file.is_file() {
            return if is_jar { Self::jar(&file) } else { Ok(Self::command(file)) };
        }
        let is_name = path.components().count() == 1 && path.parent() == Some(Path::new("")) && !is_jar;
        if let Some(found) = is_name.then(|| on_path(path)).flatten() {
            return Ok(Self::command(found));
        }
        let places = if is_name { " and no program of that name on the PATH" } else { "" };
        Err(usage(
            &format!("there is no file {}{places}", file.display()),
            "name a plantuml.jar or a command that runs PlantUML after --plantuml",
        ))
    }

    /// `plantuml` on the PATH.
    fn installed() -> Result<Self, CheckError> {
        on_path(Path::new("plantuml")).map(Self::command).ok_or_else(|| {
            usage(
                "--erd plantuml needs PlantUML, and there is no `plantuml` on the PATH",
                "install it (apt-get install plantuml graphviz), name it (--plantuml plantuml.jar), or leave out --erd \
                 plantuml: the diagrams are then drawn by trueup",
            )
        })
    }

    fn command(program: PathBuf) -> Self {
        Self { name: program.display().to_string(), program, first: Vec::new() }
    }

    fn jar(jar: &Path) -> Result<Self, CheckError> {
        let home = std::env::var_os("JAVA_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let home = home.map(|home| home.join("bin").join(format!("java{EXE_SUFFIX}"))).filter(|java| java.is_file());
        let java = home.or_else(|| on_path(Path::new("java"))).ok_or_else(|| {
            usage(
                &format!("{} needs Java, which is neither in JAVA_HOME/bin nor on the PATH", jar.display()),
                "install it (apt-get install default-jre-headless), or let JAVA_HOME name its folder",
            )
        })?;
        let first = vec!["-Djava.awt.headless=true".into(), "-jar".into(), jar.as_os_str().to_owned()];
        Ok(Self { name: jar.display().to_string(), program: java, first })
    }

    /// The beginning of a command line.
    pub(super) fn start(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.first);
        command
    }
}

/// A program on the PATH. Folders that depend on where one is are passed over: a repository must not choose the program.
fn on_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut file = name.as_os_str().to_owned();
    if name.extension().is_none() {
        file.push(EXE_SUFFIX);
    }
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|file| file.is_file())
}

fn usage(message: &str, help: &str) -> CheckError {
    CheckError::Usage { message: message.to_owned(), help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: CheckError) -> String {
        let CheckError::Usage { message, help } = error else { panic!("{error}") };
        format!("{message}; {help}")
    }

    #[test]
    fn what_is_named_is_a_jar_or_a_command_and_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("draw"), "").unwrap();
        let command = Program::named(Path::new("./draw"), folder.path()).unwrap();
        assert_eq!((command.program, command.first.len()), (folder.path().join("./draw"), 0));
        // Every machine has this one, on its PATH.
        #[cfg(unix)]
        assert!(Program::named(Path::new("sh"), folder.path()).unwrap().program.ends_with("sh"));
        let missing = said(Program::named(Path::new("no-such-program"), folder.path()).unwrap_err());
        assert!(missing.contains("there is no file") && missing.contains("on the PATH"), "{missing}");
        let missing = said(Program::named(Path::new("lib/plantuml.jar"), folder.path()).unwrap_err());
        assert!(missing.contains("lib/plantuml.jar;") && missing.contains("--plantuml"), "{missing}");
    }

    #[test]
    fn flags_outrank_the_file() {
        let place = Place { folder: std::env::temp_dir(), color: Default::default(), cache: std::env::temp_dir() };
        let settings = PortalSettings { erd: Some(ErdEngine::Plantuml), ..PortalSettings::default() };
        let asked = |erd, plantuml: Option<&str>| ErdArgs { erd, plantuml: plantuml.map(PathBuf::from) };
        let wanted =
            |arguments: &ErdArgs, settings: &PortalSettings| wanted(arguments, settings, &place.folder, &place);
        assert_eq!(wanted(&asked(None, None), &PortalSettings::default()).unwrap(), None);
        assert_eq!(wanted(&asked(Some(ErdEngine::Trueup), None), &settings).unwrap(), None);
        let none = said(wanted(&asked(None, Some("no/such.jar")), &settings).unwrap_err());
        assert!(none.contains("such.jar"), "{none}");
        let alone = said(wanted(&asked(None, Some("no/such.jar")), &PortalSettings::default()).unwrap_err());
        assert_eq!(alone, "--plantuml is for diagrams by PlantUML; add --erd plantuml");
    }
}
