//! Lowering: the declared schema, created on the server that replayed the migrations, and read back.
//!
//! It happens inside one transaction that is rolled back, in schemas of its own, so a declared type may be one that
//! the migrations made, and nothing of it remains.

mod statements;

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use trueup_migrations::constant::is_constant;
use trueup_model::agreement::{Pairing, TablePair};
use trueup_model::canonical::{Canonical, Table};
use trueup_model::declared::{DeclaredColumn, DeclaredService, TableDetails};
use trueup_model::lowered::{Constant, Evaluated, Item, Lowered, Refusal};
use trueup_model::name::{Identifier, QualifiedName};

use crate::introspect::{self, IntrospectError};
use statements::{Rendered, Step};

/// The scratch schemas; each declared schema of the service has its own, by position.
const DECLARED: &str = "trueup_declared_";
const PAIRED: &str = "trueup_paired_";

/// The server could not be asked; what it refuses is not an error but a [`Refusal`].
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// The connection or the server failed.
    #[error("the disposable PostgreSQL failed while it read the declared schema: {0}")]
    Server(#[from] tokio_postgres::Error),
    /// What it created could not be read back.
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
    /// A schema just created is not there.
    #[error("the disposable PostgreSQL does not know the schema {0} that it just created")]
    NoSchema(String),
}

/// Lowers one service on the database that holds what its migrations produced.
///
/// `missing_extensions` are those that the service needs and the server lacks: what is refused then, for want of a type,
/// a function or an operator class, is unknown rather than wrong.
pub async fn lower(
    client: &Client,
    service: &DeclaredService,
    pairing: &Pairing,
    replayed: &Canonical,
    missing_extensions: &[Identifier],
) -> Result<Lowered, LowerError> {
    let schemas = schemas(pairing);
    let lowering = Lowering { client, service, pairing, replayed, schemas, lacking: missing_extensions };
    client.batch_execute(&lowering.begin()).await?;
    let lowered = lowering.run().await;
    // Nothing of it may remain, whatever happened.
    client.batch_execute("ROLLBACK").await?;
    lowered
}

/// Evaluates those of `questions` that are constants, each cast to its type; what the server refuses has no value.
pub async fn evaluate(client: &Client, questions: &[Constant]) -> Result<Evaluated, LowerError> {
    let mut evaluated = Evaluated::default();
    for question in questions.iter().filter(|question| is_constant(&question.expression)) {
        let sql = format!("SELECT (({})::{})::text", question.expression, question.type_name);
        match client.simple_query(&sql).await {
            Ok(messages) => evaluated.insert(question.clone(), first_value(&messages)),
            Err(error) => {
                refusal(error)?;
            }
        }
    }
    Ok(evaluated)
}

fn first_value(messages: &[tokio_postgres::SimpleQueryMessage]) -> Option<String> {
    messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}

fn schemas(pairing: &Pairing) -> Vec<Identifier> {
    let mut schemas = vec![pairing.schema.declared.clone()];
    for pair in &pairing.tables {
        if !schemas.contains(&pair.declared.schema) {
            schemas.push(pair.declared.schema.clone());
        }
    }
    schemas
}

struct Lowering<'a> {
    client: &'a Client,
    service: &'a DeclaredService,
    pairing: &'a Pairing,
    replayed: &'a Canonical,
    /// The distinct declared schemas of the service's tables, the service's own first; a scratch schema has the
    /// number of its place here.
    schemas: Vec<Identifier>,
    lacking: &'a [Identifier],
}

/// Which of the two scratch forms is being made.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Declared,
    Paired,
}

impl Form {
    fn prefix(self) -> &'static str {
        match self {
            Self::Declared => DECLARED,
            Self::Paired => PAIRED,
        }
    }
}

