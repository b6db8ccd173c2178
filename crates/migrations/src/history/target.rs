//! `target`: up to which version.

use crate::version::Version;

/// Up to which version migrations run. Repeatables run whatever it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// All.
    #[default]
    Latest,
    /// None beyond the highest applied one.
    Current,
    /// Up to the first pending one.
    Next,
    /// Up to this version.
    Version {
        /// The version.
        version: Version,
        /// Whether some migration must have it (`N`, not `N?`).
        required: bool,
    },
}

/// A target that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither one of the words nor a version.
    #[error("`{0}` is no target: write latest, current, next, a version, or a version with a question mark")]
    Malformed(String),
    /// A version that neither a file nor a row has.
    #[error("no migration has the version {0} of `target`; write `{0}?` if it may be missing")]
    NoSuchVersion(String),
}

impl Target {
    /// Reads the setting `target`.
    ///
    /// # Errors
    /// Neither one of its words nor a version.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "latest" | "" => Ok(Self::Latest),
            "current" => Ok(Self::Current),
            "next" => Ok(Self::Next),
            other => {
                let (version, required) = other.strip_suffix('?').map_or((other, true), |version| (version, false));
                let version = Version::parse(version).ok_or_else(|| TargetError::Malformed(text.to_owned()))?;
                Ok(Self::Version { version, required })
            }
        }
    }
}
