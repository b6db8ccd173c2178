//! Pairing before comparing: which declared object corresponds to which replayed one.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{Canonical, Table};
use crate::declared::{DeclaredService, DeclaredTable};
use crate::name::{Identifier, QualifiedName};

/// The schema PostgreSQL puts unqualified tables in when nothing else is said.
const PUBLIC: &str = "public";

/// Which declared object corresponds to which replayed one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairing {
    /// The service's schema on both sides.
    pub schema: SchemaPair,
    /// One entry for each declared table, in the order of the YAML.
    pub tables: Vec<TablePair>,
    /// Replayed tables that no declared one claims, partitions left out.
    pub undeclared: Vec<QualifiedName>,
}

/// The service's schema on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaPair {
    /// As the YAML names it, or as the migrations do when the YAML is silent.
    pub declared: Identifier,
    /// As the migrations name it.
    pub replayed: Identifier,
    /// The YAML's `renamed_from` explains the difference.
    pub renamed: bool,
}

impl Default for SchemaPair {
    fn default() -> Self {
        Self { declared: PUBLIC.into(), replayed: PUBLIC.into(), renamed: false }
    }
}

impl SchemaPair {
    /// Whether both sides use one name.
    pub fn agrees(&self) -> bool {
        self.declared == self.replayed
    }
}

/// One declared table and its partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePair {
    /// Position in [`DeclaredService::tables`].
    pub position: usize,
    /// Its name as declared, with the schema as declared.
    pub declared: QualifiedName,
    /// Its partner, when there is one.
    pub replayed: Option<QualifiedName>,
    /// The partner was found through `renamed_from`: the rename is still owed.
    pub renamed: bool,
    /// One entry for each declared column, in the order of the YAML; empty when the table has no details or no partner.
    pub columns: Vec<ColumnPair>,
    /// Replayed columns that no declared one claims; empty likewise.
    pub undeclared: Vec<Identifier>,
}

impl TablePair {
    /// The name on the replayed side of a declared column: its partner's, or its own where it has none.
    pub fn replayed_column(&self, declared: &Identifier) -> Identifier {
        let pair = self.columns.iter().find(|pair| &pair.declared == declared);
        pair.and_then(|pair| pair.replayed.clone()).unwrap_or_else(|| declared.clone())
    }
}

/// One declared column and its partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPair {
    /// Position in the table's declared columns.
    pub position: usize,
    /// Name as declared.
    pub declared: Identifier,
    /// Its partner.
    pub replayed: Option<Identifier>,
    /// The partner was found through `renamed_from`: the rename is still owed.
    pub renamed: bool,
}

/// Pairs by name, after the schema, and by `renamed_from` where a name finds nothing. Nothing is guessed.
pub fn pair(service: &DeclaredService, replayed: &Canonical) -> Pairing {
    let schema = pair_schema(service, replayed);
    let mut taken = BTreeSet::new();
    let mut partners = BTreeMap::new();
    claim(service, &schema, replayed, &mut taken, &mut partners, |table, schema| {
        (replayed_name(table, schema, &table.name.value), false)
    });
    claim(service, &schema, replayed, &mut taken, &mut partners, |table, schema| {
        let former = table.renamed_from.as_ref().map_or(&table.name.value, |former| &former.value);
        (replayed_name(table, schema, former), true)
    });
    let tables = service.tables.iter().enumerate();
    Pairing {
        tables: tables.map(|(position, table)| pair_table(position, table, &schema, replayed, &partners)).collect(),
        undeclared: undeclared_tables(replayed, &taken),
        schema,
    }
}

/// Where a table of that name would be on the replayed side.
fn replayed_name(table: &DeclaredTable, schema: &SchemaPair, name: &Identifier) -> QualifiedName {
    let own = table.schema.as_ref().filter(|own| **own != schema.declared);
    QualifiedName { schema: own.unwrap_or(&schema.replayed).clone(), name: name.clone() }
}

