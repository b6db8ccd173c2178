//! One column of a table: `{name, type, constraints}` or `[name, type, constraints]`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use trueup_model::declared::{Aspect, DeclaredColumn, Reference, Target};
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::location::{Located, Location};
use trueup_model::name::{Identifier, QualifiedName};

use crate::constraint::{self, Clause, ClauseKind, DELETE_ACTIONS, Misread};
use crate::document::{Node, Scalar, Style, Text, Value};
use crate::report::{Problem, Scope, quoted};
use crate::written::{self, Entry};
use crate::{check, fields, freeze, names};

/// The keys of a column.
pub(crate) const KEYS: [&str; 6] = ["name", "type", "constraints", "renamed_from", "on_delete", "description"];

/// Longest `constraints` that is read.
const MAX_CONSTRAINTS_BYTES: usize = 8192;

const FORMS: &str = "`{name, type, constraints}` or `[name, type, constraints]`";

/// The nodes that make up a column, whatever form it has.
#[derive(Default)]
struct Parts<'a> {
    name: Option<&'a Node>,
    type_name: Option<Cow<'a, Node>>,
    constraints: Vec<Cow<'a, Node>>,
    renamed_from: Option<&'a Node>,
    on_delete: Option<&'a Node>,
}

/// The table that a column belongs to.
pub(crate) struct Owner<'a> {
    pub(crate) table: &'a QualifiedName,
    /// The names of all its columns.
    pub(crate) columns: &'a HashSet<Identifier>,
}

/// The name of a column, without reporting anything.
pub(crate) fn name_of(node: &Node, folds: bool) -> Option<Identifier> {
    let name = match &node.value {
        Value::Mapping(entries) => &entries.iter().find(|entry| &*entry.key == "name")?.value,
        Value::Sequence(items) => items.first()?,
        Value::Scalar(_) => return None,
    };
    match &name.value {
        Value::Scalar(scalar) => names::name(&scalar.text, folds).or_else(|refused| refused.cut.ok_or(())).ok(),
        _ => None,
    }
}

/// Reads one column. Without a usable name there is no column, and the reason is reported.
pub(crate) fn read(node: &Node, owner: &Owner<'_>, scope: &mut Scope<'_>) -> Option<DeclaredColumn> {
    let file = scope.file;
    let parts = parts(node, scope)?;
    let Some(name) = parts.name.and_then(|name| Text::of(name, file)).filter(|name| !name.text.trim().is_empty())
    else {
        let at = scope.at(parts.name.map_or(node.at, |name| name.at));
        scope.report.error(at, "a column has no name", format!("write a column as {FORMS}"));
        return None;
    };
    let folds = scope.checked;
    let mut problems = Vec::new();
    let known = fields::name(name, "column name", folds, &mut problems);
    let label = known.as_ref().map_or_else(|| names::stand_in(name.text), |name| name.value.clone());
    let mut scope = scope.about(ObjectPath::member(ObjectKind::Column, owner.table, &label));
    let column = known.map(|name| {
        let mut reader = Reader::new(name, owner, folds, &mut problems);
        reader.parts(&parts, &mut scope);
        reader.finish()
    });
    scope.not_understood(&problems);
    if let Some(column) = &column {
        keep_words(column, &parts, &mut scope);
    }
    column
}

/// Keeps the author's words, where the declared column does not hold all of them.
fn keep_words(column: &DeclaredColumn, parts: &Parts<'_>, scope: &mut Scope<'_>) {
    if scope.checked && column.type_sql.is_some() && column.not_understood.is_empty() {
        return;
    }
    let constraints: Vec<&str> = parts.constraints.iter().map(|node| written::text(node)).collect();
    let type_text = parts.type_name.as_deref().map_or("", written::text).to_owned();
    let entry = Entry { type_text, constraints: constraints.join(", ") };
    scope.report.written.add(column.name.at.clone(), entry);
}

