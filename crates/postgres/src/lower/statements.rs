//! Declared tables as DDL: a compact form, tried first, and one statement an item, to find out which one is refused.

use trueup_migrations::expression::{prove_expression, prove_type};
use trueup_model::declared::{
    Check, DeclaredColumn, DeclaredIndex, Identity, IndexTerm, OperatorClass, TableDetails, Target,
};
use trueup_model::location::RawSql;
use trueup_model::lowered::{Item, Refusal};
use trueup_model::name::{Identifier, QualifiedName};

/// The type a column stands with when its own is refused, so that the column still exists.
const SUBSTITUTE: &str = "text";

/// One statement for one item, and the columns it rests on.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) item: Item,
    pub(super) sql: String,
    /// What to run when it is refused, so that the rest can go on.
    pub(super) otherwise: Option<String>,
    /// Columns without which it makes no sense.
    pub(super) columns: Vec<Identifier>,
    /// Extensions that bring the operator classes it names.
    pub(super) extensions: Vec<&'static str>,
}

/// A declared table, rendered.
#[derive(Clone, Debug, Default)]
pub(super) struct Rendered {
    /// CREATE TABLE and its indexes, in one text; `None` when something was refused before it reached the server.
    pub(super) compact: Option<String>,
    /// The same, item by item.
    pub(super) steps: Vec<Step>,
    /// What is no single type or expression, and so never enters a statement.
    pub(super) refused: Vec<(Item, Refusal)>,
}

/// Replaces declared types: on the replayed side's types, the server prints expressions as it prints them there.
pub(super) type TypeOf<'a> = &'a (dyn Fn(&DeclaredColumn) -> Option<String> + Sync);

/// Renders a table under the name it has on the scratch server. Foreign keys come later, see [`references`].
pub(super) fn table(name: &QualifiedName, details: &TableDetails, type_of: TypeOf<'_>) -> Rendered {
    let mut rendered = Rendered::default();
    let mut definitions = Vec::new();
    rendered.steps.push(step(Item::Table, format!("CREATE TABLE {} ()", name.quoted())));
    for column in &details.columns {
        definitions.push(column_steps(name, column, type_of, &mut rendered));
    }
    constraints(name, details, &mut rendered, &mut definitions);
    let mut compact = vec![format!("CREATE TABLE {} ({})", name.quoted(), definitions.join(", "))];
    for index in details.indexes.iter().filter(|index| !index.not_understood) {
        compact.extend(index_step(name, index, &mut rendered));
    }
    rendered.compact = rendered.refused.is_empty().then(|| compact.join(";\n"));
    rendered
}

/// A declared table's name on the scratch server, and its declared key.
pub(super) type KeyOf<'a> = &'a dyn Fn(&Identifier) -> Option<(QualifiedName, Vec<Identifier>)>;

/// One statement for each foreign key of the table.
pub(super) fn references(name: &QualifiedName, details: &TableDetails, key_of: KeyOf<'_>) -> Vec<Step> {
    let declared = details.columns.iter().filter_map(|column| Some((column, column.references.as_ref()?)));
    let steps = declared.filter_map(|(column, reference)| {
        let Target::Table { table, column: target } = &reference.target else { return None };
        let item = Item::Reference(column.name.value.clone());
        let (target_table, key) = key_of(table)?;
        let key = target.as_ref().map_or(key, |column| vec![column.clone()]);
        let on_delete = reference.on_delete.as_ref().and_then(|action| action_sql(&action.value));
        let sql = format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}){}",
            name.quoted(),
            item.constraint_name(&name.name)?.quoted(),
            column.name.value.quoted(),
            target_table.quoted(),
            quoted_list(&key),
            on_delete.unwrap_or_default(),
        );
        Some(Step { columns: vec![column.name.value.clone()], ..step(item, sql) })
    });
    steps.collect()
}

/// The action, from a closed list: text of the YAML never becomes SQL here.
fn action_sql(action: &str) -> Option<&'static str> {
    Some(match action {
        "CASCADE" => " ON DELETE CASCADE",
        "RESTRICT" => " ON DELETE RESTRICT",
        "SET NULL" => " ON DELETE SET NULL",
        "SET DEFAULT" => " ON DELETE SET DEFAULT",
        _ => return None,
    })
}

fn step(item: Item, sql: String) -> Step {
    Step { item, sql, otherwise: None, columns: Vec::new(), extensions: Vec::new() }
}

