//! What is under way: a lane for each stage, and a card in it for each change.

use std::collections::BTreeMap;

use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, State};
use trueup_model::rule::Rule;

use crate::lookup::Lookup;
use crate::stage::{Stage, reached};
use crate::truth::{Merged, Migration, Provenance};

/// A lane of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    Designed,
    /// The other way round: the migrations make it, and the YAML does not say so.
    Undeclared,
    Written,
    Merged,
    /// Live in the environment with this number.
    Live(usize),
    Unknown,
}

/// What a card is about.
pub(crate) enum Card<'a> {
    /// What is said of one object on one side, and not so on the other.
    Owed { service: &'a DeclaredService, object: String, findings: Vec<&'a Finding> },
    /// A migration that is not everywhere yet.
    Migration { service: &'a DeclaredService, provenance: &'a Provenance, number: usize, why: Option<String> },
}

/// The cards by lane, and what has none.
#[derive(Default)]
pub(crate) struct Board<'a> {
    lanes: BTreeMap<Lane, Vec<Card<'a>>>,
    /// Migrations that are merged and live everywhere.
    pub(crate) done: usize,
    /// Migrations of which nobody recorded where they are live.
    pub(crate) unrecorded: usize,
}

impl Lane {
    /// The lanes that can have cards, in the order in which changes move.
    pub(crate) fn all(input: &Lookup<'_>) -> Vec<Self> {
        let environments = input.known.environments.len();
        let mut lanes = vec![Self::Designed, Self::Undeclared, Self::Written];
        if environments > 0 {
            lanes.push(Self::Merged);
            lanes.extend((0..environments).map(Self::Live));
            lanes.push(Self::Unknown);
        }
        lanes
    }

    /// What the lane is called.
    pub(crate) fn words(self, input: &Lookup<'_>) -> String {
        let name = |position: usize| input.known.environments.get(position).map_or("", |known| &known.name);
        match self {
            Self::Designed => "Designed".to_owned(),
            Self::Undeclared => "To declare".to_owned(),
            Self::Written => "Written".to_owned(),
            Self::Merged => "Merged".to_owned(),
            Self::Live(position) => format!("Live in {}", name(position)),
            Self::Unknown => "Unknown".to_owned(),
        }
    }

    /// What stands in the lane, in a few words.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Designed => "The YAML says so, and the migrations do not: one is owed.",
            Self::Undeclared => "The migrations say so, and the YAML does not, or by another name.",
            Self::Written => "A migration that is not known to be merged.",
            Self::Merged => "On the main branch, and live nowhere.",
            Self::Live(_) => "Live here, and not everywhere yet.",
            Self::Unknown => "A record proves neither that it is live nor that it is not.",
        }
    }
}

impl<'a> Card<'a> {
    /// Whose change it is.
    pub(crate) fn service(&self) -> &'a DeclaredService {
        let (Card::Owed { service, .. } | Card::Migration { service, .. }) = self;
        service
    }
}

impl<'a> Board<'a> {
    /// The board of all services; empty without a report.
    pub(crate) fn of(input: &Lookup<'a>) -> Self {
        let mut board = Self::default();
        if input.report.is_none() {
            return board;
        }
        for service in input.declared.services.iter().filter(|service| service.engine.is_postgres) {
            board.owe(service, input.findings(&service.name.value));
            if let Some(provenance) = input.provenance(service) {
                board.place(service, provenance, input.known.environments.len());
            }
        }
        board
    }

    /// How many cards there are.
    pub(crate) fn len(&self) -> usize {
        self.lanes.values().map(Vec::len).sum()
    }

    /// The cards of a lane.
    pub(crate) fn lane(&self, lane: Lane) -> &[Card<'a>] {
        self.lanes.get(&lane).map_or(&[], Vec::as_slice)
    }

    /// What is owed of a service: in each lane a card for each object directly below the schema.
    fn owe(&mut self, service: &'a DeclaredService, findings: &[&'a Finding]) {
        let mut places = BTreeMap::new();
        for finding in findings.iter().copied() {
            let Some(lane) = lane_of_finding(finding) else { continue };
            let path = &finding.object.path;
            let object = path.get(1).or(path.first()).map_or("", |name| name.as_str());
            let cards = self.lanes.entry(lane).or_default();
            let place = *places.entry((lane, object)).or_insert_with(|| {
                cards.push(Card::Owed { service, object: object.to_owned(), findings: Vec::new() });
                cards.len() - 1
            });
            if let Card::Owed { findings, .. } = &mut cards[place] {
                findings.push(finding);
            }
        }
    }

    fn place(&mut self, service: &'a DeclaredService, provenance: &'a Provenance, environments: usize) {
        for (number, migration) in provenance.migrations.iter().enumerate() {
            if let Some((lane, why)) = self.lane_of(migration, environments) {
                self.lanes.entry(lane).or_default().push(Card::Migration { service, provenance, number, why });
            }
        }
    }

    /// The lane of a migration, and why it is unknown; none for what is done or cannot be placed, which is counted.
    fn lane_of(&mut self, migration: &Migration, environments: usize) -> Option<(Lane, Option<String>)> {
        if migration.is_everywhere(environments) {
            self.done += 1;
            return None;
        }
        match reached(migration) {
            // Without environments, what is merged may be live or not: it is no card, and is counted.
            Stage::Merged | Stage::Written if environments == 0 && migration.merged != Merged::No => {
                self.unrecorded += 1;
                None
            }
            Stage::Live(environment) => Some((Lane::Live(environment), None)),
            Stage::Merged => Some((Lane::Merged, None)),
            Stage::Unknown(why) => Some((Lane::Unknown, Some(why))),
            _ => Some((Lane::Written, None)),
        }
    }
}

/// Who is to act on a difference: who writes migrations, or who keeps the YAML. Under another name it is made already, and
/// renaming what is live is dearer than correcting a word.
fn lane_of_finding(finding: &Finding) -> Option<Lane> {
    let is_made = matches!(
        finding.rule,
        Rule::UndeclaredTable
            | Rule::UndeclaredColumn
            | Rule::UndeclaredIndex
            | Rule::UndeclaredService
            | Rule::SchemaName
            | Rule::TableName
            | Rule::ColumnName
            | Rule::IndexName
    );
    (finding.state == State::Unmigrated).then_some(if is_made { Lane::Undeclared } else { Lane::Designed })
}
