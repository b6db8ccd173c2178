//! A made-up data store, and the alphabet it is made from.

use fastrand::Rng;

/// One service: a schema with a few tables.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) schema: String,
    pub(crate) tables: Vec<Table>,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Names of the key columns, in column order.
    pub(crate) key: Vec<String>,
    pub(crate) indexes: Vec<Index>,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Default>,
    pub(crate) unique: bool,
    pub(crate) check: Option<Check>,
    pub(crate) references: Option<Reference>,
    /// `lower(other)` of a text column, stored.
    pub(crate) generated: Option<String>,
}

/// A type as the YAML writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Uuid,
    Varchar(u32),
    Text,
    Char(u32),
    Smallint,
    Integer,
    Bigint,
    Boolean,
    Timestamptz,
    Timestamp,
    Date,
    Decimal(u32, u32),
    Double,
    Jsonb,
    TextArray,
}

/// A default: position in the alternatives of its type, see `spelling`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Default(pub usize);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Range(i32, i32),
    Above(i32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) table: String,
    pub(crate) on_delete: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) unique: bool,
    pub(crate) method: Option<&'static str>,
    pub(crate) predicate: Option<Predicate>,
    pub(crate) include: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) column: String,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Predicate {
    IsNull(String),
    Equals(String, &'static str),
}

impl Type {
    const ALL: [Self; 15] = [
        Self::Uuid,
        Self::Varchar(40),
        Self::Text,
        Self::Char(3),
        Self::Smallint,
        Self::Integer,
        Self::Bigint,
        Self::Boolean,
        Self::Timestamptz,
        Self::Timestamp,
        Self::Date,
        Self::Decimal(10, 2),
        Self::Double,
        Self::Jsonb,
        Self::TextArray,
    ];

    /// A type that holds everything this one holds, where there is one.
    pub(crate) fn widened(self) -> Option<Self> {
        Some(match self {
            Self::Varchar(n) => Self::Varchar(n + 20),
            Self::Char(n) => Self::Char(n + 2),
            Self::Smallint => Self::Integer,
            Self::Integer => Self::Bigint,
            Self::Decimal(p, s) => Self::Decimal(p + 2, s),
            Self::Timestamp => Self::Timestamptz,
            _ => return None,
        })
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Smallint | Self::Integer | Self::Bigint | Self::Decimal(..) | Self::Double)
    }
}

impl Store {
    /// A store of one to three tables that both sides can say.
    pub(crate) fn generate(rng: &mut Rng, number: usize) -> Self {
        let mut store = Self { schema: format!("store_{number}"), tables: Vec::new() };
        for position in 0..rng.usize(2..=3) {
            let table = Table::generate(rng, &store, position);
            store.tables.push(table);
        }
        store
    }
}

impl Table {
    fn generate(rng: &mut Rng, store: &Store, position: usize) -> Self {
        let name = format!("{}_{position}", ["orders", "guests", "trips", "items", "events"][rng.usize(..5)]);
        let id = Column { not_null: true, default: Some(Default(0)), ..Column::plain("row_id", Type::Uuid) };
        let mut table = Self { name, columns: vec![id], key: vec!["row_id".into()], indexes: Vec::new() };
        for number in 0..rng.usize(6..=9) {
            table.columns.push(Column::generate(rng, number));
        }
        // What some mutations need is always there: a text, a number, a nullable column that nothing else uses.
        table.columns.push(Column { not_null: true, ..Column::plain("title", Type::Varchar(80)) });
        table.columns.push(Column { check: Some(Check::Range(1, 5)), ..Column::plain("rating", Type::Integer) });
        table.columns.push(Column::plain("spare_note", Type::Text));
        if let Some(target) = store.tables.first() {
            let on_delete = [None, Some("CASCADE"), Some("SET NULL")][rng.usize(..3)];
            let references = Some(Reference { table: target.name.clone(), on_delete });
            table.columns.push(Column { references, ..Column::plain("parent_id", Type::Uuid) });
        }
        if rng.bool() {
            let generated = Some("title".to_owned());
            table.columns.push(Column { generated, ..Column::plain("title_lower", Type::Text) });
        }
        table.add_indexes(rng);
        table
    }

    fn add_indexes(&mut self, rng: &mut Rng) {
        for number in 0..rng.usize(2..=4) {
            let mut columns: Vec<_> = self.plain_columns().map(|column| column.name.clone()).collect();
            rng.shuffle(&mut columns);
            let key = |column: &String, rng: &mut Rng| {
                let descending = rng.u8(..4) == 0;
                Key { column: column.clone(), descending, nulls_last: descending && rng.bool() }
            };
            let keys: Vec<_> = columns.iter().take(rng.usize(1..=2)).map(|column| key(column, rng)).collect();
            let predicate = match rng.u8(..4) {
                0 => Some(Predicate::IsNull("spare_note".into())),
                1 => Some(Predicate::Equals("title".into(), "open")),
                _ => None,
            };
            let include = if rng.u8(..5) == 0 { vec!["rating".to_owned()] } else { Vec::new() };
            let index = Index {
                name: format!("idx_{}_{number}", self.name),
                unique: predicate.is_none() && rng.u8(..4) == 0,
                keys,
                method: None,
                predicate,
                include,
            };
            if !self.indexes.iter().any(|other| other.keys == index.keys) {
                self.indexes.push(index);
            }
        }
        if let Some(column) = self.columns.iter().find(|column| column.ty == Type::Jsonb) {
            let keys = vec![Key { column: column.name.clone(), descending: false, nulls_last: false }];
            let name = format!("idx_{}_document", self.name);
            let method = Some("GIN");
            self.indexes.push(Index { name, keys, unique: false, method, predicate: None, include: Vec::new() });
        }
    }

    /// Columns that a btree index can be over and that nothing else is said about.
    fn plain_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| {
            column.ty != Type::Jsonb
                && !column.unique
                && column.generated.is_none()
                && !["row_id", "title", "rating", "spare_note"].contains(&column.name.as_str())
        })
    }

    /// Whether anything besides the column's own line mentions it.
    pub(crate) fn uses(&self, column: &str) -> bool {
        let by_index = |index: &Index| {
            index.keys.iter().any(|key| key.column == column)
                || index.include.iter().any(|included| included == column)
                || index.predicate.as_ref().is_some_and(|predicate| predicate.column() == column)
        };
        self.key.iter().any(|key| key == column)
            || self.indexes.iter().any(by_index)
            || self.columns.iter().any(|other| other.generated.as_deref() == Some(column))
    }
}

impl Predicate {
    pub(crate) fn column(&self) -> &str {
        match self {
            Self::IsNull(column) | Self::Equals(column, _) => column,
        }
    }
}

impl Column {
    pub(crate) fn plain(name: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            not_null: false,
            default: None,
            unique: false,
            check: None,
            references: None,
            generated: None,
        }
    }

    fn generate(rng: &mut Rng, number: usize) -> Self {
        let ty = Type::ALL[rng.usize(..Type::ALL.len())];
        let mut column = Self { not_null: rng.bool(), ..Self::plain(&format!("field_{number}"), ty) };
        if rng.u8(..3) == 0 {
            column.default = crate::spelling::default_count(ty).checked_sub(1).map(|last| Default(rng.usize(..=last)));
        }
        column.unique = ty != Type::Jsonb && rng.u8(..6) == 0;
        if ty.is_number() && rng.u8(..3) == 0 {
            column.check = Some(if rng.bool() { Check::Range(0, 95) } else { Check::Above(-1) });
        }
        column
    }
}
