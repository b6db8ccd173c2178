//! How far each table, column and index has come: designed, written, merged, live.
//!
//! One pure judgement for each object. What is not proven is unknown; [`Flow::is_done`] is the only way to green.

use std::collections::HashMap;

use trueup_model::declared::{DeclaredService, DeclaredTable};
use trueup_model::finding::{Finding, ObjectKind, Severity, State};

use crate::input::Standing;
use crate::lookup::Lookup;
use crate::truth::{Live, Made, Merged, Migration, Provenance};

/// How far something has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No report speaks of it.
    NotVerified,
    /// Its service is documented only.
    NotChecked(String),
    /// Nothing that is known proves any other stage.
    Unknown(String),
    /// Declared only: no migration makes it.
    Designed,
    /// A migration makes it, but not as it is declared.
    Differs,
    /// A migration makes it; it is not known to be merged, nor to be live anywhere.
    Written,
    /// On the main branch, and not known to be live anywhere.
    Merged,
    /// Live in the environment with this number, the last one that has it.
    Live(usize),
}

/// What is known about one object.
#[derive(Clone, Debug)]
pub(crate) struct Flow<'f, 'a> {
    /// How far it has come.
    pub(crate) stage: Stage,
    /// The migration that made it, or last altered it.
    pub(crate) migration: Option<&'a Migration>,
    /// Where it comes from.
    pub(crate) made: Option<&'a Made>,
    /// What is found about it and counts.
    pub(crate) findings: &'f [&'a Finding],
    /// Whether somebody accepted that it differs.
    pub(crate) accepted: bool,
    /// Of a table: how many of its columns and indexes no migration makes as they are declared.
    pub(crate) owed: usize,
    /// Nothing at all speaks against it: neither about it nor about what it is part of.
    undisputed: bool,
    environments: usize,
}

impl Flow<'_, '_> {
    /// Agreed, merged and live everywhere: the only thing that is shown in green.
    pub(crate) fn is_done(&self) -> bool {
        let reached = matches!(self.stage, Stage::Live(_));
        let everywhere = self.migration.is_some_and(|migration| migration.is_everywhere(self.environments));
        reached && everywhere && self.undisputed && !self.accepted
    }
}

/// Findings by table and member; the member is empty for the table itself.
type ByObject<'a> = HashMap<&'a str, HashMap<&'a str, Vec<&'a Finding>>>;

/// Judges the objects of one service.
pub(crate) struct Judge<'a> {
    service: &'a DeclaredService,
    standing: Standing,
    provenance: Option<&'a Provenance>,
    counting: ByObject<'a>,
    accepted: ByObject<'a>,
    /// Whether something is found about the service or its schema.
    disputed: bool,
    /// Why nothing in the report is complete.
    failed: bool,
    /// Why the report does not speak of what is there now.
    outdated: Option<&'a str>,
    environments: usize,
}

impl<'a> Judge<'a> {
    /// Sorts what is known about a service.
    pub(crate) fn of(input: &Lookup<'a>, service: &'a DeclaredService) -> Self {
        let name = &service.name.value;
        let provenance = input.provenance(service);
        let mut judge = Self {
            service,
            standing: input.standing(service),
            provenance,
            counting: HashMap::new(),
            accepted: HashMap::new(),
            disputed: false,
            failed: input.report.is_some_and(|report| !report.errors.is_empty()),
            outdated: input.outdated(service),
            environments: input.known.environments.len(),
        };
        if input.report.is_some() {
            for finding in input.findings(name) {
                judge.disputed |= sort(finding, &mut judge.counting);
            }
            for accepted in input.accepted(name) {
                judge.disputed |= sort(&accepted.finding, &mut judge.accepted);
            }
        }
        judge
    }

