//! Passwords from a file of libpq's: `host:port:database:user:password`, one to a line, `*` for any.

use std::path::{Path, PathBuf};

use trueup_model::secret::Secret;
use trueup_postgres::session::{Endpoint, Host};

/// What a passfile is looked up with.
pub(super) struct Passfile {
    text: Secret,
}

/// libpq's own, in the user's home.
pub(super) fn usual(home: Option<&Path>) -> Option<PathBuf> {
    home.map(|home| home.join(".pgpass"))
}

impl Passfile {
    /// Reads one; what is to be said when it cannot be used. A file that is not there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, String> {
        let shown = path.display();
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("the password file {shown} is not used: {error}")),
        };
        if !metadata.is_file() {
            return Err(format!("the password file {shown} is not used: it is no file"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if metadata.permissions().mode() & 0o077 != 0 {
                return Err(format!("the password file {shown} is not used: others can read it; chmod 0600 it"));
            }
        }
        let text = std::fs::read_to_string(path);
        text.map(|text| Some(Self { text: Secret::new(text) }))
            .map_err(|error| format!("the password file {shown} is not used: {error}"))
    }

    /// The password of the first line that fits.
    pub(super) fn password(&self, endpoint: &Endpoint) -> Option<Secret> {
        let host = match &endpoint.host {
            // A socket's own folder, or the name that stands for every socket.
            Host::Socket(folder) => folder.to_string_lossy().into_owned(),
            Host::Tcp(name) => name.clone(),
        };
        let is_socket = matches!(endpoint.host, Host::Socket(_));
        let port = endpoint.port.to_string();
        self.text.expose().lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let [own_host, own_port, database, user, password] = fields(line)?;
            let fits = |own: &str, wanted: &str| own == "*" || own == wanted;
            let host_fits = fits(&own_host, &host) || (is_socket && own_host == "localhost");
            let fits =
                host_fits && fits(&own_port, &port) && fits(&database, &endpoint.dbname) && fits(&user, &endpoint.user);
            fits.then(|| Secret::new(password))
        })
    }
}

/// The five fields; a backslash takes the special meaning from a colon or a backslash.
fn fields(line: &str) -> Option<[String; 5]> {
    let mut fields: [String; 5] = Default::default();
    let mut position = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => fields[position].extend(characters.next()),
            ':' if position < 4 => position += 1,
            other => fields[position].push(other),
        }
    }
    (position == 4).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits() {
        let text =
            "# a note\nbroken\ndb:5432:app:me:one\n*:*:*:you:t\\:w\\\\o:x\n/run:5432:*:*:three\nlocalhost:*:s:*:four\n";
        let file = Passfile { text: Secret::new(text) };
        let password = |endpoint: &Endpoint| file.password(endpoint).map(|found| found.expose().to_owned());
        assert_eq!(password(&Endpoint::tcp("db", 5432, "me", "app")).as_deref(), Some("one"));
        assert_eq!(password(&Endpoint::tcp("db", 5433, "me", "app")), None);
        assert_eq!(password(&Endpoint::tcp("db", 1, "you", "x")).as_deref(), Some("t:w\\o:x"));
        assert_eq!(password(&Endpoint::socket("/run", 5432, "me", "x")).as_deref(), Some("three"));
        assert_eq!(password(&Endpoint::socket("/other", 1, "me", "s")).as_deref(), Some("four"));
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        assert!(Passfile::read(&path).unwrap().is_none());
        std::fs::write(&path, "*:*:*:*:x\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Passfile::read(&path).err().unwrap().contains("chmod 0600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Passfile::read(&path).unwrap().is_some());
        assert!(Passfile::read(folder.path()).is_err());
    }
}
