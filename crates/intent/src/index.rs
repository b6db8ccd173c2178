//! One index of a table: `{name, columns, type}` or `[name, columns, type]`.

use std::ops::Range;

use trueup_model::declared::{DeclaredIndex, IndexKey, IndexTerm, OperatorClass};
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::location::Located;
use trueup_model::name::{Identifier, QualifiedName};

use crate::constraint::is_value_word;
use crate::document::{Node, Text, Value};
use crate::prose::{Kind, Token, extent, lex, pieces};
use crate::report::{Problem, Scope, quoted};
use crate::written::{self, Entry};
use crate::{fields, names};

/// The keys of an index.
pub(crate) const KEYS: [&str; 10] = [
    "name",
    "columns",
    "type",
    "renamed_from",
    "method",
    "where",
    "include",
    "unique",
    "nulls_not_distinct",
    "description",
];

const FORMS: &str = "`{name, columns, type}` or `[name, columns, type]`";
const TYPES: &str = "write UNIQUE, a method (BTREE, HASH, GIN, GIST, SPGIST, BRIN), WHERE predicate, or a combination";

/// Methods that `type` may name; `method` may name any, and PostgreSQL is the judge.
const METHODS: [&str; 10] = ["btree", "hash", "gin", "gist", "spgist", "brin", "bloom", "hnsw", "ivfflat", "rum"];

/// Words behind a method that say what it is for, and change nothing.
const HINTS: [&str; 6] = ["spatial", "postgis", "tsvector", "jsonb", "fulltext", "index"];

#[derive(Default)]
struct Parts<'a> {
    name: Option<&'a Node>,
    columns: Option<&'a Node>,
    kind: Option<&'a Node>,
    renamed_from: Option<&'a Node>,
    method: Option<&'a Node>,
    predicate: Option<&'a Node>,
    include: Option<&'a Node>,
    unique: Option<&'a Node>,
    nulls_not_distinct: Option<&'a Node>,
    /// What a positional form has beyond its three items.
    surplus: Option<&'a Node>,
}

/// Reads one index. Without a usable name there is no index, and the reason is reported.
pub(crate) fn read(node: &Node, table: &QualifiedName, scope: &mut Scope<'_>) -> Option<DeclaredIndex> {
    let parts = parts(node, scope)?;
    let Some(name) = parts.name.and_then(|name| Text::of(name, scope.file)).filter(|name| !name.text.trim().is_empty())
    else {
        let at = scope.at(parts.name.map_or(node.at, |name| name.at));
        scope.report.error(at, "an index has no name", format!("write an index as {FORMS}"));
        return None;
    };
    let mut problems = Vec::new();
    let known = fields::name(name, "index name", scope.checked, &mut problems);
    let label = known.as_ref().map_or_else(|| names::stand_in(name.text), |name| name.value.clone());
    let mut scope = scope.about(ObjectPath::member(ObjectKind::Index, table, &label));
    let index = known.map(|name| {
        let clear_name = problems.is_empty();
        let mut reader = Reader { index: empty(name), folds: scope.checked, problems: &mut problems };
        reader.parts(&parts, &mut scope);
        let mut index = reader.index;
        index.not_understood = scope.checked && problems.len() > usize::from(!clear_name);
        index
    });
    scope.not_understood(&problems);
    if let (Some(index), Some(kind)) = (&index, parts.kind.map(written::text).filter(|text| !text.is_empty())) {
        let entry = Entry { type_text: kind.to_owned(), ..Entry::default() };
        scope.report.written.add(index.name.at.clone(), entry);
    }
    index
}

fn empty(name: Located<Identifier>) -> DeclaredIndex {
    DeclaredIndex {
        name,
        renamed_from: None,
        keys: Vec::new(),
        unique: false,
        method: None,
        predicate: None,
        include: Vec::new(),
        nulls_not_distinct: false,
        not_understood: false,
    }
}

fn parts<'a>(node: &'a Node, scope: &mut Scope<'_>) -> Option<Parts<'a>> {
    let entries = match &node.value {
        Value::Mapping(entries) => entries,
        Value::Sequence(items) => {
            let (name, columns, kind) = (items.first(), items.get(1), items.get(2));
            return Some(Parts { name, columns, kind, surplus: items.get(3), ..Parts::default() });
        }
        Value::Scalar(_) => {
            scope.wrong_type(node, "an index", FORMS);
            return None;
        }
    };
    let mut parts = Parts::default();
    let mut unknown = Vec::new();
    for entry in entries {
        let slot = match &*entry.key {
            "name" => &mut parts.name,
            "columns" => &mut parts.columns,
            "type" => &mut parts.kind,
            "renamed_from" => &mut parts.renamed_from,
            "method" => &mut parts.method,
            "where" => &mut parts.predicate,
            "include" => &mut parts.include,
            "unique" => &mut parts.unique,
            "nulls_not_distinct" => &mut parts.nulls_not_distinct,
            key => {
                if key != "description" && !fields::is_private(key) {
                    unknown.push(entry);
                }
                continue;
            }
        };
        *slot = Some(&entry.value);
    }
    for entry in unknown {
        scope.unknown_key(&entry.key, entry.key_at, &KEYS);
    }
    Some(parts)
}