    /// The migrations, where the report lists them.
    pub(crate) fn provenance(&self) -> Option<&'a Provenance> {
        self.provenance
    }

    /// How far a table has come by itself. It is done only when its members are too.
    pub(crate) fn table<'t>(&'t self, table: &'t DeclaredTable) -> Flow<'t, 'a> {
        let mut flow = self.object(ObjectKind::Table, table, "");
        flow.undisputed &= self.members(table).all(|member| member.is_done()) && !self.has_other_findings(table);
        let is_owed = |member: &Flow<'_, '_>| matches!(member.stage, Stage::Designed | Stage::Differs);
        flow.owed = self.members(table).filter(is_owed).count();
        flow
    }

    /// How far a column has come.
    pub(crate) fn column(&self, table: &DeclaredTable, column: &str) -> Flow<'_, 'a> {
        self.object(ObjectKind::Column, table, column)
    }

    /// How far an index has come.
    pub(crate) fn index(&self, table: &DeclaredTable, index: &str) -> Flow<'_, 'a> {
        self.object(ObjectKind::Index, table, index)
    }

    /// All columns and indexes of a table.
    pub(crate) fn members<'t>(&'t self, table: &'t DeclaredTable) -> impl Iterator<Item = Flow<'t, 'a>> + 't {
        let details = || table.details.iter();
        let columns = details().flat_map(|details| &details.columns);
        let indexes = details().flat_map(|details| &details.indexes);
        let columns = columns.map(|column| self.column(table, column.name.value.as_str()));
        columns.chain(indexes.map(|index| self.index(table, index.name.value.as_str())))
    }

    fn object(&self, kind: ObjectKind, table: &DeclaredTable, member: &str) -> Flow<'_, 'a> {
        let own = about(&self.counting, table, member);
        let accepted = about(&self.accepted, table, member);
        let made = self.made(kind, table, member);
        let migration = made.and_then(|made| self.provenance?.migrations.get(made.migration?));
        let enclosing = !member.is_empty()
            && (!about(&self.counting, table, "").is_empty() || !about(&self.accepted, table, "").is_empty());
        Flow {
            stage: self.stage(own, table, member, made, migration),
            migration,
            made,
            findings: own,
            accepted: !accepted.is_empty(),
            owed: 0,
            undisputed: own.is_empty() && !self.disputed && !self.failed && self.outdated.is_none() && !enclosing,
            environments: self.environments,
        }
    }

    fn stage(
        &self,
        own: &[&Finding],
        table: &DeclaredTable,
        member: &str,
        made: Option<&Made>,
        migration: Option<&Migration>,
    ) -> Stage {
        match &self.standing {
            Standing::NotVerified => return Stage::NotVerified,
            Standing::NotChecked(reason) => return Stage::NotChecked(reason.clone()),
            Standing::Unknown(reason) if self.provenance.is_none() => return Stage::Unknown(reason.clone()),
            _ if self.failed => return Stage::Unknown("the check failed".to_owned()),
            _ => {}
        }
        if let Some(why) = self.outdated {
            return Stage::Unknown(why.to_owned());
        }
        if own.iter().any(|finding| finding.state == State::Unknown) {
            return Stage::Unknown("not understood".to_owned());
        }
        let Some(provenance) = self.provenance else {
            return Stage::Unknown("the report does not say what made it".to_owned());
        };
        if made.is_none() {
            return self.not_made(own, provenance, table, member);
        }
        if !own.is_empty() {
            return Stage::Differs;
        }
        migration.map_or_else(|| Stage::Unknown("no migration is known to have made it".to_owned()), reached)
    }

    /// What is declared and not produced: owed, when a finding says so about it or about its table.
    fn not_made(&self, own: &[&Finding], provenance: &Provenance, table: &DeclaredTable, member: &str) -> Stage {
        let schema = schema_of(self.service, table);
        let name = table.name.value.as_str();
        let is_said = |finding: &&&Finding| finding.state == State::Unmigrated;
        let accepted = about(&self.accepted, table, member);
        let of_table = || {
            let no_table = provenance.made(ObjectKind::Table, schema, name, "").is_none();
            let about = [about(&self.counting, table, ""), about(&self.accepted, table, "")];
            !member.is_empty() && no_table && about.iter().any(|all| all.iter().any(|one| is_said(&one)))
        };
        if own.iter().chain(accepted).any(|one| is_said(&one)) || of_table() {
            Stage::Designed
        } else {
            Stage::Unknown("the report does not speak of it".to_owned())
        }
    }

    /// Findings about members that are not declared, for example a column that only the migrations know.
    fn has_other_findings(&self, table: &DeclaredTable) -> bool {
        let name = table.name.value.as_str();
        self.counting.contains_key(name) || self.accepted.contains_key(name)
    }

    fn made(&self, kind: ObjectKind, table: &DeclaredTable, member: &str) -> Option<&'a Made> {
        self.provenance?.made(kind, schema_of(self.service, table), table.name.value.as_str(), member)
    }
}

/// What is found about a table or one of its members.
fn about<'m, 'a>(findings: &'m ByObject<'a>, table: &DeclaredTable, member: &str) -> &'m [&'a Finding] {
    let of_table = findings.get(table.name.value.as_str());
    of_table.and_then(|members| members.get(member)).map_or(&[], Vec::as_slice)
}

/// Puts a finding to its object, whatever the schema: rather too many doubts than too few. What is no column and no
/// index of its own, such as a constraint that only the migrations know, concerns the table. Returns whether it is about
/// the service, its schema or its migrations instead. How something is written casts no doubt on it.
fn sort<'a>(finding: &'a Finding, by_object: &mut ByObject<'a>) -> bool {
    if finding.state == State::Lint && finding.severity != Severity::Error {
        return false;
    }
    let [_, table, rest @ ..] = finding.object.path.as_slice() else { return true };
    let is_member = matches!(finding.object.kind, ObjectKind::Column | ObjectKind::Index);
    let member = rest.first().filter(|_| is_member).map_or("", |member| member.as_str());
    by_object.entry(table.as_str()).or_default().entry(member).or_default().push(finding);
    false
}

fn schema_of<'t>(service: &'t DeclaredService, table: &'t DeclaredTable) -> Option<&'t str> {
    let own = table.schema.as_ref().or(service.schema.as_ref().map(|schema| &schema.value));
    own.map(trueup_model::name::Identifier::as_str)
}

/// How far a migration has come, and with it what it made.
pub(crate) fn reached(migration: &Migration) -> Stage {
    let unknown = |live: &Live| if let Live::Unknown(why) = live { Some(why.clone()) } else { None };
    if let Some(why) = migration.live.iter().find_map(unknown) {
        return Stage::Unknown(why);
    }
    match migration.live.iter().rposition(|live| matches!(live, Live::Since(_))) {
        Some(environment) => Stage::Live(environment),
        None if matches!(migration.merged, Merged::Yes(_)) => Stage::Merged,
        None => Stage::Written,
    }
}
