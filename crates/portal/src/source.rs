//! Addresses of lines on GitHub, GitLab or wherever the repository is shown.
//!
//! Made from a remote of git or from what somebody wrote, both hostile: user names and passwords in them never come out
//! again, and every part is encoded.

use trueup_model::location::Location;

/// Where the files of the repository can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLinks {
    form: Form,
    /// Branch or commit, encoded.
    reference: String,
    /// The project root below the top of the repository, with `/` at its end unless it is empty.
    prefix: String,
}

/// How an address is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// `https://host/owner/repository`.
    GitHub(String),
    /// The same, with `/-/` before what is shown.
    GitLab(String),
    /// Text around `{ref}`, `{path}` and `{line}`.
    Template(String),
}

/// Why an address is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not `https://…`, `ssh://…` or `user@host:path`.
    #[error("it is no address of a repository")]
    NotAnAddress,
    /// Neither host nor template tells what addresses of lines look like.
    #[error("its host is neither GitHub nor GitLab")]
    UnknownHost,
}

impl SourceLinks {
    /// Reads the address of a repository, or a template with `{path}` and perhaps `{ref}` and `{line}`.
    ///
    /// # Errors
    /// It is no address, or what addresses of lines look like is not known.
    pub fn parse(address: &str, reference: &str, prefix: &str) -> Result<Self, SourceError> {
        let form = if address.contains("{path}") { template(address)? } else { repository(address)? };
        let folders = prefix.trim_matches('/');
        let prefix = if folders.is_empty() { String::new() } else { format!("{folders}/") };
        Ok(Self { form, reference: encode_path(reference), prefix })
    }

    /// The address of a line.
    pub(crate) fn line(&self, at: &Location) -> String {
        self.address(&at.file, Some(at.line))
    }

    /// The address of a file.
    pub(crate) fn file(&self, path: &str) -> String {
        self.address(path, None)
    }

    /// The address of a commit; none where only a template is known.
    pub(crate) fn commit(&self, id: &str) -> Option<String> {
        let id = encode_path(id);
        match &self.form {
            Form::GitHub(base) => Some(format!("{base}/commit/{id}")),
            Form::GitLab(base) => Some(format!("{base}/-/commit/{id}")),
            Form::Template(_) => None,
        }
    }

    fn address(&self, path: &str, line: Option<u32>) -> String {
        let path = encode_path(&format!("{}{path}", self.prefix));
        let anchor = line.map(|line| format!("#L{line}")).unwrap_or_default();
        match &self.form {
            Form::GitHub(base) => format!("{base}/blob/{}/{path}{anchor}", self.reference),
            Form::GitLab(base) => format!("{base}/-/blob/{}/{path}{anchor}", self.reference),
            Form::Template(text) => {
                let line = line.unwrap_or(1).to_string();
                // What is put in has no braces: they are encoded.
                text.replace("{ref}", &self.reference).replace("{path}", &path).replace("{line}", &line)
            }
        }
    }
}

fn template(text: &str) -> Result<Form, SourceError> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let bare = ["{ref}", "{path}", "{line}"].iter().fold(text.to_owned(), |text, word| text.replace(word, ""));
    let plain = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte));
    if host(authority).is_none() || !plain {
        return Err(SourceError::NotAnAddress);
    }
    Ok(Form::Template(text.to_owned()))
}

fn repository(address: &str) -> Result<Form, SourceError> {
    let (scheme, authority, path) = parts(address.trim()).ok_or(SourceError::NotAnAddress)?;
    // Whatever stands before the last `@` is for logging in.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = host(authority).ok_or(SourceError::NotAnAddress)?;
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let usable = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    if path.split('/').count() < 2 || !path.split('/').all(usable) {
        return Err(SourceError::NotAnAddress);
    }
    let name = host.split(':').next().unwrap_or_default();
    let (scheme, host) = match scheme {
        "http" => ("http", host.as_str()),
        "https" => ("https", host.as_str()),
        // The port of another protocol is not that of the pages.
        _ => ("https", name),
    };
    let base = format!("{scheme}://{host}/{}", encode_path(path));
    if name.contains("gitlab") {
        Ok(Form::GitLab(base))
    } else if name.contains("github") {
        Ok(Form::GitHub(base))
    } else {
        Err(SourceError::UnknownHost)
    }
}

