//! Pages that a team keeps itself, with sections that are put into them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use trueup_model::location::Location;
use trueup_portal::markdown::Sections;
use trueup_portal::markdown::place::place;

use crate::check::CheckError;
use crate::report::InputError;

/// A page as it is, and as it should be.
#[derive(Debug)]
pub(super) struct OwnPage {
    /// As it was asked for.
    pub(super) name: String,
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl OwnPage {
    /// Reads a page and puts its sections in, in memory.
    fn read(
        asked: &Path,
        folder: &Path,
        pictures: &Pictures<'_>,
        sections: &Sections<'_>,
    ) -> Result<Self, Vec<InputError>> {
        let name = asked.to_string_lossy().into_owned();
        let whole = |message: String, help: &str| vec![InputError::at(Location::whole(name.as_str()), message, help)];
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                whole("the page is not there".to_owned(), "write it first, with its markers")
            }
            _ => whole(format!("cannot be read: {error}"), "name a Markdown page after --page"),
        };
        // Behind a link lies the page itself.
        let path = folder.join(asked).canonicalize().map_err(unreadable)?;
        let before = std::fs::read(&path).map_err(unreadable)?;
        let own = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let prefix = pictures.from(path.parent().unwrap_or(folder));
        let section = |service: &str, is_alone: bool| sections.section(service, &prefix, is_alone);
        let after = place(&before, &own, &section).map_err(|errors| {
            let at = |line: usize| match u32::try_from(line) {
                Ok(line) if line > 0 => Location::new(name.as_str(), line, 1),
                _ => Location::whole(name.as_str()),
            };
            errors
                .into_iter()
                .map(|error| InputError::at(at(error.line), error.message, error.help))
                .collect::<Vec<_>>()
        })?;
        Ok(Self { name, path, before, after })
    }

    /// Whether it holds what a build would put there.
    pub(super) fn is_current(&self) -> bool {
        self.before == self.after
    }

    /// Never half a page: written beside it, with its permissions, then renamed.
    fn write(&self) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".trueup-").tempfile_in(folder)?;
        file.write_all(&self.after)?;
        file.as_file().set_permissions(std::fs::metadata(&self.path)?.permissions())?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Where the pictures are, as seen from a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pictures<'a> {
    /// What somebody said leads to them.
    pub(super) said: Option<&'a str>,
    /// The folder that they are written to.
    pub(super) folder: &'a Path,
}

impl Pictures<'_> {
    fn from(&self, page: &Path) -> String {
        self.said.map_or_else(|| relative(page, &real(self.folder)), str::to_owned)
    }
}

/// All pages, each once, or everything that is wrong with them.
pub(super) fn read(
    asked: &[PathBuf],
    folder: &Path,
    pictures: Pictures<'_>,
    sections: &Sections<'_>,
    errors: &mut Vec<InputError>,
) -> Vec<OwnPage> {
    let (mut pages, mut seen): (Vec<OwnPage>, _) = (Vec::new(), BTreeSet::new());
    for page in asked {
        match OwnPage::read(page, folder, &pictures, sections) {
            Ok(page) if seen.insert(page.path.clone()) => pages.push(page),
            Ok(_) => {}
            Err(wrong) => errors.extend(wrong),
        }
    }
    pages
}

/// Writes those that are not current; how many.
pub(super) fn write(pages: &[OwnPage]) -> Result<usize, CheckError> {
    let stale: Vec<&OwnPage> = pages.iter().filter(|page| !page.is_current()).collect();
    for page in &stale {
        page.write().map_err(|error| CheckError::Usage {
            message: format!("{}: {error}", page.name),
            help: "make the page and its folder writable".to_owned(),
        })?;
    }
    Ok(stale.len())
}

/// The folder without links in it; what is not there yet is taken as it is written.
fn real(folder: &Path) -> PathBuf {
    let mut missing = Vec::new();
    for there in folder.ancestors() {
        if let Ok(real) = there.canonicalize() {
            return missing.iter().rev().fold(real, |path, part: &&std::ffi::OsStr| path.join(part));
        }
        missing.extend(there.file_name());
    }
    folder.to_owned()
}

/// The address of a folder as seen from another, with a slash at its end; empty for the same.
fn relative(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut address = "../".repeat(from.len() - common);
    for part in &to[common..] {
        encode(&part.as_os_str().to_string_lossy(), &mut address);
        address.push('/');
    }
    address
}

/// Everything but letters, digits and `-._` as `%20`.
fn encode(part: &str, out: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_from_one_folder_to_another() {
        let address = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(address("/a/docs/services", "/a/docs/data stores"), "../data%20stores/");
        assert_eq!(address("/a", "/a"), "");
        assert_eq!(address("/a", "/a/b/c"), "b/c/");
        assert_eq!(address("/a/b", "/a"), "../");
    }
}