struct Reader<'p> {
    index: DeclaredIndex,
    folds: bool,
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_> {
    fn parts(&mut self, parts: &Parts<'_>, scope: &mut Scope<'_>) {
        self.keys(parts.columns, scope);
        let kind = self.kind(parts.kind, scope);
        self.unique(&kind, parts.unique, scope);
        self.method(&kind, parts.method, scope);
        self.predicate(&kind, parts.predicate, scope);
        self.include(parts.include, scope);
        let nulls = parts.nulls_not_distinct.and_then(|node| fields::flag(node, "`nulls_not_distinct`", scope));
        self.index.nulls_not_distinct = nulls.unwrap_or(kind.nulls_not_distinct);
        if let Some(text) = text(parts.renamed_from, "`renamed_from`", scope) {
            self.index.renamed_from = fields::name(text, "former name", self.folds, self.problems);
        }
        if let Some(node) = parts.surplus {
            let message = "an index in the short form has more than three items";
            let help = "write [name, \"column, column\", type], the columns in quotes";
            self.problems.push(Problem::new(scope.at(node.at), "", message, help));
        }
    }

    fn keys(&mut self, node: Option<&Node>, scope: &mut Scope<'_>) {
        let file = scope.file;
        for item in node.map_or(&[][..], |node| fields::items(node, "`columns`", scope)) {
            match Text::of(item, file) {
                Some(text) => self.keys_in(text),
                None => scope.wrong_type(item, "an item of `columns`", "text"),
            }
        }
        if self.index.keys.is_empty() && self.problems.is_empty() {
            let at = node.map_or_else(|| self.index.name.at.clone(), |node| scope.at(node.at));
            let message = format!("the index {} has no columns", quoted(self.index.name.value.as_str()));
            self.problems.push(Problem::new(at, "", message, "write `columns: a, b DESC`"));
        }
    }

    fn keys_in(&mut self, text: Text<'_>) {
        let tokens = lex(text.text);
        for piece in pieces(&tokens) {
            match key(text, piece, self.folds) {
                Some(key) => self.index.keys.push(key),
                None => {
                    let range = extent(piece);
                    let written = &text.text[range.clone()];
                    let message = format!("{} is not understood as a column of an index", quoted(written));
                    let help = "write a column or an expression in brackets, then an operator class if need be, then ASC or DESC, then NULLS FIRST or NULLS LAST";
                    self.problems.push(Problem::new(text.at_byte(range.start), written, message, help));
                }
            }
        }
    }

    fn kind<'t, 's: 't>(&mut self, node: Option<&'t Node>, scope: &mut Scope<'s>) -> IndexType<'t> {
        let Some(text) = text(node, "`type`", scope) else { return IndexType::default() };
        let tokens = lex(text.text);
        match index_type(text, &tokens) {
            Some(kind) => kind,
            None if !self.folds => IndexType {
                method: Some(Located::new(text.text.to_ascii_lowercase(), text.at())),
                ..IndexType::default()
            },
            None => {
                let message = format!("the index type {} is not understood", quoted(text.text));
                self.problems.push(Problem::new(text.at(), text.text, message, TYPES));
                IndexType::default()
            }
        }
    }

    fn unique(&mut self, kind: &IndexType<'_>, node: Option<&Node>, scope: &mut Scope<'_>) {
        let said = node.and_then(|node| fields::flag(node, "`unique`", scope).map(|flag| (flag, node)));
        self.index.unique = kind.unique || matches!(said, Some((true, _)));
        if let Some((false, node)) = said.filter(|_| kind.unique) {
            self.contradiction(scope.at(node.at), "`type: UNIQUE` and `unique: false` contradict each other");
        }
    }

    fn method(&mut self, kind: &IndexType<'_>, node: Option<&Node>, scope: &mut Scope<'_>) {
        self.index.method.clone_from(&kind.method);
        let Some(text) = text(node, "`method`", scope) else { return };
        let tokens = lex(text.text);
        let known = index_type(text, &tokens)
            .filter(|kind| !kind.unique && kind.predicate.is_none())
            .and_then(|kind| kind.method);
        let one_word =
            || matches!(&tokens[..], [token] if token.kind == Kind::Word).then(|| text.text.trim().to_lowercase());
        match (known.map(|method| method.value).or_else(one_word), &kind.method) {
            (None, _) => {
                let message = format!("the index method {} is not understood", quoted(text.text));
                self.problems.push(Problem::new(text.at(), text.text, message, "write one word: btree, gin, gist, …"));
            }
            (Some(method), Some(other)) if other.value != method => {
                let message = format!("`type` says {} and `method` says {}", quoted(&other.value), quoted(&method));
                self.contradiction(text.at(), &message);
            }
            (Some(method), _) => self.index.method = Some(Located::new(method, text.at())),
        }
    }

    fn predicate(&mut self, kind: &IndexType<'_>, node: Option<&Node>, scope: &mut Scope<'_>) {
        let from_type = kind.predicate.clone();
        if let Some((text, range)) = from_type {
            self.index.predicate = fields::sql(text, range, "predicate", self.problems);
        }
        let text = text(node, "`where`", scope);
        let Some(text) = text else {
            if let Some(at) = kind.partial.clone().filter(|_| self.index.predicate.is_none()) {
                let message = "the index is said to be partial, and its predicate is missing";
                self.problems.push(Problem::new(at, "partial", message, "write `where: predicate`"));
            }
            return;
        };
        let tokens = lex(text.text);
        let named = tokens.first().is_some_and(|token| word(text.text, token).is_some_and(|word| word == "where"));
        let range = extent(&tokens[usize::from(named)..]);
        let predicate = fields::sql(text, range, "predicate", self.problems);
        let same = |a: &str, b: &str| a.split_whitespace().eq(b.split_whitespace());
        match (&self.index.predicate, &predicate) {
            (Some(old), Some(new)) if !same(&old.value, &new.value) => {
                self.contradiction(text.at(), "`type` and `where` have different predicates");
            }
            _ => self.index.predicate = predicate,
        }
    }

    fn include(&mut self, node: Option<&Node>, scope: &mut Scope<'_>) {
        let Some(node) = node else { return };
        let file = scope.file;
        for item in fields::items(node, "`include`", scope) {
            let Some(text) = Text::of(item, file) else {
                scope.wrong_type(item, "an item of `include`", "text");
                continue;
            };
            for part in text.text.split(',') {
                let at = text.at_byte(
                    part.as_ptr() as usize - text.text.as_ptr() as usize + (part.len() - part.trim_start().len()),
                );
                match names::name(part, self.folds) {
                    Ok(name) => self.index.include.push(Located::new(name, at)),
                    Err(refused) => {
                        let message = format!("the included column {} {}", quoted(part), refused.message);
                        self.problems.push(Problem::new(at, part, message, refused.help));
                    }
                }
            }
        }
    }

    fn contradiction(&mut self, at: trueup_model::location::Location, message: &str) {
        self.problems.push(Problem::new(at, message, message, "keep one of them"));
    }
}

