//! Indexes: by name first, then by definition, and only then missing or undeclared.

use std::collections::BTreeSet;

use super::keys::{declared_name, list};
use super::tables::Both;
use super::{Produced, Sides};
use crate::canonical::{Index, IndexColumn, Key, Table};
use crate::declared::{DeclaredIndex, IndexTerm};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::lowered::Item;
use crate::name::Identifier;
use crate::rule::Rule;

/// What the declared side has already accounted for on the replayed side, by name.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) indexes: BTreeSet<Identifier>,
    /// Unique constraints.
    pub(super) constraints: BTreeSet<Identifier>,
    /// Which of them stands for which declared index.
    pub(super) produced: Vec<Produced>,
}

impl Claims {
    fn index(&mut self, both: &Both<'_>, declared: &DeclaredIndex, found: &Identifier) {
        self.indexes.insert(found.clone());
        self.note(both, declared, ObjectKind::Index, found);
    }

    fn constraint(&mut self, both: &Both<'_>, declared: &DeclaredIndex, found: &Identifier) {
        self.constraints.insert(found.clone());
        self.note(both, declared, ObjectKind::Constraint, found);
    }

    fn note(&mut self, both: &Both<'_>, declared: &DeclaredIndex, kind: ObjectKind, found: &Identifier) {
        self.produced.push(Produced {
            declared: ObjectPath::member(ObjectKind::Index, &both.pair.declared, &declared.name.value),
            replayed: ObjectPath::member(kind, both.name, found),
        });
    }
}

/// Each declared index: there, renamed, different or missing.
pub(super) fn declared(sides: &Sides<'_>, both: &Both<'_>, findings: &mut Vec<Finding>) -> Claims {
    let mut matching = Matching { sides, both, claims: Claims::default(), findings };
    let mut open: Vec<_> = both.details.indexes.iter().collect();
    open.retain(|index| !matching.by_name(index));
    open.retain(|index| !matching.by_former_name(index));
    open.into_iter().for_each(|index| matching.by_definition(index));
    matching.claims
}

/// The search for the partner of each declared index, and what it has found.
struct Matching<'a, 'b> {
    sides: &'b Sides<'a>,
    both: &'b Both<'a>,
    claims: Claims,
    findings: &'b mut Vec<Finding>,
}

impl Matching<'_, '_> {
    /// Claims what has the declared name. True when there was something to claim.
    fn by_name(&mut self, index: &DeclaredIndex) -> bool {
        let (name, replayed) = (&index.name.value, self.both.replayed);
        let expected = expected(self.both, index);
        if let Some(found) = replayed.indexes.iter().find(|found| &found.name == name) {
            self.claims.index(self.both, index, name);
            let differs = expected.filter(|expected| definition(expected) != definition(found));
            self.differs(index, differs, name, || definition(found));
            return true;
        }
        let Some(found) = replayed.unique.iter().find(|found| &found.name == name) else { return false };
        self.claims.constraint(self.both, index, name);
        let differs = expected.filter(|expected| !equals_constraint(expected, found));
        self.differs(index, differs, name, || constraint_words(found));
        true
    }

    /// Claims what has the former name that `renamed_from` gives: the rename is owed. True when there was something to
    /// claim.
    fn by_former_name(&mut self, index: &DeclaredIndex) -> bool {
        let Some(former) = index.renamed_from.as_ref().map(|former| &former.value) else { return false };
        if self.claims.indexes.contains(former) || is_declared_name(self.both, former) {
            return false;
        }
        let Some(found) = self.both.replayed.indexes.iter().find(|found| &found.name == former) else { return false };
        self.claims.index(self.both, index, former);
        self.findings.push(renamed(self.sides, self.both, index, found));
        let differs = expected(self.both, index).filter(|expected| definition(expected) != definition(found));
        self.differs(index, differs, former, || definition(found));
        true
    }

