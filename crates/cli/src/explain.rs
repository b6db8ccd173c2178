//! What a rule means, for `--explain` and the documentation.