fn text<'a, 's: 'a>(node: Option<&'a Node>, what: &str, scope: &mut Scope<'s>) -> Option<Text<'a>> {
    node.and_then(|node| fields::text(node, what, scope))
}

/// Words behind a column that are no operator class, however they are meant.
const ORDER_WORDS: [&str; 6] = ["asc", "desc", "nulls", "ascending", "descending", "collate"];

/// One key: a name, a call, or an expression in brackets, its operator class and its order.
fn key(text: Text<'_>, piece: &[Token], folds: bool) -> Option<IndexKey> {
    let first = piece.first()?;
    let calls = matches!(piece.get(1), Some(next) if next.kind == Kind::Group && !next.spaced);
    let (term, used) = match first.kind {
        Kind::Group => {
            (IndexTerm::Expression(text.text[first.range.start + 1..first.range.end - 1].trim().to_owned()), 1)
        }
        Kind::Word | Kind::Name if calls => (IndexTerm::Expression(text.text[extent(&piece[..2])].to_owned()), 2),
        Kind::Word | Kind::Name | Kind::Number => {
            let used = 1 + piece[1..].iter().take_while(|token| !token.spaced).count();
            (IndexTerm::Column(names::name(&text.text[extent(&piece[..used])], folds).ok()?), used)
        }
        _ => return None,
    };
    let (operator_class, more) = operator_class(text.text, &piece[used..], folds)?;
    let order: Vec<String> = piece[used + more..].iter().map(|token| word(text.text, token)).collect::<Option<_>>()?;
    let mut order = order.iter().map(String::as_str).collect::<Vec<_>>();
    let descending = order.first() == Some(&"desc");
    if descending || order.first() == Some(&"asc") {
        order.remove(0);
    }
    let nulls_first = match order.as_slice() {
        [] => None,
        ["nulls", "first"] => Some(true),
        ["nulls", "last"] => Some(false),
        _ => return None,
    };
    Some(IndexKey { term, operator_class, descending, nulls_first, at: text.at_byte(first.range.start) })
}

