//! What only the migrations know, shown where the YAML would say it.

use trueup_model::declared::{DeclaredService, DeclaredTable};
use trueup_model::finding::Finding;
use trueup_model::rule::Rule;

use crate::lookup::Lookup;

/// How many objects are named in one place.
pub(crate) const SHOWN: usize = 60;

/// What stands before the names.
pub(crate) const LABEL: &str = "In the migrations only: ";

/// Columns and indexes of a table that the YAML does not declare. Whatever the schema: the finding says which it is.
pub(crate) fn of_table<'a>(input: &Lookup<'a>, service: &DeclaredService, table: &DeclaredTable) -> Vec<&'a Finding> {
    let findings = input.findings(&service.name.value).iter().copied();
    let is_member = |finding: &&Finding| {
        matches!(finding.rule, Rule::UndeclaredColumn | Rule::UndeclaredIndex)
            && finding.object.path.get(1) == Some(&table.name.value)
    };
    findings.filter(is_member).collect()
}

/// Tables of a service that the YAML does not declare.
pub(crate) fn tables<'a>(input: &Lookup<'a>, service: &DeclaredService) -> Vec<&'a Finding> {
    let findings = input.findings(&service.name.value).iter().copied();
    findings.filter(|finding| finding.rule == Rule::UndeclaredTable).collect()
}

/// What a finding is about, and its name: `index`, `idx_a`. Columns and tables need no word.
pub(crate) fn name(finding: &Finding) -> (&'static str, &str) {
    let word = if finding.rule == Rule::UndeclaredIndex { "index " } else { "" };
    (word, finding.object.path.last().map_or("", |name| name.as_str()))
}
