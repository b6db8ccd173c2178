//! How each side writes the same thing: the YAML in the dialect, the SQL in any of PostgreSQL's spellings.

use fastrand::Rng;

use crate::schema::{Check, Column, Default, Index, Predicate, Store, Table, Type};

/// The alternatives for a type's default: the YAML's text, and equal spellings in SQL.
fn defaults(ty: Type) -> &'static [(&'static str, &'static [&'static str])] {
    match ty {
        Type::Uuid => &[("gen_random_uuid()", &["gen_random_uuid()", "pg_catalog.gen_random_uuid()"])],
        Type::Varchar(_) | Type::Text => &[
            ("'pending'", &["'pending'", "'pending'::text", "'pending'::varchar", "('pending')"]),
            ("'open, or not'", &["'open, or not'"]),
        ],
        Type::Char(_) => &[("'USD'", &["'USD'", "'USD'::char(3)"]), ("'EUR'", &["'EUR'"])],
        Type::Smallint | Type::Integer | Type::Bigint => {
            &[("0", &["0", "'0'", "(0)", "0::bigint"]), ("1 (optimistic lock)", &["1", "'1'"]), ("-1", &["-1", "'-1'"])]
        }
        Type::Decimal(..) => &[("0", &["0", "0.00", "'0'"]), ("9.5", &["9.5", "9.50"])],
        Type::Double => &[("0.5", &["0.5", "'0.5'", ".5"])],
        Type::Boolean => &[("FALSE", &["false", "'f'", "'no'", "FALSE"]), ("TRUE", &["true", "'yes'", "'on'"])],
        Type::Timestamptz | Type::Timestamp => {
            &[("NOW()", &["now()", "CURRENT_TIMESTAMP", "transaction_timestamp()", "pg_catalog.now()"])]
        }
        Type::Date => &[("CURRENT_DATE", &["CURRENT_DATE", "current_date"])],
        Type::Jsonb => &[("'{}'", &["'{}'", "'{}'::jsonb", "'{ }'"]), ("'[]'", &["'[]'"])],
        Type::TextArray => &[("'{}'", &["'{}'", "'{}'::text[]", "ARRAY[]::text[]"])],
    }
}

/// How many different defaults a type knows here.
pub(crate) fn default_count(ty: Type) -> usize {
    defaults(ty).len()
}

fn type_in_yaml(ty: Type) -> String {
    match ty {
        Type::Uuid => "UUID".into(),
        Type::Varchar(n) => format!("VARCHAR({n})"),
        Type::Text => "TEXT".into(),
        Type::Char(n) => format!("CHAR({n})"),
        Type::Smallint => "SMALLINT".into(),
        Type::Integer => "INTEGER".into(),
        Type::Bigint => "BIGINT".into(),
        Type::Boolean => "BOOLEAN".into(),
        Type::Timestamptz => "TIMESTAMPTZ".into(),
        Type::Timestamp => "TIMESTAMP".into(),
        Type::Date => "DATE".into(),
        Type::Decimal(p, s) => format!("DECIMAL({p},{s})"),
        Type::Double => "DOUBLE PRECISION".into(),
        Type::Jsonb => "JSONB".into(),
        Type::TextArray => "TEXT[]".into(),
    }
}

fn type_in_sql(ty: Type, rng: &mut Rng) -> String {
    let spellings: Vec<String> = match ty {
        Type::Uuid => vec!["uuid".into(), "pg_catalog.uuid".into()],
        Type::Varchar(n) => vec![format!("varchar({n})"), format!("character varying ({n})")],
        Type::Text => vec!["text".into(), "TEXT".into()],
        Type::Char(n) => vec![format!("char({n})"), format!("character({n})"), format!("bpchar({n})")],
        Type::Smallint => vec!["smallint".into(), "int2".into()],
        Type::Integer => vec!["integer".into(), "int".into(), "int4".into()],
        Type::Bigint => vec!["bigint".into(), "int8".into()],
        Type::Boolean => vec!["boolean".into(), "bool".into()],
        Type::Timestamptz => vec!["timestamptz".into(), "timestamp with time zone".into()],
        Type::Timestamp => vec!["timestamp".into(), "timestamp without time zone".into()],
        Type::Date => vec!["date".into()],
        Type::Decimal(p, s) => vec![format!("numeric({p},{s})"), format!("decimal({p}, {s})")],
        Type::Double => vec!["double precision".into(), "float8".into(), "float".into()],
        Type::Jsonb => vec!["jsonb".into()],
        Type::TextArray => vec!["text[]".into(), "text ARRAY".into()],
    };
    spellings[rng.usize(..spellings.len())].clone()
}