fn parts<'a>(node: &'a Node, scope: &mut Scope<'_>) -> Option<Parts<'a>> {
    match &node.value {
        Value::Sequence(items) => Some(positional(items)),
        Value::Scalar(_) => {
            scope.wrong_type(node, "a column", FORMS);
            None
        }
        Value::Mapping(entries) => {
            let mut parts = Parts::default();
            let mut unknown = Vec::new();
            for entry in entries {
                match &*entry.key {
                    "name" => parts.name = Some(&entry.value),
                    "type" => parts.type_name = Some(Cow::Borrowed(&entry.value)),
                    "constraints" => parts.constraints = listed(&entry.value),
                    "renamed_from" => parts.renamed_from = Some(&entry.value),
                    "on_delete" => parts.on_delete = Some(&entry.value),
                    "description" => {}
                    key if fields::is_private(key) => {}
                    _ => unknown.push(entry),
                }
            }
            for entry in unknown {
                scope.unknown_key(&entry.key, entry.key_at, &KEYS);
            }
            Some(parts)
        }
    }
}

/// `constraints` may be one text, or a list of them.
fn listed(node: &Node) -> Vec<Cow<'_, Node>> {
    match &node.value {
        Value::Sequence(items) => items.iter().map(Cow::Borrowed).collect(),
        _ => vec![Cow::Borrowed(node)],
    }
}

/// `[name, type, constraints]`. YAML splits an unquoted `DECIMAL(10, 2)` at its comma; that is put together again.
fn positional(items: &[Node]) -> Parts<'_> {
    let mut rest = items.iter().skip(1).map(Cow::Borrowed).collect::<Vec<_>>();
    if items.len() > 3 {
        rest = rejoined(&items[1..]);
    }
    let constraints = rest.split_off(rest.len().min(1));
    Parts { name: items.first(), type_name: rest.pop(), constraints, ..Parts::default() }
}

fn rejoined(items: &[Node]) -> Vec<Cow<'_, Node>> {
    let mut joined: Vec<Cow<'_, Node>> = Vec::new();
    let mut open = false;
    for item in items {
        let Value::Scalar(scalar) = &item.value else {
            joined.push(Cow::Borrowed(item));
            continue;
        };
        if let Some(last) = joined.last_mut().filter(|_| open) {
            let Value::Scalar(before) = &last.value else { continue };
            let text = format!("{}, {}", before.text, scalar.text).into();
            let scalar = Scalar { text, style: Style::DoubleQuoted, mappable: false };
            *last = Cow::Owned(Node { at: last.at, value: Value::Scalar(scalar) });
        } else {
            joined.push(Cow::Borrowed(item));
        }
        open = joined.last().is_some_and(|last| is_open(last));
    }
    joined
}

/// Whether a bracket in this text is still to be closed.
fn is_open(node: &Node) -> bool {
    let Value::Scalar(scalar) = &node.value else { return false };
    crate::prose::lex(&scalar.text).iter().any(|token| token.kind == crate::prose::Kind::Unclosed)
}