impl Lowering<'_> {
    /// The transaction, its schemas, and a search path that finds the types that the migrations made.
    fn begin(&self) -> String {
        let path = format!("{DECLARED}0, {}, public", self.pairing.schema.replayed.quoted());
        format!("BEGIN; SET LOCAL client_min_messages = error; SET LOCAL search_path = {path};")
    }

    /// Creates the schemas of one form. Everything made in them has this oid or a later one.
    async fn create_schemas(&self, form: Form) -> Result<u32, LowerError> {
        let names = (0..self.schemas.len()).map(|position| format!("{}{position}", form.prefix()));
        let mut sql: String = names.map(|name| format!("CREATE SCHEMA {name};")).collect();
        let first = format!("{}0", form.prefix());
        sql.push_str("SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) '");
        sql.push_str(&first);
        sql.push('\'');
        let oid = first_value(&self.client.simple_query(&sql).await?);
        oid.and_then(|oid| oid.parse().ok()).ok_or(LowerError::NoSchema(first))
    }

    /// A declared table's name on the scratch server.
    fn scratch_name(&self, form: Form, declared: &QualifiedName) -> QualifiedName {
        let position = self.schemas.iter().position(|schema| schema == &declared.schema).unwrap_or_default();
        QualifiedName::new(format!("{}{position}", form.prefix()), declared.name.clone())
    }

    async fn run(&self) -> Result<Lowered, LowerError> {
        let mut lowered = Lowered::default();
        let since = self.create_schemas(Form::Declared).await?;
        for (pair, details) in self.detailed() {
            let entry = lowered.tables.entry(pair.position).or_default();
            entry.refused = self.create(Form::Declared, pair, details, &|_| None).await?;
        }
        let by_name: BTreeMap<_, _> = self.detailed().map(|(pair, details)| (&pair.declared, details)).collect();
        for (pair, details) in self.detailed() {
            let refused = self.create_references(pair, details, &by_name).await?;
            if let Some(entry) = lowered.tables.get_mut(&pair.position) {
                entry.refused.extend(refused);
            }
        }
        self.read(Form::Declared, since, &mut lowered).await?;
        self.lower_paired(&mut lowered).await?;
        Ok(lowered)
    }

    /// Every detailed table of the service.
    fn detailed(&self) -> impl Iterator<Item = (&TablePair, &TableDetails)> {
        let pairs = self.pairing.tables.iter();
        pairs.filter_map(|pair| Some((pair, self.service.tables[pair.position].details.as_ref()?)))
    }

    /// Creates one table; first all at once, then, when that is refused, item by item.
    async fn create(
        &self,
        form: Form,
        pair: &TablePair,
        details: &TableDetails,
        type_of: statements::TypeOf<'_>,
    ) -> Result<Vec<(Item, Refusal)>, LowerError> {
        let name = self.scratch_name(form, &pair.declared);
        let rendered = statements::table(&name, details, type_of);
        if let Some(compact) = &rendered.compact
            && self.attempt(compact).await?.is_none()
        {
            return Ok(Vec::new());
        }
        self.step_by_step(rendered).await
    }

    async fn step_by_step(&self, rendered: Rendered) -> Result<Vec<(Item, Refusal)>, LowerError> {
        let mut refused = rendered.refused;
        for step in &rendered.steps {
            let Some(refusal) = self.attempt(&step.sql).await? else { continue };
            if let Some(otherwise) = &step.otherwise {
                self.client.batch_execute(otherwise).await?;
            }
            let refusal = self.explain(step, refusal, &refused);
            refused.push((step.item.clone(), refusal));
        }
        Ok(refused)
    }

    /// Whether a refusal stands for itself, follows from another, or from an extension that is not there.
    fn explain(&self, step: &Step, mut refusal: Refusal, earlier: &[(Item, Refusal)]) -> Refusal {
        let on_refused = |column: &Identifier| {
            earlier.iter().find(|(item, _)| *item == Item::Type(column.clone())).map(|(_, refusal)| refusal)
        };
        if let Some(cause) = step.columns.iter().find_map(on_refused) {
            refusal.consequence = true;
            refusal.missing_extension = cause.missing_extension;
        }
        // 42704: no such type or operator class; 42883: no such function or operator. A class that a known type lacks
        // is the author's mistake, unless it comes with an extension that is not there.
        let class_lacks =
            step.extensions.iter().any(|name| self.lacking.iter().any(|lacking| lacking.as_str() == *name));
        let of_extension = match &step.item {
            Item::Type(_) => refusal.sqlstate == "42704",
            _ => refusal.sqlstate == "42883" || (refusal.sqlstate == "42704" && class_lacks),
        };
        refusal.missing_extension |= !self.lacking.is_empty() && of_extension;
        refusal
    }

    async fn create_references(
        &self,
        pair: &TablePair,
        details: &TableDetails,
        by_name: &BTreeMap<&QualifiedName, &TableDetails>,
    ) -> Result<Vec<(Item, Refusal)>, LowerError> {
        let key_of = |table: &Identifier| {
            let target = QualifiedName::new(pair.declared.schema.clone(), table.clone());
            let key = by_name.get(&target)?.primary_key().map(|column| column.name.value.clone()).collect();
            Some((self.scratch_name(Form::Declared, &target), key))
        };
        let name = self.scratch_name(Form::Declared, &pair.declared);
        let steps = statements::references(&name, details, &key_of);
        self.step_by_step(Rendered { steps, ..Rendered::default() }).await
    }

    /// Makes the paired form of each table that differs from its partner in a type or in a name.
    async fn lower_paired(&self, lowered: &mut Lowered) -> Result<(), LowerError> {
        let mut since = None;
        for (pair, details) in self.detailed() {
            let Some(entry) = lowered.tables.get_mut(&pair.position) else { continue };
            let Some(partner) = pair.replayed.as_ref().and_then(|name| self.replayed.tables.get(name)) else {
                continue;
            };
            if !needs_paired_form(pair, &entry.declared, partner) {
                continue;
            }
            if since.is_none() {
                since = Some(self.create_schemas(Form::Paired).await?);
            }
            let type_of = |column: &DeclaredColumn| partner_type(pair, partner, column);
            let refused = self.create(Form::Paired, pair, details, &type_of).await?;
            let news = refused.into_iter().filter(|(item, _)| entry.refusal(item).is_none());
            entry.refused_paired = news.map(|(item, _)| item).collect();
            self.rename_columns(pair).await?;
        }
        match since {
            Some(since) => self.read(Form::Paired, since, lowered).await,
            None => Ok(()),
        }
    }

    /// Gives the columns the names of their partners, so that the server prints expressions with those.
    async fn rename_columns(&self, pair: &TablePair) -> Result<(), LowerError> {
        let table = self.scratch_name(Form::Paired, &pair.declared).quoted();
        let renamed: Vec<_> = pair.columns.iter().filter(|column| column.renamed).collect();
        for (position, column) in renamed.iter().enumerate() {
            let sql =
                format!("ALTER TABLE {table} RENAME COLUMN {} TO trueup_renamed_{position}", column.declared.quoted());
            self.client.batch_execute(&sql).await?;
        }
        for (position, column) in renamed.iter().enumerate() {
            let Some(partner) = &column.replayed else { continue };
            let sql = format!("ALTER TABLE {table} RENAME COLUMN trueup_renamed_{position} TO {}", partner.quoted());
            self.client.batch_execute(&sql).await?;
        }
        Ok(())
    }

    /// Runs one statement under a savepoint. `Some` is the server's refusal.
    async fn attempt(&self, sql: &str) -> Result<Option<Refusal>, LowerError> {
        let guarded = format!("SAVEPOINT trueup;\n{sql}\n;RELEASE SAVEPOINT trueup");
        match self.client.batch_execute(&guarded).await {
            Ok(()) => Ok(None),
            Err(error) => {
                let refusal = refusal(error)?;
                self.client.batch_execute("ROLLBACK TO SAVEPOINT trueup; RELEASE SAVEPOINT trueup").await?;
                Ok(Some(refusal))
            }
        }
    }

    /// Reads the scratch tables of one form, made since that oid, back into their entries.
    async fn read(&self, form: Form, since: u32, lowered: &mut Lowered) -> Result<(), LowerError> {
        let mut tables = introspect::tables_since(self.client, self.replayed.major, since).await?;
        let names = self.declared_names();
        for (pair, _) in self.detailed() {
            let Some(entry) = lowered.tables.get_mut(&pair.position) else { continue };
            let Some(mut table) = tables.remove(&self.scratch_name(form, &pair.declared)) else { continue };
            restore_names(&mut table, &names);
            match form {
                Form::Declared => entry.declared = table,
                Form::Paired => entry.paired = Some(table),
            }
        }
        Ok(())
    }

    /// From the names on the scratch server to the declared ones.
    fn declared_names(&self) -> BTreeMap<QualifiedName, &QualifiedName> {
        let pairs = self.pairing.tables.iter();
        pairs.map(|pair| (self.scratch_name(Form::Declared, &pair.declared), &pair.declared)).collect()
    }
}