/// The service's entry in the YAML.
pub(crate) fn yaml(service: &str, store: &Store) -> String {
    let mut text = format!("{service}:\n  engine: PostgreSQL 15\n  schema: {}\n  tables:\n", store.schema);
    for table in &store.tables {
        text.push_str(&format!("  - {}\n", table.name));
    }
    text.push_str("  table_details:\n");
    for table in &store.tables {
        text.push_str(&format!("    {}:\n      columns:\n", table.name));
        for column in &table.columns {
            text.push_str(&column_in_yaml(table, column));
        }
        if !table.indexes.is_empty() {
            text.push_str("      indexes:\n");
        }
        for index in &table.indexes {
            text.push_str(&index_in_yaml(index));
        }
    }
    text
}

fn column_in_yaml(table: &Table, column: &Column) -> String {
    let mut constraints = Vec::new();
    if table.key.contains(&column.name) {
        constraints.push("PK".to_owned());
    } else if column.not_null {
        constraints.push("NOT NULL".to_owned());
    }
    constraints.extend(column.unique.then(|| "UNIQUE".to_owned()));
    constraints.extend(column.default.map(|Default(position)| format!("DEFAULT {}", defaults(column.ty)[position].0)));
    constraints.extend(column.check.as_ref().map(|check| match check {
        Check::Range(low, high) => format!("CHECK ({low}-{high})"),
        Check::Above(low) => format!("CHECK (> {low})"),
    }));
    constraints.extend(column.references.as_ref().map(|reference| format!("FK -> {}", reference.table)));
    constraints.extend(column.generated.as_ref().map(|source| format!("GENERATED ALWAYS AS (lower({source}))")));
    let mut entry = format!("      - name: {}\n        type: {}\n", column.name, type_in_yaml(column.ty));
    if !constraints.is_empty() {
        let text = constraints.join(", ").replace('\'', "''");
        entry.push_str(&format!("        constraints: '{text}'\n"));
    }
    if let Some(action) = column.references.as_ref().and_then(|reference| reference.on_delete) {
        entry.push_str(&format!("        on_delete: {}\n", action.to_lowercase()));
    }
    entry
}

fn index_in_yaml(index: &Index) -> String {
    let keys: Vec<_> = index.keys.iter().map(key_text).collect();
    let mut entry = format!("      - name: {}\n        columns: {}\n", index.name, keys.join(", "));
    if index.unique {
        entry.push_str("        type: UNIQUE\n");
    } else if let Some(method) = index.method {
        entry.push_str(&format!("        type: {method}\n"));
    } else if let Some(predicate) = &index.predicate {
        entry.push_str(&format!("        type: WHERE {}\n", predicate_text(predicate)));
    }
    if !index.include.is_empty() {
        entry.push_str(&format!("        include: {}\n", index.include.join(", ")));
    }
    entry
}

fn key_text(key: &crate::schema::Key) -> String {
    let order = if key.descending { " DESC" } else { "" };
    let nulls = if key.nulls_last { " NULLS LAST" } else { "" };
    format!("{}{order}{nulls}", key.column)
}

fn predicate_text(predicate: &Predicate) -> String {
    match predicate {
        Predicate::IsNull(column) => format!("{column} IS NULL"),
        Predicate::Equals(column, value) => format!("{column} = '{value}'"),
    }
}

/// The service's migration. Constraints stand inline or on lines of their own, columns come late, as people do it.
pub(crate) fn sql(store: &Store, rng: &mut Rng) -> String {
    let mut text = format!("CREATE SCHEMA {};\n\n", store.schema);
    for table in &store.tables {
        text.push_str(&table_in_sql(&store.schema, table, rng));
    }
    text
}

