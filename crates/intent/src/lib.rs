//! The intent: YAML to a spanned document, to declared schemas. Confines YAML.