    /// Claims what equals the declared index under another name; else the index is missing.
    fn by_definition(&mut self, index: &DeclaredIndex) {
        let (sides, both) = (self.sides, self.both);
        let Some(expected) = expected(both, index) else { return self.by_columns(index) };
        let claims = &mut self.claims;
        let free = |found: &&Index| !claims.indexes.contains(&found.name) && !is_declared_name(both, &found.name);
        let equal = both.replayed.indexes.iter().filter(free).find(|found| definition(found) == definition(expected));
        if let Some(found) = equal {
            claims.index(both, index, &found.name);
            self.findings.push(renamed(sides, both, index, found));
            return;
        }
        let mut constraints = both.replayed.unique.iter().filter(|found| !claims.constraints.contains(&found.name));
        if let Some(found) = constraints.find(|found| equals_constraint(expected, found)) {
            claims.constraint(both, index, &found.name);
        } else if let Some(key) = equal_primary_key(expected, both.replayed) {
            claims.note(both, index, ObjectKind::Constraint, &key.name);
        } else {
            self.findings.push(missing(sides, both, index, Some(expected)));
        }
    }

    /// For an index that could not be lowered. Existence is still compared when only an extension is lacking; what was
    /// not understood is said once.
    fn by_columns(&mut self, index: &DeclaredIndex) {
        let claimed = claim_by_columns(self.both, index, &mut self.claims);
        let refusal = self.both.lowered.refusal(&Item::Index(index.name.value.clone()));
        if !claimed && refusal.is_some_and(|refusal| refusal.missing_extension) {
            self.findings.push(missing(self.sides, self.both, index, None));
        }
    }

    /// Notes a difference, where there is one, to what was found under `found_name`.
    fn differs(
        &mut self,
        index: &DeclaredIndex,
        expected: Option<&Index>,
        found_name: &Identifier,
        found: impl FnOnce() -> String,
    ) {
        let Some(expected) = expected else { return };
        self.findings.push(differs_from(self.sides, self.both, index, expected, found_name, &found()));
    }
}

/// An index that the YAML declares elsewhere in the table is that one's partner, not this one's.
fn is_declared_name(both: &Both<'_>, name: &Identifier) -> bool {
    both.details.indexes.iter().any(|index| &index.name.value == name)
}

/// For an index of which only names are understood: claims one over the same plain columns.
fn claim_by_columns(both: &Both<'_>, index: &DeclaredIndex, claims: &mut Claims) -> bool {
    let terms = index.keys.iter().map(|key| match &key.term {
        IndexTerm::Column(column) => Some(both.pair.replayed_column(column).as_str().to_owned()),
        IndexTerm::Expression(_) => None,
    });
    let Some(columns) = terms.collect::<Option<Vec<String>>>().filter(|columns| !columns.is_empty()) else {
        return false;
    };
    let free = both.replayed.indexes.iter().filter(|found| !claims.indexes.contains(&found.name));
    let mut same = free.filter(|found| found.keys.iter().map(|key| &key.term).eq(columns.iter()));
    let Some(found) = same.next() else { return false };
    claims.index(both, index, &found.name);
    true
}

/// The declared index as PostgreSQL prints it, on the replayed side's names and types where it accepts those.
fn expected<'a>(both: &Both<'a>, index: &DeclaredIndex) -> Option<&'a Index> {
    let item = Item::Index(index.name.value.clone());
    if index.not_understood || both.lowered.refusal(&item).is_some() {
        return None;
    }
    let usable = both.lowered.paired.as_ref().filter(|_| !both.lowered.refused_paired.contains(&item));
    let table = usable.unwrap_or(&both.lowered.declared);
    table.indexes.iter().find(|found| found.name == index.name.value)
}

