//! The rows of an answer as they arrive, sorted by section.

use serde::Deserialize;

use super::{raw, row};

/// All rows of one answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub server: raw::Server,
    pub namespaces: Vec<raw::Namespace>,
    pub init_privs: Vec<raw::InitPrivs>,
    pub members: Vec<raw::Member>,
    pub extensions: Vec<row::Extension>,
    pub classes: Vec<raw::Class>,
    pub access_methods: Vec<raw::AccessMethod>,
    pub rewrites: Vec<raw::Rewrite>,
    pub inherits: Vec<raw::Inherits>,
    pub attributes: Vec<raw::Attribute>,
    pub attrdefs: Vec<raw::AttrDef>,
    pub constraints: Vec<raw::Constraint>,
    pub indexes: Vec<raw::Index>,
    pub operator_classes: Vec<raw::OperatorClass>,
    pub triggers: Vec<row::Trigger>,
    pub sequences: Vec<raw::Sequence>,
    pub depends: Vec<raw::Depend>,
    pub types: Vec<raw::Type>,
    pub labels: Vec<raw::Label>,
    pub procedures: Vec<raw::Procedure>,
    pub descriptions: Vec<raw::Description>,
    pub ranges: Vec<raw::Range>,
    pub aggregates: Vec<raw::Aggregate>,
    pub foreign_tables: Vec<raw::ForeignTable>,
    pub policies: Vec<row::Policy>,
    pub others: Vec<row::Other>,
    pub default_privileges: Vec<row::DefaultPrivilege>,
}

/// Parses a row and adds it.
fn add<'a, T: Deserialize<'a>>(rows: &mut Vec<T>, item: &'a str) -> Result<(), serde_json::Error> {
    rows.push(serde_json::from_str(item)?);
    Ok(())
}

impl Answer {
    /// Takes one row of one section.
    pub(super) fn take(&mut self, section: &str, item: &str) -> Result<(), serde_json::Error> {
        match section {
            "server" => self.server = serde_json::from_str(item)?,
            "namespace" => add(&mut self.namespaces, item)?,
            "init_privs" => add(&mut self.init_privs, item)?,
            "member" => add(&mut self.members, item)?,
            "extension" => add(&mut self.extensions, item)?,
            "class" => add(&mut self.classes, item)?,
            "am" => add(&mut self.access_methods, item)?,
            "rewrite" => add(&mut self.rewrites, item)?,
            "inherits" => add(&mut self.inherits, item)?,
            "attribute" => add(&mut self.attributes, item)?,
            "attrdef" => add(&mut self.attrdefs, item)?,
            "constraint" => add(&mut self.constraints, item)?,
            "index" => add(&mut self.indexes, item)?,
            "opclass" => add(&mut self.operator_classes, item)?,
            "trigger" => add(&mut self.triggers, item)?,
            "sequence" => add(&mut self.sequences, item)?,
            "depend" => add(&mut self.depends, item)?,
            "type" => add(&mut self.types, item)?,
            "enum" => add(&mut self.labels, item)?,
            "proc" => add(&mut self.procedures, item)?,
            "description" => add(&mut self.descriptions, item)?,
            rare => return self.take_rare(rare, item),
        }
        Ok(())
    }

    fn take_rare(&mut self, section: &str, item: &str) -> Result<(), serde_json::Error> {
        match section {
            "range" => add(&mut self.ranges, item),
            "aggregate" => add(&mut self.aggregates, item),
            "foreign_table" => add(&mut self.foreign_tables, item),
            "policy" => add(&mut self.policies, item),
            "other" => add(&mut self.others, item),
            "default_privileges" => add(&mut self.default_privileges, item),
            unheard => Err(serde::de::Error::custom(format!("no section is called {unheard}"))),
        }
    }
}