/// Adds the steps of one column and returns its definition for the compact form.
fn column_steps(name: &QualifiedName, column: &DeclaredColumn, type_of: TypeOf<'_>, rendered: &mut Rendered) -> String {
    let (table, quoted) = (name.quoted(), column.name.value.quoted());
    let type_sql = type_of(column).unwrap_or_else(|| declared_type(column, rendered));
    let mut definition = format!("{quoted} {type_sql}");
    rendered.steps.push(Step {
        otherwise: Some(format!("ALTER TABLE {table} ADD COLUMN {quoted} {SUBSTITUTE}")),
        ..step(Item::Type(column.name.value.clone()), format!("ALTER TABLE {table} ADD COLUMN {quoted} {type_sql}"))
    });
    if let Some((item, clause)) = generation(column, rendered) {
        definition = format!("{definition} {clause}");
        rendered.steps.push(generation_step(&table, column, &type_sql, item, &clause));
    }
    if let Some(default) = proven(column.default.as_ref(), &Item::Default(column.name.value.clone()), rendered) {
        definition = format!("{definition} DEFAULT ({default})");
        let sql = format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT ({default})");
        rendered.steps.push(Step {
            columns: vec![column.name.value.clone()],
            ..step(Item::Default(column.name.value.clone()), sql)
        });
    }
    if column.not_null {
        definition.push_str(" NOT NULL");
        let sql = format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL");
        rendered.steps.push(step(Item::Type(column.name.value.clone()), sql));
    }
    definition
}

/// The declared type, proven to be one type name; the substitute when it is missing or proves to be more than that.
fn declared_type(column: &DeclaredColumn, rendered: &mut Rendered) -> String {
    let Some(written) = &column.type_sql else { return SUBSTITUTE.to_owned() };
    match prove_type(&written.value) {
        Ok(()) => written.value.clone(),
        Err(error) => {
            rendered.refused.push((Item::Type(column.name.value.clone()), refused_by_us(&error.to_string())));
            SUBSTITUTE.to_owned()
        }
    }
}

/// GENERATED as a clause of the column.
fn generation(column: &DeclaredColumn, rendered: &mut Rendered) -> Option<(Item, String)> {
    let item = Item::Generated(column.name.value.clone());
    if let Some(identity) = &column.identity {
        let when = match identity.value {
            Identity::Always => "ALWAYS",
            Identity::ByDefault => "BY DEFAULT",
        };
        return Some((item, format!("GENERATED {when} AS IDENTITY")));
    }
    let expression = proven(column.generated.as_ref(), &item, rendered)?;
    Some((item, format!("GENERATED ALWAYS AS ({expression}) STORED")))
}

/// A generated column cannot be made from a plain one: the step replaces it.
fn generation_step(table: &str, column: &DeclaredColumn, type_sql: &str, item: Item, clause: &str) -> Step {
    let quoted = column.name.value.quoted();
    let sql = match column.identity {
        Some(_) => {
            format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL, ALTER COLUMN {quoted} ADD {clause}")
        }
        None => format!("ALTER TABLE {table} DROP COLUMN {quoted}, ADD COLUMN {quoted} {type_sql} {clause}"),
    };
    Step { columns: vec![column.name.value.clone()], ..step(item, sql) }
}

fn constraints(name: &QualifiedName, details: &TableDetails, rendered: &mut Rendered, definitions: &mut Vec<String>) {
    let key: Vec<_> = details.primary_key().map(|column| column.name.value.clone()).collect();
    if !key.is_empty() {
        constraint(
            name,
            Item::PrimaryKey,
            &format!("PRIMARY KEY ({})", quoted_list(&key)),
            &key,
            rendered,
            definitions,
        );
    }
    for column in &details.columns {
        let own = std::slice::from_ref(&column.name.value);
        if column.unique.is_some() {
            let clause = format!("UNIQUE ({})", quoted_list(own));
            constraint(name, Item::Unique(column.name.value.clone()), &clause, own, rendered, definitions);
        }
        for (position, check) in column.checks.iter().enumerate() {
            let item = Item::Check(column.name.value.clone(), position);
            match check_sql(&column.name.value, &check.value) {
                Ok(clause) => constraint(name, item, &clause, own, rendered, definitions),
                Err(message) => rendered.refused.push((item, refused_by_us(&message))),
            }
        }
    }
}