/// Scheme, authority and path of `https://…`, `ssh://…` or `user@host:path`.
fn parts(address: &str) -> Option<(&str, &str, &str)> {
    if let Some((scheme, rest)) = address.split_once("://") {
        let known = ["http", "https", "ssh", "git", "git+ssh"].contains(&scheme);
        let (authority, path) = rest.split_once('/')?;
        return known.then_some((scheme, authority, path));
    }
    let (authority, path) = address.split_once(':')?;
    // `C:\…` and `./a:b` are files.
    let is_host = authority.len() > 1 && !authority.contains(['/', '\\']);
    is_host.then_some(("ssh", authority, path))
}

/// `host` or `host:port`, in lower case, when it is nothing else.
fn host(authority: &str) -> Option<String> {
    let (name, port) = authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port)));
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    (is_name && is_port).then(|| authority.to_ascii_lowercase())
}

/// Percent-encodes everything but letters, digits, `-._~` and the `/` between segments. `..` is taken away with what it
/// follows, for browsers would do so, encoded or not.
fn encode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    for (position, segment) in segments.into_iter().enumerate() {
        if position > 0 {
            out.push('/');
        }
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(address: &str) -> Result<String, SourceError> {
        SourceLinks::parse(address, "main", "").map(|links| links.line(&Location::new("a/b c.sql", 7, 1)))
    }

    #[test]
    fn every_form_of_a_remote_gives_the_same_address() {
        for remote in [
            "https://github.com/acme/library",
            "https://github.com/acme/library.git",
            "https://x-access-token:ghs_secret@github.com/acme/library.git/",
            "https://GitHub.com/acme/library?token=secret#secret",
            "ssh://git@github.com:22/acme/library.git",
            "git@github.com:acme/library.git",
            "git://github.com/acme/library.git",
        ] {
            assert_eq!(
                line(remote).as_deref(),
                Ok("https://github.com/acme/library/blob/main/a/b%20c.sql#L7"),
                "{remote}"
            );
        }
        let own = "https://oauth2:glpat-secret@gitlab.example.org:8443/group/sub/library.git";
        let expected = "https://gitlab.example.org:8443/group/sub/library/-/blob/main/a/b%20c.sql#L7";
        assert_eq!(line(own).as_deref(), Ok(expected));
    }

    #[test]
    fn what_is_no_repository_gives_no_address() {
        for remote in [
            "",
            "/srv/git/library.git",
            "../library",
            "file:///srv/x/y",
            "C:\\x\\y",
            "https://github.com/acme",
            "github.com",
        ] {
            assert_eq!(line(remote), Err(SourceError::NotAnAddress), "{remote}");
        }
        for remote in
            ["javascript:alert(1)//github/x", "https://github.com\"onx=/a/b", "https:///a/b", "ssh://-oProxy=x/a"]
        {
            assert!(line(remote).is_err(), "{remote}");
        }
        assert_eq!(line("https://git.example.org/a/b"), Err(SourceError::UnknownHost));
        assert!(SourceError::UnknownHost.to_string().contains("GitLab"));
    }

    #[test]
    fn a_template_says_where_things_go() {
        let address = "https://dev.azure.com/o/p/_git/r?path=/{path}&version=GB{ref}&line={line}";
        let links = SourceLinks::parse(address, "release/1", "/sub folder/").unwrap();
        let expected = "https://dev.azure.com/o/p/_git/r?path=/sub%20folder/x.sql&version=GBrelease/1&line=3";
        assert_eq!(links.line(&Location::new("x.sql", 3, 1)), expected);
        assert_eq!(links.line(&Location::new("../sub folder/./x.sql", 3, 1)), expected);
        for wrong in ["javascript:{path}", "https://u:p@h/{path}", "https://h/\"{path}", "{path}", "https://{path}/x"] {
            assert!(SourceLinks::parse(wrong, "main", "").is_err(), "{wrong}");
        }
    }

    proptest! {
        /// Whatever stands in remote, reference, folder and file: an address has its scheme, no quotes, no blanks, no
        /// climbing segments, and nothing of the login.
        #[test]
        fn addresses_are_plain(login in "[a-z]{3,9}~[A-Z0-9]{6}", path in "\\PC{0,20}", reference in any::<String>(), file in any::<String>()) {
            let remote = format!("https://{login}:{login}@gitlab.com/a/{path}");
            if let Ok(links) = SourceLinks::parse(&remote, &reference, &file) {
                let address = links.line(&Location::new(file.as_str(), 1, 1));
                prop_assert!(address.starts_with("https://gitlab.com/a/"), "{}", address);
                prop_assert!(!address.contains(&login), "{}", address);
                prop_assert!(!address.split('/').any(|segment| segment == ".." || segment == "."), "{}", address);
                prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>`\\".contains(&byte)), "{}", address);
            }
        }
    }
}
