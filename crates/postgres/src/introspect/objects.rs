//! Puts the rows together to a schema.

use trueup_model::canonical::{
    Canonical, Extension, Other, OtherName, Routine, Schema, Sequence, TypeShape, Unknown, UserType, View,
};
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::name::{Identifier, QualifiedName};

use super::Introspected;
use super::attributes::Collected;
use super::catalog::{Catalog, sorted};
use super::grants::grants;
use super::members::{self, Constraints};
use super::row;
use super::tables;
use super::written::Written;

/// The comment that initdb puts on the schema `public`: it is born with it.
const BORN_COMMENT: &str = "standard public schema";

/// Everything under construction.
struct Assembly {
    catalog: Catalog,
    canonical: Canonical,
    written: Written,
}

/// Builds the schema, and who wrote it.
pub(super) fn assemble(catalog: Catalog, major: u16, with_provenance: bool) -> Introspected {
    let written = Written::new(catalog.snapshot_xmax, with_provenance);
    let canonical = Canonical { major, ..Canonical::default() };
    let mut assembly = Assembly { catalog, canonical, written };
    assembly.schemas();
    assembly.extensions();
    assembly.sequences();
    assembly.types();
    assembly.relations();
    assembly.routines();
    assembly.others();
    assembly.default_privileges();
    assembly.canonical.unknowns.sort_by(|a, b| a.object.cmp(&b.object));
    Introspected { canonical: assembly.canonical, provenance: assembly.written.done() }
}

impl Assembly {
    fn schemas(&mut self) {
        for row in std::mem::take(&mut self.catalog.schemas) {
            let name = Identifier::from(row.name);
            let path = ObjectPath::schema(&name);
            self.written.note(|| path.clone(), [row.xmin]);
            self.grants(&path, &row.privileges);
            let comment = self.catalog.comment("pg_namespace", row.oid, 0).filter(|comment| comment != BORN_COMMENT);
            self.canonical.schemas.insert(name, Schema { comment });
        }
    }

    fn extensions(&mut self) {
        for row in std::mem::take(&mut self.catalog.extensions) {
            let extension = Extension { version: row.version, schema: row.schema.into() };
            self.canonical.extensions.insert(row.name.into(), extension);
        }
    }

    /// Before the tables: serial columns are known from their sequences.
    fn sequences(&mut self) {
        for row in std::mem::take(&mut self.catalog.sequences) {
            let Some(relation) = self.catalog.relations.remove(&row.raw.relation) else { continue };
            if row.owner.as_ref().is_some_and(|owner| !self.catalog.relations.contains_key(&owner.owner)) {
                continue;
            }
            if let Some(owner) = row.owner.as_ref().filter(|_| row.serial) {
                self.catalog.serials.insert((owner.owner, owner.owner_column));
            }
            let name = relation.qualified();
            let path = path(ObjectKind::Sequence, &name);
            self.written.note(|| path.clone(), [row.raw.xmin, relation.raw.xmin]);
            self.grants(&path, &relation.raw.privileges);
            let comment = self.catalog.comment("pg_class", relation.raw.oid, 0);
            let sequence = self.sequence(row, relation.raw.unlogged, comment);
            self.canonical.sequences.insert(name, sequence);
        }
    }

    fn sequence(&self, row: row::Sequence, unlogged: bool, comment: Option<String>) -> Sequence {
        let identity = row.owner.as_ref().is_some_and(|owner| owner.identity);
        let owned_by = row.owner.and_then(|owner| {
            let table = self.catalog.relations.get(&owner.owner)?;
            Some((table.qualified(), self.catalog.column_name(owner.owner, owner.owner_column)?))
        });
        let row = row.raw;
        Sequence {
            type_name: row.type_name,
            start: row.start,
            increment: row.increment,
            min: row.min,
            max: row.max,
            cache: row.cache,
            cycle: row.cycle,
            owned_by,
            identity,
            unlogged,
            comment,
        }
    }