/// The operator class that these tokens start with, if any, and how many of them it takes; `None` when what stands
/// there is no name.
fn operator_class(text: &str, tokens: &[Token], folds: bool) -> Option<(Option<OperatorClass>, usize)> {
    let is_name = |token: &Token| matches!(token.kind, Kind::Word | Kind::Name);
    let absent = match tokens.first() {
        None => true,
        Some(first) => !is_name(first) || word(text, first).is_some_and(|word| ORDER_WORDS.contains(&&*word)),
    };
    if absent {
        return Some((None, 0));
    }
    let used = 1 + tokens[1..].iter().take_while(|token| !token.spaced).count();
    let (schema, name) = names::qualified(&text[extent(&tokens[..used])], folds).ok()?;
    Some((Some(OperatorClass { schema, name }), used))
}

/// What `type` says, in all that is written there.
#[derive(Default)]
struct IndexType<'t> {
    unique: bool,
    method: Option<Located<String>>,
    predicate: Option<(Text<'t>, Range<usize>)>,
    nulls_not_distinct: bool,
    /// Place of the word `partial`.
    partial: Option<trueup_model::location::Location>,
}

/// Reads `type`; `None` when a word in it is not known.
fn index_type<'t>(text: Text<'t>, tokens: &[Token]) -> Option<IndexType<'t>> {
    let mut kind = IndexType::default();
    let words: Vec<Option<String>> = tokens.iter().map(|token| word(text.text, token)).collect();
    let word = |position: usize| words.get(position).and_then(Option::as_deref);
    let mut next = 0;
    while next < tokens.len() {
        let token = &tokens[next];
        let at = || text.at_byte(token.range.start);
        match word(next) {
            Some("unique") => kind.unique = true,
            Some("composite") => {}
            Some("partial") => kind.partial = Some(at()),
            Some("nulls") if word(next + 1) == Some("not") && word(next + 2) == Some("distinct") => {
                kind.nulls_not_distinct = true;
                next += 2;
            }
            Some("where") => {
                let rest = without_note(text.text, &tokens[next + 1..]);
                let sound = !rest.is_empty() && rest.iter().all(|token| token.kind != Kind::Unclosed);
                kind.predicate = Some((text, extent(rest)));
                return sound.then_some(kind);
            }
            Some(name) => {
                let (method, used) = method(name, text.text, &tokens[next..])?;
                let known = METHODS.contains(&method.as_str());
                let hint = HINTS.contains(&method.as_str()) && (kind.method.is_some() || kind.unique);
                if known && kind.method.is_none() {
                    kind.method = Some(Located::new(method, at()));
                } else if !hint {
                    return None;
                }
                next += used - 1;
            }
            None if token.kind == Kind::Comma && next > 0 => {}
            None if token.kind == Kind::Group && next > 0 => {}
            None => return None,
        }
        next += 1;
    }
    Some(kind)
}

/// A method in lower case and how many tokens its name takes: `B-tree` and `SP-GiST` are three.
fn method(name: &str, text: &str, tokens: &[Token]) -> Option<(String, usize)> {
    let dashed = tokens.get(1).is_some_and(|token| !token.spaced && &text[token.range.clone()] == "-");
    let Some(end) = tokens.get(2).filter(|_| dashed) else {
        return Some((name.replace("sp_gist", "spgist"), 1));
    };
    Some((format!("{name}{}", word(text, end)?), 3))
}

/// A predicate without the note in brackets behind it: `returned_at IS NULL (outstanding only)`.
fn without_note<'t>(text: &str, tokens: &'t [Token]) -> &'t [Token] {
    let [before @ .., last] = tokens else { return tokens };
    let complete = before.last().is_some_and(|token| match token.kind {
        Kind::Word => is_value_word(&text[token.range.clone()]),
        Kind::Number | Kind::Quoted | Kind::Group => true,
        _ => false,
    });
    if last.kind == Kind::Group && last.spaced && complete { before } else { tokens }
}

fn word(text: &str, token: &Token) -> Option<String> {
    (token.kind == Kind::Word).then(|| text[token.range.clone()].to_ascii_lowercase())
}