/// One round of claiming: each table that has no partner yet takes the replayed table that `name` gives, if it is free.
fn claim(
    service: &DeclaredService,
    schema: &SchemaPair,
    replayed: &Canonical,
    taken: &mut BTreeSet<QualifiedName>,
    partners: &mut BTreeMap<usize, (QualifiedName, bool)>,
    name: impl Fn(&DeclaredTable, &SchemaPair) -> (QualifiedName, bool),
) {
    for (position, table) in service.tables.iter().enumerate() {
        let (candidate, renamed) = name(table, schema);
        let free = !partners.contains_key(&position) && !taken.contains(&candidate);
        if free && replayed.tables.contains_key(&candidate) {
            taken.insert(candidate.clone());
            partners.insert(position, (candidate, renamed));
        }
    }
}

fn pair_table(
    position: usize,
    table: &DeclaredTable,
    schema: &SchemaPair,
    replayed: &Canonical,
    partners: &BTreeMap<usize, (QualifiedName, bool)>,
) -> TablePair {
    let own_schema = table.schema.as_ref().unwrap_or(&schema.declared);
    let mut pair = TablePair {
        position,
        declared: QualifiedName { schema: own_schema.clone(), name: table.name.value.clone() },
        replayed: None,
        renamed: false,
        columns: Vec::new(),
        undeclared: Vec::new(),
    };
    if let Some((partner, renamed)) = partners.get(&position) {
        pair.replayed = Some(partner.clone());
        pair.renamed = *renamed;
        pair_columns(table, &replayed.tables[partner], &mut pair);
    }
    pair
}

fn pair_columns(table: &DeclaredTable, replayed: &Table, pair: &mut TablePair) {
    let Some(details) = &table.details else { return };
    let mut taken = BTreeSet::new();
    for (position, column) in details.columns.iter().enumerate() {
        let found = replayed.column(&column.name.value).map(|found| found.name.clone());
        taken.extend(found.clone());
        pair.columns.push(ColumnPair {
            position,
            declared: column.name.value.clone(),
            replayed: found,
            renamed: false,
        });
    }
    for entry in &mut pair.columns {
        let former = details.columns[entry.position].renamed_from.as_ref();
        let Some(former) = former.filter(|_| entry.replayed.is_none()) else { continue };
        if replayed.column(&former.value).is_some() && taken.insert(former.value.clone()) {
            entry.replayed = Some(former.value.clone());
            entry.renamed = true;
        }
    }
    let names = replayed.columns.iter().map(|column| column.name.clone());
    pair.undeclared = names.filter(|name| !taken.contains(name)).collect();
}

/// Tables without a declared partner. A partition belongs to its parent and is never undeclared by itself.
fn undeclared_tables(replayed: &Canonical, taken: &BTreeSet<QualifiedName>) -> Vec<QualifiedName> {
    let own = replayed.tables.iter().filter(|(_, table)| table.partition_of.is_none());
    own.map(|(name, _)| name).filter(|name| !taken.contains(*name)).cloned().collect()
}

/// Pairs the schema: the same name; else a declared former name; else the only one the migrations use.
fn pair_schema(service: &DeclaredService, replayed: &Canonical) -> SchemaPair {
    let used = used_schemas(replayed);
    let only = if used.len() == 1 { used.first().copied() } else { None };
    let Some(declared) = &service.schema else {
        let schema = only.cloned().unwrap_or_else(|| PUBLIC.into());
        return SchemaPair { declared: schema.clone(), replayed: schema, renamed: false };
    };
    let declared = declared.value.clone();
    if used.contains(&declared) {
        return SchemaPair { replayed: declared.clone(), declared, renamed: false };
    }
    let former = service.schema_renamed_from.as_ref().map(|former| &former.value);
    if let Some(former) = former.filter(|former| used.contains(former)) {
        return SchemaPair { declared, replayed: former.clone(), renamed: true };
    }
    SchemaPair { replayed: only.cloned().unwrap_or_else(|| declared.clone()), declared, renamed: false }
}

/// The schemas that the migrations made or put tables in; an untouched `public` is not one of them.
fn used_schemas(replayed: &Canonical) -> BTreeSet<&Identifier> {
    let made = replayed.schemas.keys().filter(|schema| schema.as_str() != PUBLIC);
    made.chain(replayed.tables.keys().map(|table| &table.schema)).collect()
}
