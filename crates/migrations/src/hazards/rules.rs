//! Which of squawk's rules are about a hazard. The others are about style, or about scripts that trueup runs well.

use squawk_linter::Rule;

use super::Danger;

const RULES: &[(Rule, Danger)] = &[
    (Rule::BanDropColumn, Danger::Data),
    (Rule::BanDropTable, Danger::Data),
    (Rule::BanDropSchema, Danger::Data),
    (Rule::BanDropDatabase, Danger::Data),
    (Rule::BanTruncateCascade, Danger::Data),
    (Rule::AddingRequiredField, Danger::Failure),
    (Rule::RequireConcurrentIndexCreation, Danger::Lock),
    (Rule::RequireConcurrentIndexDeletion, Danger::Lock),
    (Rule::RequireConcurrentReindex, Danger::Lock),
    (Rule::RequireConcurrentPartitionDetach, Danger::Lock),
    (Rule::ConstraintMissingNotValid, Danger::Lock),
    (Rule::AddingFieldWithDefault, Danger::Lock),
    (Rule::AddingForeignKeyConstraint, Danger::Lock),
    (Rule::AddingNotNullableField, Danger::Lock),
    (Rule::AddingSerialPrimaryKeyField, Danger::Lock),
    (Rule::DisallowedUniqueConstraint, Danger::Lock),
    (Rule::ChangingColumnType, Danger::Lock),
    (Rule::BanAlterDomainWithAddConstraint, Danger::Lock),
    (Rule::PreferRepack, Danger::Lock),
    (Rule::RenamingColumn, Danger::Callers),
    (Rule::RenamingTable, Danger::Callers),
    (Rule::RenamingObject, Danger::Callers),
    (Rule::BanSetSchema, Danger::Callers),
    (Rule::BanDropView, Danger::Callers),
    (Rule::BanDropFunction, Danger::Callers),
    (Rule::BanDropType, Danger::Callers),
    (Rule::BanDropDomain, Danger::Callers),
    (Rule::BanDropSequence, Danger::Callers),
];

pub(super) fn all() -> impl Iterator<Item = Rule> {
    RULES.iter().map(|(rule, _)| *rule)
}

/// What is lost, where squawk only speaks of programs.
pub(super) fn message(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::BanDropColumn => "The column's data is lost, and programs that use it fail.",
        Rule::BanDropTable => "The table's data is lost, and programs that use it fail.",
        Rule::BanDropSchema => "Everything in the schema is lost, and programs that use it fail.",
        Rule::BanDropDatabase => "Everything in the database is lost.",
        Rule::BanTruncateCascade => "Every row of the table is removed, and of every table that refers to it.",
        _ => return None,
    })
}

pub(super) fn danger(rule: Rule) -> Option<Danger> {
    RULES.iter().find(|(known, _)| *known == rule).map(|(_, danger)| *danger)
}