struct Reader<'a, 'p> {
    column: DeclaredColumn,
    owner: &'a Owner<'a>,
    folds: bool,
    /// Aspects that were said twice, differently, or in a form that is not known.
    unclear: Vec<Aspect>,
    /// Whether something may have spoken about anything.
    anything: bool,
    nullable: Option<Location>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Reader<'a, 'p> {
    fn new(name: Located<Identifier>, owner: &'a Owner<'a>, folds: bool, problems: &'p mut Vec<Problem>) -> Self {
        let column = DeclaredColumn {
            nullability_at: name.at.clone(),
            name,
            renamed_from: None,
            type_sql: None,
            primary_key: None,
            not_null: false,
            default: None,
            generated: None,
            identity: None,
            unique: None,
            checks: Vec::new(),
            references: None,
            encrypted: None,
            notes: Vec::new(),
            not_understood: Vec::new(),
        };
        Self { column, owner, folds, unclear: Vec::new(), anything: false, nullable: None, problems }
    }

    fn parts(&mut self, parts: &Parts<'_>, scope: &mut Scope<'_>) {
        let file = scope.file;
        self.type_name(parts.type_name.as_deref(), scope);
        for node in &parts.constraints {
            match Text::of(node, file) {
                Some(_) if node.is_null() => self.null(node, file),
                Some(text) => self.constraints(text),
                None => scope.wrong_type(node, "`constraints`", "text, or a list of texts"),
            }
        }
        if let Some(node) = parts.renamed_from.filter(|node| !node.is_null()) {
            match Text::of(node, file) {
                Some(text) => self.column.renamed_from = fields::name(text, "former name", self.folds, self.problems),
                None => scope.wrong_type(node, "`renamed_from`", "text"),
            }
        }
        if let Some(node) = parts.on_delete.filter(|node| !node.is_null()) {
            match Text::of(node, file) {
                Some(text) => self.on_delete(text),
                None => scope.wrong_type(node, "`on_delete`", "text"),
            }
        }
    }

    fn type_name(&mut self, node: Option<&Node>, scope: &mut Scope<'_>) {
        let written = node.filter(|node| !node.is_null());
        match written.map(|node| (node, Text::of(node, scope.file))) {
            Some((_, Some(text))) => {
                self.column.type_sql = fields::sql(text, 0..text.text.len(), "type", self.problems);
            }
            Some((node, None)) => scope.wrong_type(node, "`type`", "text"),
            None => {
                let at = node.map_or_else(|| self.column.name.at.clone(), |node| scope.at(node.at));
                let message = format!("the column {} has no type", quoted(self.column.name.value.as_str()));
                self.problems.push(Problem::new(at, "", message, "write a type, for example VARCHAR(20)"));
            }
        }
        if self.column.type_sql.is_none() {
            self.unclear.push(Aspect::Type);
        }
    }

    /// An unquoted `NULL` is YAML's null, and means the word. An empty value says nothing.
    fn null(&mut self, node: &Node, file: &Arc<str>) {
        if matches!(&node.value, Value::Scalar(scalar) if !scalar.text.is_empty()) {
            self.nullable = Some(node.at.in_file(file));
            self.column.nullability_at = node.at.in_file(file);
        }
    }

    fn constraints(&mut self, text: Text<'_>) {
        if text.text.len() > MAX_CONSTRAINTS_BYTES {
            let message = format!("`constraints` has more than {MAX_CONSTRAINTS_BYTES} bytes");
            self.problems.push(Problem::new(text.at(), text.text, message, constraint::EXPECTED));
            self.anything = true;
            return;
        }
        for piece in constraint::parse(text.text) {
            match piece {
                Ok(clauses) => self.piece(text, &clauses),
                Err(misread) => self.misread(text, misread),
            }
        }
    }

    fn misread(&mut self, text: Text<'_>, misread: Misread) {
        let written = &text.text[misread.range.clone()];
        let at = text.at_byte(misread.range.start);
        let message = format!("{} is not understood", quoted(written));
        self.problems.push(Problem::new(at, written, message, misread.expected));
        match misread.about {
            Some(aspects) => self.unclear.extend(aspects),
            None => self.anything = true,
        }
        if !self.folds {
            self.column.notes.push(written.to_owned());
        }
    }

    fn piece(&mut self, text: Text<'_>, clauses: &[Clause]) {
        let mut before: Option<&ClauseKind> = None;
        for clause in clauses {
            let at = text.at_byte(clause.range.start);
            self.clause(text, clause, at, before);
            before = Some(&clause.kind);
        }
    }

    fn clause(&mut self, text: Text<'_>, clause: &Clause, at: Location, before: Option<&ClauseKind>) {
        match &clause.kind {
            ClauseKind::PrimaryKey => self.column.primary_key = Some(at),
            ClauseKind::Encrypted => self.column.encrypted = Some(at),
            ClauseKind::Unique => self.column.unique = Some(at),
            ClauseKind::NotNull => {
                self.column.not_null = true;
                self.column.nullability_at = at;
            }
            ClauseKind::Null => {
                self.nullable = Some(at.clone());
                if !self.column.not_null {
                    self.column.nullability_at = at;
                }
            }
            ClauseKind::Default(range) => self.default(text, range.clone()),
            ClauseKind::Generated(range) => {
                let generated = fields::sql(text, range.clone(), "expression of GENERATED", self.problems);
                let same = |old: &Located<String>| generated.as_ref().is_some_and(|new| new.value == old.value);
                let clear = generated.is_some() && self.column.generated.as_ref().is_none_or(same);
                self.said(Aspect::Generated, clear, text, clause, "is not the only expression of GENERATED");
                self.column.generated = generated;
            }
            ClauseKind::Identity(identity) => {
                let clear = self.column.identity.as_ref().is_none_or(|old| old.value == *identity);
                self.said(Aspect::Generated, clear, text, clause, "contradicts another GENERATED … AS IDENTITY");
                self.column.identity = Some(Located::new(*identity, at));
            }
            ClauseKind::Check(range) => self.check(text, clause, &text.text[range.clone()], at),
            ClauseKind::References(referenced) => self.reference(text, clause, referenced, at),
            ClauseKind::Note(range) => self.note(text, clause, &text.text[range.clone()], before),
        }
    }

    /// Notes that a clause made `aspect` unclear, unless it is `clear`.
    fn said(&mut self, aspect: Aspect, clear: bool, text: Text<'_>, clause: &Clause, why: &str) {
        if clear {
            return;
        }
        self.unclear.push(aspect);
        let written = &text.text[clause.range.clone()];
        let message = format!("{} {why}", quoted(written));
        self.problems.push(Problem::new(text.at_byte(clause.range.start), written, message, "say it once"));
    }

    fn default(&mut self, text: Text<'_>, range: std::ops::Range<usize>) {
        let Some(default) = fields::sql(text, range, "default", self.problems) else {
            self.unclear.push(Aspect::Default);
            return;
        };
        let type_name = self.column.type_sql.as_ref().map(|sql| sql.value.as_str());
        let problem = if freeze::freezes(&default.value, type_name) {
            Some((
                "would be read once, when the migration runs, and stay that moment for ever",
                "write DEFAULT now() or DEFAULT CURRENT_DATE",
            ))
        } else if self.column.default.as_ref().is_some_and(|old| old.value != default.value) {
            Some(("is the second default of this column", "write one DEFAULT"))
        } else {
            None
        };
        if let Some((why, help)) = problem {
            self.unclear.push(Aspect::Default);
            let message = format!("the default {} {why}", quoted(&default.value));
            self.problems.push(Problem::new(default.at.clone(), &default.value, message, help));
        }
        if !is_null_default(&default.value) {
            self.column.default = Some(default);
        }
    }

    fn check(&mut self, text: Text<'_>, clause: &Clause, inside: &str, at: Location) {
        match check::condition(inside, &self.column.name.value) {
            Ok(check) => self.column.checks.push(Located::new(check, at)),
            Err(why) => {
                self.unclear.push(Aspect::Check);
                let written = &text.text[clause.range.clone()];
                let help = "write CHECK (1-5), CHECK (> 0) or CHECK (expression)";
                self.problems.push(Problem::new(at, written, format!("{}: {why}", quoted(written)), help));
            }
        }
    }

    /// The target stays as it was written until the whole intent is known.
    fn reference(&mut self, text: Text<'_>, clause: &Clause, referenced: &constraint::Referenced, at: Location) {
        let mut target = text.text[referenced.target.clone()].to_owned();
        if let Some(column) = &referenced.column {
            let gap = if referenced.may_be_note { " " } else { "" };
            target = format!("{target}{gap}({})", &text.text[column.clone()]);
        }
        let target = Target::Missing { text: target };
        let clear = self.column.references.as_ref().is_none_or(|old| old.target == target);
        self.said(Aspect::Reference, clear, text, clause, "is the second foreign key of this column");
        let on_delete = referenced
            .on_delete
            .clone()
            .map(|(action, range)| Located::new(action.to_owned(), text.at_byte(range.start)));
        self.column.references = Some(Reference { at, target, on_delete });
    }

    /// A note, unless it lists columns behind a word that could take them: `UNIQUE (a, b)`.
    fn note(&mut self, text: Text<'_>, clause: &Clause, note: &str, before: Option<&ClauseKind>) {
        let takes_columns = matches!(before, Some(ClauseKind::Unique | ClauseKind::PrimaryKey));
        if takes_columns && self.lists_columns(note) {
            if before == Some(&ClauseKind::Unique) {
                self.column.unique = None;
                self.unclear.push(Aspect::Unique);
            }
            let message = format!(
                "{} names columns behind a word that speaks about one column",
                quoted(&text.text[clause.range.clone()])
            );
            let help = "declare uniqueness over several columns as an index of type UNIQUE, and mark each column of the primary key with PK";
            self.problems.push(Problem::new(text.at_byte(clause.range.start), note, message, help));
        }
        self.column.notes.push(note.trim().to_owned());
    }

    fn lists_columns(&self, note: &str) -> bool {
        let names: Option<Vec<Identifier>> = note.split(',').map(|part| names::name(part, self.folds).ok()).collect();
        names.is_some_and(|names| {
            names.iter().all(|name| self.owner.columns.contains(name)) && names != [self.column.name.value.clone()]
        })
    }

    fn on_delete(&mut self, text: Text<'_>) {
        let words = text.text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let problem = match (DELETE_ACTIONS.contains(&words.as_str()), &self.column.references) {
            (false, _) => Some("is no action of ON DELETE"),
            (true, None) => Some("stands on a column without a foreign key"),
            (true, Some(reference)) => {
                let other = reference.on_delete.as_ref().is_some_and(|action| action.value != words);
                other.then_some("contradicts the ON DELETE in `constraints`")
            }
        };
        if let Some(why) = problem {
            self.unclear.push(Aspect::Reference);
            let message = format!("`on_delete` {} {why}", quoted(text.text));
            let help = format!("write one of {} beside a column with FK -> table", DELETE_ACTIONS.join(", "));
            self.problems.push(Problem::new(text.at(), text.text, message, help));
        } else if let Some(reference) = &mut self.column.references {
            reference.on_delete = Some(Located::new(words, text.at()));
        }
    }

    fn finish(mut self) -> DeclaredColumn {
        self.contradictions();
        if self.anything {
            let silent = self.silent();
            self.unclear.extend(silent);
        }
        for aspect in &self.unclear {
            forget(&mut self.column, *aspect);
        }
        self.unclear.sort();
        self.unclear.dedup();
        self.column.not_understood = self.unclear;
        self.column
    }

    fn contradictions(&mut self) {
        if let Some(null) = self.nullable.clone() {
            let other =
                if self.column.not_null { Some("NOT NULL") } else { self.column.primary_key.as_ref().map(|_| "PK") };
            if let Some(other) = other {
                self.unclear.push(Aspect::Nullability);
                let message = format!("`NULL` and `{other}` contradict each other");
                self.problems.push(Problem::new(null, "NULL", message, "keep one of them"));
            }
        }
        let made = self.column.generated.is_some() || self.column.identity.is_some();
        let twice = self.column.generated.is_some() && self.column.identity.is_some();
        if let Some(default) = self.column.default.clone().filter(|_| made) {
            self.unclear.extend([Aspect::Default, Aspect::Generated]);
            let message = format!("DEFAULT {} and GENERATED contradict each other", quoted(&default.value));
            self.problems.push(Problem::new(default.at, &default.value, message, "keep one of them"));
        } else if let Some(identity) = self.column.identity.clone().filter(|_| twice) {
            self.unclear.push(Aspect::Generated);
            let message = "a generated column and an identity column contradict each other";
            self.problems.push(Problem::new(identity.at, "IDENTITY", message, "keep one of them"));
        }
    }

    /// The aspects that nothing was said about: prose may have meant any of them.
    fn silent(&self) -> Vec<Aspect> {
        let column = &self.column;
        let said = [
            (Aspect::Nullability, column.not_null || self.nullable.is_some() || column.primary_key.is_some()),
            (Aspect::Default, column.default.is_some()),
            (Aspect::Generated, column.generated.is_some() || column.identity.is_some()),
            (Aspect::Check, !column.checks.is_empty()),
            (Aspect::Unique, column.unique.is_some()),
            (Aspect::Reference, column.references.is_some()),
        ];
        said.into_iter().filter(|(_, said)| !said).map(|(aspect, _)| aspect).collect()
    }
}

/// `DEFAULT NULL`, with or without a cast, is no default.
fn is_null_default(default: &str) -> bool {
    let bare = default.trim_matches(['(', ')', ' ']);
    let word = bare.split("::").next().unwrap_or(bare).trim_end_matches([' ', ')']);
    word.eq_ignore_ascii_case("null")
}

/// What is unclear is not declared.
fn forget(column: &mut DeclaredColumn, aspect: Aspect) {
    match aspect {
        Aspect::Type => column.type_sql = None,
        Aspect::Nullability => column.not_null = false,
        Aspect::Default => column.default = None,
        Aspect::Generated => {
            column.generated = None;
            column.identity = None;
        }
        Aspect::Check => {}
        Aspect::Unique => column.unique = None,
        Aspect::Reference => column.references = None,
    }
}