/// Foreign keys point at declared names again.
fn restore_names(table: &mut Table, names: &BTreeMap<QualifiedName, &QualifiedName>) {
    for key in &mut table.foreign_keys {
        if let Some(declared) = names.get(&key.target) {
            key.target = (*declared).clone();
        }
    }
}

/// Whether any column's partner has another name or type.
fn needs_paired_form(pair: &TablePair, declared: &Table, partner: &Table) -> bool {
    pair.columns.iter().any(|column| {
        let Some(replayed) = column.replayed.as_ref().and_then(|name| partner.column(name)) else { return false };
        column.renamed || declared.column(&column.declared).is_none_or(|own| own.type_name != replayed.type_name)
    })
}

/// The type of a column's partner. A serial stays what it is: its integer type would lose the sequence.
fn partner_type(pair: &TablePair, partner: &Table, column: &DeclaredColumn) -> Option<String> {
    let serial = column.type_sql.as_ref().is_some_and(|sql| sql.value.to_ascii_lowercase().contains("serial"));
    let entry = pair.columns.iter().find(|entry| entry.declared == column.name.value)?;
    let found = partner.column(entry.replayed.as_ref()?)?;
    (!serial).then(|| found.type_name.clone())
}

/// The server's refusal of a statement, or the failure that it is instead: of resources, an operator, or the server.
fn refusal(error: tokio_postgres::Error) -> Result<Refusal, LowerError> {
    let Some(refused) = error.as_db_error().filter(|db| is_refusal(db.code())) else { return Err(error.into()) };
    Ok(Refusal {
        sqlstate: refused.code().code().to_owned(),
        message: refused.message().to_owned(),
        missing_extension: false,
        consequence: false,
    })
}

/// Classes 08, 53, 57, 58 and XX speak about the server, all others about the statement.
fn is_refusal(code: &SqlState) -> bool {
    !["08", "53", "57", "58", "XX"].iter().any(|class| code.code().starts_with(class))
}