    fn types(&mut self) {
        for row in std::mem::take(&mut self.catalog.types) {
            let name = QualifiedName::new(row.schema.as_str(), row.raw.name.as_str());
            let path = path(ObjectKind::Type, &name);
            let attributes =
                self.catalog.columns.get(&row.raw.relation).into_iter().flatten().map(|column| column.raw.xmin);
            self.written.note(|| path.clone(), row.xmins.iter().copied().chain(attributes));
            self.grants(&path, &row.raw.privileges);
            let comment = self.catalog.comment("pg_type", row.raw.oid, 0);
            let mut user_type =
                UserType { shape: TypeShape::Enum(Vec::new()), member_comments: Default::default(), comment };
            self.shape(row, &mut user_type);
            self.canonical.types.insert(name, user_type);
        }
    }

    /// Fills in what the type is, and the comments on its members.
    fn shape(&mut self, row: row::Type, into: &mut UserType) {
        into.shape = match row.raw.kind {
            'd' => self.domain(row, into),
            'c' => self.composite(row.raw.relation, into),
            'r' => TypeShape::Range(row.range.unwrap_or_default()),
            _ => TypeShape::Enum(row.labels),
        };
    }

    fn domain(&mut self, row: row::Type, into: &mut UserType) -> TypeShape {
        let mut checks = Vec::new();
        for check in self.catalog.domain_checks.remove(&row.raw.oid).unwrap_or_default() {
            let name = Identifier::from(check.name);
            if let Some(comment) = self.catalog.comment("pg_constraint", check.oid, 0) {
                into.member_comments.insert(name.clone(), comment);
            }
            checks.push((name, check.definition));
        }
        checks.sort();
        TypeShape::Domain {
            base: row.raw.base.unwrap_or_default(),
            not_null: row.raw.not_null,
            default: row.raw.default,
            checks,
            collation: row.raw.collation.map(|(schema, name)| QualifiedName::new(schema, name)),
        }
    }

    fn composite(&mut self, relation: i64, into: &mut UserType) -> TypeShape {
        let mut columns = self.catalog.columns.remove(&relation).unwrap_or_default();
        columns.sort_by_key(|column| column.raw.number);
        let mut attributes = Vec::new();
        for column in columns {
            let name = Identifier::from(column.raw.name);
            if let Some(comment) = self.catalog.comment("pg_class", relation, column.raw.number) {
                into.member_comments.insert(name.clone(), comment);
            }
            let collate = column.collation.map(|name| format!(" COLLATE {}", name.quoted())).unwrap_or_default();
            attributes.push((name, column.raw.type_name + &collate));
        }
        TypeShape::Composite(attributes)
    }

    fn relations(&mut self) {
        for relation in std::mem::take(&mut self.catalog.relations).into_values() {
            let name = relation.qualified();
            self.column_grants(&relation);
            match relation.raw.kind {
                'r' | 'p' | 'f' => {
                    self.grants(&ObjectPath::table(&name), &relation.raw.privileges);
                    let table = tables::table(&mut self.catalog, &mut self.written, relation);
                    self.canonical.tables.insert(name, table);
                }
                'v' | 'm' => {
                    self.grants(&path(ObjectKind::View, &name), &relation.raw.privileges);
                    let view = self.view(relation);
                    self.canonical.views.insert(name, view);
                }
                // Composites stand among the types.
                _ => {}
            }
        }
    }

    fn view(&mut self, relation: row::Relation) -> View {
        let name = relation.qualified();
        let xmins = [Some(relation.raw.xmin), relation.rule_xmin].into_iter().flatten();
        self.written.note(|| path(ObjectKind::View, &name), xmins);
        let indexes = members::indexes(&mut self.catalog, &mut self.written, &relation, &Constraints::default());
        let triggers = members::triggers(&mut self.catalog, &mut self.written, &relation);
        let mut view = View {
            materialized: relation.raw.kind == 'm',
            definition: relation.raw.definition.unwrap_or_default(),
            columns: Vec::new(),
            indexes,
            triggers,
            options: tables::options(relation.raw.options, relation.toast_options),
            attributes: Collected::default()
                .text("tablespace", relation.raw.tablespace)
                .text("access-method", relation.access_method)
                .text("populated", (!relation.raw.populated).then_some("false"))
                .done(),
            column_comments: Default::default(),
            comment: self.catalog.comment("pg_class", relation.raw.oid, 0),
        };
        if view.definition.is_empty() {
            self.unknown(path(ObjectKind::View, &name), "the server did not print its definition");
        }
        self.view_columns(relation.raw.oid, &mut view);
        view
    }

