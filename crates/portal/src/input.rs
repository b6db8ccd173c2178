//! What a portal is made from. All of it is values: reading files and reports is somebody else's.

use std::collections::BTreeMap;

use trueup_model::declared::Declared;
use trueup_model::finding::Finding;

use crate::domains::Domains;
use crate::plantuml::Drawings;
use crate::source::SourceLinks;
use crate::truth::{Environment, Provenance};
use trueup_intent::written::Written;

/// Everything that the pages are made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The intent, without errors.
    pub declared: &'a Declared,
    /// Its files, relative to the project root; named in the footer of each page.
    pub files: &'a [String],
    /// Constraints and types as their author wrote them.
    pub written: &'a Written,
    /// What reading the intent found; shown where no report says more.
    pub reading: &'a [Finding],
    /// Domains and their colours.
    pub domains: &'a Domains,
    /// What `trueup check` found; without it every page says *not verified*.
    pub report: Option<&'a CheckReport>,
    /// What PlantUML drew; without it the diagrams are drawn here.
    pub drawings: Option<&'a Drawings>,
    /// What is known beyond the repository's own files.
    pub known: Known<'a>,
}

/// What is known of the world around the intent; all of it may be missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The environments that somebody recorded, in the order in which changes move.
    pub environments: &'a [Environment],
    /// The name of the branch that counts as merged, where git told.
    pub main: Option<&'a str>,
    /// Where lines of the files can be looked at.
    pub source: Option<&'a SourceLinks>,
    /// What was set aside, and why.
    pub notes: &'a [String],
    /// What the pages are called; see [`Known::title`].
    pub title: Option<&'a str>,
}

impl<'a> Known<'a> {
    /// What the pages are called: a name somebody gave, or what they are about.
    pub fn title(&self) -> &'a str {
        self.title.map(str::trim).filter(|title| !title.is_empty()).unwrap_or("Data stores")
    }
}

/// What one run of `trueup check` said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The PostgreSQL that judged, such as `PostgreSQL 15.14`.
    pub engine: Option<String>,
    /// What the run was limited to.
    pub scope: Option<String>,
    /// Why the run failed, one sentence each; then nothing in it is complete.
    pub errors: Vec<String>,
    /// What happened to each service, by name.
    pub services: BTreeMap<String, ServiceVerdict>,
    /// The findings that count.
    pub findings: Vec<Finding>,
    /// The findings that somebody accepted.
    pub accepted: Vec<Accepted>,
}

/// What a check says of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceVerdict {
    /// Whether it was compared.
    pub status: Status,
    /// Why not.
    pub reason: Option<String>,
    /// Its migrations, and what each of them made, where the report says so.
    pub provenance: Option<Provenance>,
    /// Why what was compared then is not known to be what is there now; then nothing counts as compared.
    pub outdated: Option<String>,
}

/// Whether a service was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Compared.
    Checked,
    /// Could not be compared.
    Unknown,
    /// Deliberately not compared.
    NotChecked,
}

/// A finding that does not count, because somebody said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The finding.
    pub finding: Finding,
    /// `baseline` or `ignore`.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// Where a service stands. Nothing but [`Standing::Agrees`] is ever shown in green.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No report speaks of it.
    NotVerified,
    /// It is documented only.
    NotChecked(String),
    /// It could not be compared, or something in it could not.
    Unknown(String),
    /// Compared, and so many findings count; of them so many are unknown.
    Differs {
        /// Findings that count.
        findings: usize,
    },
    /// Compared, and nothing counts.
    Agrees {
        /// Findings that somebody accepted.
        accepted: usize,
    },
}