fn constraint(
    name: &QualifiedName,
    item: Item,
    clause: &str,
    columns: &[Identifier],
    rendered: &mut Rendered,
    definitions: &mut Vec<String>,
) {
    let Some(own_name) = item.constraint_name(&name.name) else { return };
    let definition = format!("CONSTRAINT {} {clause}", own_name.quoted());
    let sql = format!("ALTER TABLE {} ADD {definition}", name.quoted());
    definitions.push(definition);
    rendered.steps.push(Step { columns: columns.to_vec(), ..step(item, sql) });
}

/// The three forms of the dialect as one CHECK clause.
fn check_sql(column: &Identifier, check: &Check) -> Result<String, String> {
    let prove = |sql: &str| prove_expression(sql).map_err(|error| error.to_string());
    let quoted = column.quoted();
    Ok(match check {
        Check::Range { low, high } => {
            prove(low)?;
            prove(high)?;
            format!("CHECK ({quoted} >= ({low}) AND {quoted} <= ({high}))")
        }
        Check::Comparison { operator, operand } => {
            prove(operand)?;
            let known = ["<", "<=", ">", ">=", "=", "<>"].into_iter().find(|known| known == operator);
            let operator = known.ok_or_else(|| format!("`{operator}` is not a comparison"))?;
            format!("CHECK ({quoted} {operator} ({operand}))")
        }
        Check::Expression(expression) => {
            prove(expression)?;
            format!("CHECK ({expression})")
        }
    })
}

/// Adds the step of one index and returns its SQL, unless something in it is no single expression.
fn index_step(name: &QualifiedName, index: &DeclaredIndex, rendered: &mut Rendered) -> Option<String> {
    let item = Item::Index(index.name.value.clone());
    match index_sql(name, index) {
        Ok(sql) => {
            let plain = index.keys.iter().filter_map(|key| match &key.term {
                IndexTerm::Column(column) => Some(column.clone()),
                IndexTerm::Expression(_) => None,
            });
            let columns = plain.chain(index.include.iter().map(|column| column.value.clone())).collect();
            let classes = index.keys.iter().filter_map(|key| key.operator_class.as_ref());
            let extensions = classes.filter_map(OperatorClass::extension).collect();
            rendered.steps.push(Step { columns, extensions, ..step(item, sql.clone()) });
            Some(sql)
        }
        Err(message) => {
            rendered.refused.push((item, refused_by_us(&message)));
            None
        }
    }
}

fn index_sql(name: &QualifiedName, index: &DeclaredIndex) -> Result<String, String> {
    let prove = |sql: &str| prove_expression(sql).map_err(|error| error.to_string());
    let mut keys = Vec::new();
    for key in &index.keys {
        let mut sql = match &key.term {
            IndexTerm::Column(column) => column.quoted(),
            IndexTerm::Expression(expression) => {
                prove(expression)?;
                format!("({expression})")
            }
        };
        if let Some(class) = &key.operator_class {
            sql.push(' ');
            sql.push_str(&class.quoted());
        }
        sql.push_str(if key.descending { " DESC" } else { "" });
        sql.push_str(key.nulls_first.map_or("", |first| if first { " NULLS FIRST" } else { " NULLS LAST" }));
        keys.push(sql);
    }
    let method = index.method.as_ref().map_or("btree", |method| method.value.as_str());
    let include: Vec<_> = index.include.iter().map(|column| column.value.clone()).collect();
    let include = if include.is_empty() { String::new() } else { format!(" INCLUDE ({})", quoted_list(&include)) };
    let predicate = match &index.predicate {
        Some(predicate) => {
            prove(&predicate.value)?;
            format!(" WHERE ({})", predicate.value)
        }
        None => String::new(),
    };
    Ok(format!(
        "CREATE {}INDEX {} ON {} USING {} ({}){include}{}{predicate}",
        if index.unique { "UNIQUE " } else { "" },
        index.name.value.quoted(),
        name.quoted(),
        Identifier::new(method).quoted(),
        keys.join(", "),
        if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" },
    ))
}

/// The text of an expression, once it is proven to be exactly one.
fn proven(sql: Option<&RawSql>, item: &Item, rendered: &mut Rendered) -> Option<String> {
    let sql = sql?;
    match prove_expression(&sql.value) {
        Ok(()) => Some(sql.value.clone()),
        Err(error) => {
            rendered.refused.push((item.clone(), refused_by_us(&error.to_string())));
            None
        }
    }
}

fn refused_by_us(message: &str) -> Refusal {
    Refusal { sqlstate: String::new(), message: message.to_owned(), missing_extension: false, consequence: false }
}

pub(super) fn quoted_list(columns: &[Identifier]) -> String {
    columns.iter().map(Identifier::quoted).collect::<Vec<_>>().join(", ")
}
