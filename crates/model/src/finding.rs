//! What trueup has to say about an object, to people and to machines.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::location::Location;
use crate::name::{Identifier, QualifiedName};
use crate::rule::Rule;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nice to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Must be settled.
    Error,
}

/// Which of the three sides stands apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Declared differs from what the migrations produce: somebody owes a migration, or an edit of the YAML.
    Unmigrated,
    /// Live lags the migrations by files that are not applied yet.
    Pending,
    /// Live differs otherwise.
    Drift,
    /// Declared and live agree, and the migrations differ: somebody changed production by hand.
    OutOfBand,
    /// Could not be read, or was not understood; never green.
    Unknown,
    /// About how something is written, not about a difference.
    Lint,
}

/// What kind of object a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// The service itself, or its migrations as a whole. Path: empty.
    Service,
    /// A migration file. Path: its script name.
    Migration,
    /// Path: schema.
    Schema,
    /// Path: extension.
    Extension,
    /// Path: schema, table.
    Table,
    /// Path: schema, table, column.
    Column,
    /// Path: schema, table, constraint.
    Constraint,
    /// Path: schema, table, index.
    Index,
    /// Path: schema, table, trigger.
    Trigger,
    /// Path: schema, table, policy.
    Policy,
    /// Path: schema, view.
    View,
    /// Path: schema, sequence.
    Sequence,
    /// An enum, domain or composite. Path: schema, type.
    Type,
    /// Path: schema, `name(argument types)`.
    Routine,
}

/// The name of an object inside one database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectPath {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name, from the outside in: schema, table, member.
    pub path: Vec<Identifier>,
}

impl ObjectPath {
    /// A path of any kind.
    pub fn new(kind: ObjectKind, path: impl IntoIterator<Item = Identifier>) -> Self {
        Self { kind, path: path.into_iter().collect() }
    }

    /// The service as a whole.
    pub fn service() -> Self {
        Self::new(ObjectKind::Service, [])
    }

    /// A schema.
    pub fn schema(schema: &Identifier) -> Self {
        Self::new(ObjectKind::Schema, [schema.clone()])
    }

    /// A table.
    pub fn table(table: &QualifiedName) -> Self {
        Self::new(ObjectKind::Table, [table.schema.clone(), table.name.clone()])
    }

    /// A member of a table: column, constraint, index, trigger or policy.
    pub fn member(kind: ObjectKind, table: &QualifiedName, member: &Identifier) -> Self {
        Self::new(kind, [table.schema.clone(), table.name.clone(), member.clone()])
    }
}

impl fmt::Display for ObjectPath {
    /// `schema.table.member`, unquoted: for reading, not for SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.path.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            f.write_str(part.as_str())?;
        }
        Ok(())
    }
}

/// One thing that does not agree, was not understood, or could not be verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule speaks.
    pub rule: Rule,
    /// How much it matters; the rule's own severity until settings say otherwise.
    pub severity: Severity,
    /// The service it belongs to; empty when it concerns a whole file.
    pub service: String,
    /// The object, by its declared name where it has one, else by its name in the database.
    pub object: ObjectPath,
    /// Which side stands apart.
    pub state: State,
    /// What is the case, in one sentence, naming both sides.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// What the YAML says about it, as short text; empty when it says nothing.
    pub declared: String,
    /// What the migrations produce, as short text; empty when nothing.
    pub found: String,
    /// The line in the intent, when there is one.
    pub intent_at: Option<Location>,
    /// The line in a migration (or another input file), when there is one.
    pub migration_at: Option<Location>,
    /// SQL that would settle it, when that is safe to propose.
    pub fix: Option<String>,
    /// Whether the object lives in its service's own schema, under either side's name for it. The fingerprint then leaves
    /// that name out: once somebody corrects it in the YAML, what was accepted inside stays accepted.
    #[serde(default)]
    pub in_own_schema: bool,
}

