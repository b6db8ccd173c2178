//! What a run knows about one service after looking at it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trueup_model::agreement::{Compared, KeyTypes};
use trueup_model::declared::DeclaredService;
use trueup_model::finding::Finding;
use trueup_model::lowered::Lowered;
use trueup_model::name::Identifier;

use super::installed::Installed;
use crate::report::ServiceStatus;

/// One service's result; what the cache keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it was compared.
    pub status: ServiceStatus,
    /// Why not, when it was not.
    pub reason: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What it was compared over.
    pub compared: Compared,
    /// Types of declared columns, as PostgreSQL prints them: table, column, type. For references between services.
    pub types: Vec<(Identifier, Identifier, String)>,
    /// [`crate::report::provenance::Provenance`], as text: only a JSON report shows it.
    pub provenance: Option<Box<RawValue>>,
    /// Whether it depends on nothing but its inputs and [`Self::installed`]: an answer that a deadline cut short does
    /// not.
    pub lasting: bool,
    /// What it depends on outside of its inputs.
    pub installed: Installed,
}

impl Answer {
    /// A service that was compared.
    pub fn checked(findings: Vec<Finding>, compared: Compared) -> Self {
        Self {
            status: ServiceStatus::Checked,
            reason: None,
            findings,
            compared,
            types: Vec::new(),
            provenance: None,
            lasting: true,
            installed: Installed::default(),
        }
    }

    /// A service that could not be compared.
    pub fn unknown(reason: impl Into<String>, findings: Vec<Finding>) -> Self {
        let reason = Some(reason.into());
        Self { status: ServiceStatus::Unknown, reason, ..Self::checked(findings, Compared::default()) }
    }

    /// A service that is deliberately not compared.
    pub fn not_checked(reason: impl Into<String>, findings: Vec<Finding>) -> Self {
        let reason = Some(reason.into());
        Self { status: ServiceStatus::NotChecked, reason, ..Self::checked(findings, Compared::default()) }
    }

    /// Adds the types that other services' references are compared with. A refused type is left out.
    pub fn with_types(mut self, service: &DeclaredService, lowered: &Lowered) -> Self {
        for (position, table) in &lowered.tables {
            let name = &service.tables[*position].name.value;
            let refused =
                |column: &Identifier| table.refusal(&trueup_model::lowered::Item::Type(column.clone())).is_some();
            let known = table.declared.columns.iter().filter(|column| !refused(&column.name));
            self.types.extend(known.map(|column| (name.clone(), column.name.clone(), column.type_name.clone())));
        }
        self
    }

    /// Adds this service's types to those of all.
    pub fn add_types(&self, service: &str, types: &mut KeyTypes) {
        for (table, column, type_name) in &self.types {
            types.insert((service.to_owned(), table.clone(), column.clone()), type_name.clone());
        }
    }
}