fn table_in_sql(schema: &str, table: &Table, rng: &mut Rng) -> String {
    let full = format!("{schema}.{}", table.name);
    let (mut lines, mut after) = (Vec::new(), Vec::new());
    for (position, column) in table.columns.iter().enumerate() {
        let definition = column_in_sql(schema, table, column, rng, &full, &mut after);
        if position > 1 && column.generated.is_none() && !table.uses(&column.name) && rng.u8(..6) == 0 {
            after.insert(0, format!("ALTER TABLE {full} ADD COLUMN {definition};"));
        } else {
            lines.push(format!("    {definition}"));
        }
    }
    if !table.key.is_empty() {
        let key = format!("PRIMARY KEY ({})", table.key.join(", "));
        // A table that references itself needs its key at once.
        let own = table.columns.iter().any(|column| column.references.as_ref().is_some_and(|r| r.table == table.name));
        if own || rng.bool() {
            lines.push(format!("    {key}"));
        } else {
            after.push(format!("ALTER TABLE {full} ADD CONSTRAINT {}_key {key};", table.name));
        }
    }
    let indexes = table.indexes.iter().map(|index| index_in_sql(&full, index));
    after.extend(indexes);
    format!("CREATE TABLE {full} (\n{}\n);\n{}\n\n", lines.join(",\n"), after.join("\n"))
}

fn column_in_sql(
    schema: &str,
    table: &Table,
    column: &Column,
    rng: &mut Rng,
    full: &str,
    after: &mut Vec<String>,
) -> String {
    let name = &column.name;
    let mut definition = format!("{name} {}", type_in_sql(column.ty, rng));
    if let Some(source) = &column.generated {
        return format!("{definition} GENERATED ALWAYS AS (LOWER({source})) STORED");
    }
    if let Some(Default(position)) = column.default {
        let spellings = defaults(column.ty)[position].1;
        definition.push_str(&format!(" DEFAULT {}", spellings[rng.usize(..spellings.len())]));
    }
    if column.not_null && !(table.key.contains(name) && rng.bool()) {
        definition.push_str(" NOT NULL");
    }
    if column.unique {
        match rng.u8(..3) {
            0 => definition.push_str(" UNIQUE"),
            1 => after.push(format!("ALTER TABLE {full} ADD CONSTRAINT {}_{name}_uq UNIQUE ({name});", table.name)),
            _ => after.push(format!("CREATE UNIQUE INDEX {}_{name}_ux ON {full} ({name});", table.name)),
        }
    }
    if let Some(check) = &column.check {
        let text = match (check, rng.bool()) {
            (Check::Range(low, high), true) => format!("{name} BETWEEN {low} AND {high}"),
            (Check::Range(low, high), false) => format!("{name} >= {low} AND {name} <= {high}"),
            (Check::Above(low), _) => format!("({name}) > {low}"),
        };
        definition.push_str(&format!(" CHECK ({text})"));
    }
    if let Some(reference) = &column.references {
        let action = reference.on_delete.map_or(String::new(), |action| format!(" ON DELETE {action}"));
        let target = format!("REFERENCES {schema}.{}{action}", reference.table);
        if rng.bool() {
            definition.push_str(&format!(" {target}"));
        } else {
            after.push(format!("ALTER TABLE {full} ADD FOREIGN KEY ({name}) {target};"));
        }
    }
    definition
}

fn index_in_sql(full: &str, index: &Index) -> String {
    let keys: Vec<_> = index.keys.iter().map(key_text).collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    let method = index.method.map_or(String::new(), |method| format!("USING {method} "));
    let include =
        if index.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", index.include.join(", ")) };
    let predicate =
        index.predicate.as_ref().map_or(String::new(), |predicate| format!(" WHERE {}", predicate_text(predicate)));
    format!("CREATE {unique}INDEX {} ON {full} {method}({}){include}{predicate};", index.name, keys.join(", "))
}