fn missing(sides: &Sides<'_>, both: &Both<'_>, index: &DeclaredIndex, expected: Option<&Index>) -> Finding {
    let path = ObjectPath::member(ObjectKind::Index, &both.pair.declared, &index.name.value);
    let words = expected.map_or_else(|| "as declared".to_owned(), definition);
    let finding = Finding::new(Rule::MissingIndex, sides.name(), path.clone())
        .message(format!("index `{path}` {words} is declared and no migration creates it"))
        .help("write a migration with CREATE INDEX CONCURRENTLY, in a file of its own")
        .sides(&words, "")
        .in_intent(Some(&index.name.at));
    match expected.filter(|expected| columns_exist(both, expected)) {
        Some(expected) => finding.fix(create(both, expected)),
        None => finding,
    }
}

/// Whether the statement could run today: an index on a missing column waits for the column.
fn columns_exist(both: &Both<'_>, index: &Index) -> bool {
    let mut plain = index.keys.iter().filter(|key| key.is_column);
    plain.all(|key| both.replayed.column(&key.term.as_str().into()).is_some())
        && index.include.iter().all(|column| both.replayed.column(column).is_some())
}

fn create(both: &Both<'_>, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let keys: Vec<_> = index.keys.iter().map(|key| key_sql(key, true)).collect();
    let include: Vec<_> = index.include.iter().map(Identifier::quoted).collect();
    let include = if include.is_empty() { String::new() } else { format!(" INCLUDE ({})", include.join(", ")) };
    let distinct = if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let predicate = index.predicate.as_ref().map_or(String::new(), |predicate| format!(" WHERE {predicate}"));
    format!(
        "CREATE {unique}INDEX CONCURRENTLY {} ON {} USING {} ({}){include}{distinct}{predicate};",
        index.name.quoted(),
        both.name.quoted(),
        index.method,
        keys.join(", ")
    )
}

fn renamed(sides: &Sides<'_>, both: &Both<'_>, index: &DeclaredIndex, found: &Index) -> Finding {
    let path = ObjectPath::member(ObjectKind::Index, &both.pair.declared, &index.name.value);
    let former = crate::name::QualifiedName { schema: both.name.schema.clone(), name: found.name.clone() };
    Finding::new(Rule::IndexName, sides.name(), path.clone())
        .message(format!("index `{path}` exists under the name `{}`", found.name))
        .help("take over the name in the YAML, or rename the index in a migration; it locks nothing")
        .sides(index.name.value.as_str(), found.name.as_str())
        .in_intent(Some(&index.name.at))
        .in_migration(sides.member_origin(ObjectKind::Index, both.name, &found.name).as_ref())
        .fix(format!("ALTER INDEX {} RENAME TO {};", former.quoted(), index.name.value.quoted()))
}

fn differs_from(
    sides: &Sides<'_>,
    both: &Both<'_>,
    index: &DeclaredIndex,
    expected: &Index,
    found_name: &Identifier,
    found: &str,
) -> Finding {
    let path = ObjectPath::member(ObjectKind::Index, &both.pair.declared, &index.name.value);
    let says = definition(expected);
    Finding::new(Rule::IndexDefinition, sides.name(), path.clone())
        .message(format!("index `{path}` is declared {says}; the migrations make it {found}"))
        .help("correct the YAML, or build the new index under another name, drop the old one, and rename")
        .sides(says, found)
        .in_intent(Some(&index.name.at))
        .in_migration(sides.member_origin(ObjectKind::Index, both.name, found_name).as_ref())
}