impl Finding {
    /// A finding with the rule's own severity and state, and no locations yet.
    pub fn new(rule: Rule, service: impl Into<String>, object: ObjectPath) -> Self {
        let info = rule.info();
        Self {
            rule,
            severity: info.severity,
            service: service.into(),
            object,
            state: info.state,
            message: String::new(),
            help: String::new(),
            declared: String::new(),
            found: String::new(),
            intent_at: None,
            migration_at: None,
            fix: None,
            in_own_schema: false,
        }
    }

    /// Sets the sentence that says what is the case.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Sets the sentence that says what to do next.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Sets both sides as short text; they are part of the fingerprint.
    pub fn sides(mut self, declared: impl Into<String>, found: impl Into<String>) -> Self {
        self.declared = declared.into();
        self.found = found.into();
        self
    }

    /// Sets the place in the intent.
    pub fn in_intent(mut self, at: Option<&Location>) -> Self {
        self.intent_at = at.cloned();
        self
    }

    /// Sets the place in a migration or another input file.
    pub fn in_migration(mut self, at: Option<&Location>) -> Self {
        self.migration_at = at.cloned();
        self
    }

    /// Sets the SQL that would settle it.
    pub fn fix(mut self, sql: impl Into<String>) -> Self {
        self.fix = Some(sql.into());
        self
    }

    /// Notes whether the object lives in one of `own`, the names of its service's own schema.
    pub fn place_in(&mut self, own: &[Identifier]) {
        let [schema, _, ..] = self.object.path.as_slice() else { return };
        self.in_own_schema = self.object.kind != ObjectKind::Migration && own.contains(schema);
    }

    /// Both places, intent first.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.intent_at.iter().chain(self.migration_at.iter())
    }

    /// A name for this finding that survives moved lines and reworded messages, 32 hexadecimal digits.
    ///
    /// It covers the rule, the service, the object (but for the name of the service's own schema) and what both sides say:
    /// a difference that was accepted and then becomes another difference is new.
    pub fn fingerprint(&self) -> String {
        let mut hash = Fnv128::new();
        hash.part(self.rule.name());
        hash.part(&self.service);
        hash.part(&format!("{:?}", self.object.kind));
        for part in &self.object.path[usize::from(self.in_own_schema)..] {
            hash.part(part.as_str());
        }
        hash.part("sides");
        hash.part(&self.declared);
        hash.part(&self.found);
        format!("{:032x}", hash.0)
    }
}

/// FNV-1a, 128 bits: stable over releases and platforms, which the standard hashers do not promise.
/// Constants from draft-eastlake-fnv.
struct Fnv128(u128);

impl Fnv128 {
    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// Adds one part and its end, so that `ab`+`c` and `a`+`bc` differ.
    fn part(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 ^= u128::from(byte);
            self.0 = self.0.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        let table = QualifiedName::new("s", "t");
        Finding::new(Rule::ColumnType, "svc", ObjectPath::member(ObjectKind::Column, &table, &"c".into()))
            .sides("integer", "bigint")
    }

    #[test]
    fn fingerprint_ignores_lines_and_wording() {
        let moved = finding().message("other words").in_intent(Some(&Location::new("a.yaml", 9, 1)));
        assert_eq!(finding().fingerprint(), moved.fingerprint());
    }

    #[test]
    fn fingerprint_leaves_out_the_own_schema_and_no_other() {
        let of = |schema: &str, own: &[Identifier]| {
            let table = QualifiedName::new(schema, "t");
            let path = ObjectPath::member(ObjectKind::Column, &table, &"c".into());
            let mut finding = Finding::new(Rule::ColumnType, "svc", path);
            finding.place_in(own);
            finding.fingerprint()
        };
        let own = ["checkin".into(), "check_in".into()];
        assert_eq!(of("checkin", &own), of("check_in", &own));
        assert_ne!(of("checkin", &own), of("other", &own));
        assert_ne!(of("checkin", &[]), of("check_in", &[]));
    }

    #[test]
    fn fingerprint_sees_object_and_both_sides() {
        let other = finding().sides("integer", "text");
        assert_ne!(finding().fingerprint(), other.fingerprint());
        let mut elsewhere = finding();
        elsewhere.object.path[2] = "d".into();
        assert_ne!(finding().fingerprint(), elsewhere.fingerprint());
    }
}
