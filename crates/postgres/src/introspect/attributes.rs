//! Collects what has no field of its own.

use trueup_model::canonical::Attributes;

/// Attributes under construction: absent values leave no trace.
#[derive(Default)]
pub(super) struct Collected(pub Attributes);

impl Collected {
    /// Adds a value that is there.
    pub(super) fn text(mut self, key: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.to_string());
        }
        self
    }

    /// Adds a list that is not empty, sorted and joined with commas.
    pub(super) fn list(self, key: &str, values: Option<Vec<String>>) -> Self {
        let values = super::catalog::sorted(values);
        self.text(key, (!values.is_empty()).then(|| values.join(", ")))
    }

    /// Adds `true` for a flag that is set.
    pub(super) fn flag(self, key: &str, set: bool) -> Self {
        self.text(key, set.then_some("true"))
    }

    /// All of them.
    pub(super) fn done(self) -> Attributes {
        self.0
    }
}