    fn view_columns(&mut self, oid: i64, view: &mut View) {
        let mut columns = self.catalog.columns.remove(&oid).unwrap_or_default();
        columns.sort_by_key(|column| column.raw.number);
        for column in columns {
            let name = Identifier::from(column.raw.name);
            if let Some(comment) = self.catalog.comment("pg_class", oid, column.raw.number) {
                view.column_comments.insert(name.clone(), comment);
            }
            let rare = Collected(std::mem::take(&mut view.attributes))
                .text(&format!("default {name}"), column.expression)
                .text(&format!("storage {name}"), column.raw.storage.as_deref().map(tables::storage))
                .text(&format!("statistics {name}"), column.raw.statistics)
                .list(&format!("options {name}"), column.raw.options);
            view.attributes = rare.done();
            view.columns.push((name, column.raw.type_name));
        }
    }

    fn routines(&mut self) {
        for row in std::mem::take(&mut self.catalog.routines) {
            let name = QualifiedName::new(row.schema, format!("{}({})", row.raw.name, row.raw.arguments.join(", ")));
            let path = path(ObjectKind::Routine, &name);
            self.written.note(|| path.clone(), [row.raw.xmin]);
            self.grants(&path, &row.raw.privileges);
            let Some(definition) = row.raw.definition else {
                self.unknown(path, "the server did not print its definition");
                continue;
            };
            let comment = self.catalog.comment("pg_proc", row.raw.oid, 0);
            self.canonical.routines.insert(name, Routine { kind: row.raw.kind, definition, comment });
        }
    }

    fn others(&mut self) {
        for row in std::mem::take(&mut self.catalog.others) {
            let comment = self.catalog.comment(&row.class, row.oid, 0);
            let name = OtherName { kind: row.kind, identity: row.identity };
            self.canonical.others.insert(name, Other { definition: row.definition, comment });
        }
    }

    /// Privileges that later objects are born with: one entry for each schema, kind of object and grantee.
    fn default_privileges(&mut self) {
        for row in std::mem::take(&mut self.catalog.default_privileges) {
            let identity = format!("{}/{} to {}", Identifier::from(row.schema).quoted(), row.objects, row.grantee);
            let name = OtherName { kind: "default privileges".to_owned(), identity };
            let grantable = if row.grantable { " with grant option" } else { "" };
            let privilege = format!("{}{grantable}", row.privilege);
            let entry = self.canonical.others.entry(name).or_insert(Other { definition: None, comment: None });
            let mut all: Vec<_> =
                entry.definition.iter().flat_map(|text| text.split(", ")).map(str::to_owned).collect();
            all.push(privilege);
            entry.definition = Some(sorted(Some(all)).join(", "));
        }
    }

    /// Notes the privileges on an object that are not those it was born with.
    fn grants(&mut self, object: &ObjectPath, privileges: &row::Privileges) {
        self.canonical.grants.extend(grants(object, privileges));
    }

    /// The same for the columns of a relation, before they are taken.
    fn column_grants(&mut self, relation: &row::Relation) {
        for column in self.catalog.columns.get(&relation.raw.oid).into_iter().flatten() {
            let path = ObjectPath::member(ObjectKind::Column, &relation.qualified(), &column.raw.name.as_str().into());
            self.canonical.grants.extend(grants(&path, &column.privileges));
        }
    }

    fn unknown(&mut self, object: ObjectPath, reason: &str) {
        self.canonical.unknowns.push(Unknown { object, reason: reason.to_owned() });
    }
}

fn path(kind: ObjectKind, name: &QualifiedName) -> ObjectPath {
    ObjectPath::new(kind, [name.schema.clone(), name.name.clone()])
}