/// `undeclared-index` and `invalid-index`.
pub(super) fn undeclared(sides: &Sides<'_>, both: &Both<'_>, claims: &Claims, findings: &mut Vec<Finding>) {
    for index in both.replayed.indexes.iter().filter(|index| index.attached_to.is_none()) {
        let path = ObjectPath::member(ObjectKind::Index, &both.pair.declared, &index.name);
        let origin = sides.member_origin(ObjectKind::Index, both.name, &index.name);
        if !claims.indexes.contains(&index.name) && !makes_undeclared_column_unique(both, index) {
            findings.push(
                Finding::new(Rule::UndeclaredIndex, sides.name(), path.clone())
                    .message(format!(
                        "a migration creates index `{path}` {}, which the YAML does not declare",
                        definition(index)
                    ))
                    .help("declare it under `indexes`, or drop it in a migration with DROP INDEX CONCURRENTLY")
                    .sides("", definition(index))
                    .in_migration(origin.as_ref()),
            );
        }
        if !index.valid {
            findings.push(
                Finding::new(Rule::InvalidIndex, sides.name(), path.clone())
                    .message(format!(
                        "the migrations leave index `{path}` invalid: PostgreSQL maintains it and never uses it"
                    ))
                    .help("on a partitioned table, attach an index for each partition; else drop it and build it again")
                    .sides("valid", "invalid")
                    .in_migration(origin.as_ref()),
            );
        }
    }
}

/// UNIQUE on one undeclared column is part of that column's finding, made by a constraint or by an index.
fn makes_undeclared_column_unique(both: &Both<'_>, index: &Index) -> bool {
    let [key] = index.keys.as_slice() else { return false };
    let column = Identifier::new(key.term.as_str());
    is_plain_unique(index) && declared_name(both, &column).is_none()
}

/// What makes two indexes equal, their names and storage aside, in words that people read too.
fn definition(index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let method = if index.method == "btree" { String::new() } else { format!("{} ", index.method) };
    let keys: Vec<_> = index.keys.iter().map(|key| key_sql(key, false)).collect();
    let include = if index.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", list(&index.include)) };
    let distinct = if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let predicate = index.predicate.as_ref().map_or(String::new(), |predicate| format!(" WHERE {predicate}"));
    format!("{unique}{method}({}){include}{distinct}{predicate}", keys.join(", "))
}

fn key_sql(key: &IndexColumn, quoted: bool) -> String {
    let mut sql = match (key.is_column, quoted) {
        (true, true) => Identifier::new(key.term.as_str()).quoted(),
        (true, false) => key.term.clone(),
        (false, _) => format!("({})", key.term),
    };
    if let Some(collation) = &key.collation {
        sql.push_str(&format!(" COLLATE {}", collation.quoted()));
    }
    if let Some(class) = &key.operator_class {
        sql.push_str(&format!(" {class}"));
    }
    if key.descending {
        sql.push_str(" DESC");
    }
    // Only the order that is not the default one for the direction is worth saying.
    match (key.descending, key.nulls_first) {
        (false, true) => sql.push_str(" NULLS FIRST"),
        (true, false) => sql.push_str(" NULLS LAST"),
        _ => {}
    }
    sql
}

/// A UNIQUE index and a UNIQUE constraint over the same columns are equal.
fn equals_constraint(index: &Index, key: &Key) -> bool {
    is_plain_unique(index)
        && index.nulls_not_distinct == key.nulls_not_distinct
        && index.include == key.include
        && columns(index).eq(key.columns.iter().map(Identifier::as_str))
}

fn equal_primary_key<'t>(index: &Index, table: &'t Table) -> Option<&'t Key> {
    let key = table.primary_key.as_ref()?;
    let equal = is_plain_unique(index) && columns(index).eq(key.columns.iter().map(Identifier::as_str));
    equal.then_some(key)
}

/// UNIQUE over whole columns of whole rows, in the default order: what a constraint can say too.
pub(super) fn is_plain_unique(index: &Index) -> bool {
    let plain = |key: &IndexColumn| {
        key.is_column && !key.descending && !key.nulls_first && key.operator_class.is_none() && key.collation.is_none()
    };
    index.unique && index.predicate.is_none() && index.method == "btree" && index.keys.iter().all(plain)
}

pub(super) fn columns(index: &Index) -> impl Iterator<Item = &str> {
    index.keys.iter().map(|key| key.term.as_str())
}

fn constraint_words(key: &Key) -> String {
    format!("UNIQUE ({})", list(&key.columns))
}
