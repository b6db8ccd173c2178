//! What stages and migrations are called, whatever the page is written in.

use trueup_model::declared::DeclaredService;

use crate::board::Board;
use crate::input::Standing;
use crate::lookup::Lookup;
use crate::stage::{Flow, Stage};
use crate::tally;
use crate::text::count;
use crate::truth::{Live, Merged, Migration, MigrationKind};

/// Class, sign and words: signs and words say it without the colour.
pub(crate) type Words = (&'static str, &'static str, String);

/// Class, sign and words of a stage. Green is for what is done, and for nothing else.
pub(crate) fn stage_words(input: &Lookup<'_>, stage: &Stage, is_done: bool) -> Words {
    match stage {
        Stage::NotVerified => ("unverified", "○", "not verified".to_owned()),
        Stage::NotChecked(_) => ("unchecked", "–", "not checked".to_owned()),
        Stage::Unknown(why) => ("unknown", "?", format!("unknown: {why}")),
        Stage::Designed => ("designed", "◇", "designed, no migration makes it".to_owned()),
        Stage::Differs => ("differs", "✗", "differs".to_owned()),
        Stage::Written => ("under-way", "◔", "written".to_owned()),
        Stage::Merged => ("under-way", "◑", "merged".to_owned()),
        Stage::Live(environment) => {
            let name = input.known.environments.get(*environment);
            let words = format!("live in {}", name.map_or("an environment", |known| known.name.as_str()));
            if is_done { ("agrees", "✓", words) } else { ("under-way", "◕", words) }
        }
    }
}

/// The same of one object; a table of which members are owed or different has come so far in part.
pub(crate) fn flow_words(input: &Lookup<'_>, flow: &Flow<'_, '_>) -> Words {
    let (class, sign, words) = stage_words(input, &flow.stage, flow.is_done());
    let is_under_way = matches!(flow.stage, Stage::Written | Stage::Merged | Stage::Live(_));
    if flow.owed > 0 && is_under_way { ("in-part", sign, words + ", in part") } else { (class, sign, words) }
}

/// Merged since when, and where it is live, in a few words each.
pub(crate) fn whereabouts(input: &Lookup<'_>, migration: &Migration) -> Vec<String> {
    let merged = match &migration.merged {
        Merged::Unknown => "not known to be merged".to_owned(),
        Merged::No => "not merged".to_owned(),
        Merged::Yes(None) => "merged".to_owned(),
        Merged::Yes(Some(commit)) => format!("merged {}", commit.day),
    };
    let names = input.known.environments.iter().map(|known| known.name.as_str());
    let live = names.zip(&migration.live).map(|(name, live)| match live {
        Live::NotRecorded => format!("{name}: no record"),
        Live::Unknown(why) => format!("{name}: unknown, {why}"),
        Live::Pending => format!("{name}: pending"),
        Live::Since(moment) => format!("{name} since {}", day(moment)),
    });
    std::iter::once(merged).chain(live).collect()
}

/// How much is under way, a sentence each.
pub(crate) fn board_words(input: &Lookup<'_>, board: &Board<'_>) -> Vec<String> {
    let mut sentences = vec![format!("{} as of the report.", count(board.len(), "change"))];
    sentences.extend(tally::outdated(input));
    if board.done > 0 {
        sentences.push(format!("Merged, and live in every environment: {}.", count(board.done, "migration")));
    }
    if board.unrecorded > 0 {
        let many = count(board.unrecorded, "migration");
        sentences.push(format!("No environment is recorded: for {many} it is unknown where they are live."));
    }
    sentences
}

/// What is said where nothing is known of what is under way.
pub(crate) const NO_BOARD: &str = "What is under way is the difference between the YAML, the migrations and the environments. \
     Build the pages with the report of a check, and with records of the environments.";

/// How many migrations are known, and what counts as merged and live; an error says that none are known.
pub(crate) fn migrations_words(input: &Lookup<'_>) -> Result<Vec<String>, String> {
    let all = || input.declared.services.iter().filter_map(|service| input.provenance(service));
    if all().next().is_none() {
        let why = if input.report.is_none() { "None was given." } else { "The one given does not say." };
        return Err(format!(
            "Which migrations there are, and what they make, is known from the report of a check. {why}"
        ));
    }
    let migrations: usize = all().map(|provenance| provenance.migrations.len()).sum();
    let services = count(all().count(), "service");
    let mut sentences = vec![format!("{} of {services}, as of the report.", count(migrations, "migration"))];
    sentences.extend(tally::outdated(input));
    sentences.push(match input.known.main {
        Some(branch) => format!("Merged is what is on the branch {branch}."),
        None => "Nothing is known of a main branch, so nothing counts as merged.".to_owned(),
    });
    if input.known.environments.is_empty() {
        sentences.push("No environment is recorded, so nothing counts as live.".to_owned());
    }
    Ok(sentences)
}

/// Why no migrations of a service are shown.
pub(crate) fn no_migrations(input: &Lookup<'_>, service: &DeclaredService) -> String {
    const KNOWN: &str = "Which migrations there are, and what they make, is known";
    if input.provenance(service).is_some() {
        return "No migration was found.".to_owned();
    }
    if !service.engine.is_postgres {
        return "Migrations are read for PostgreSQL only.".to_owned();
    }
    if input.report.is_none() {
        return format!("Not verified. {KNOWN} from the report of a check.");
    }
    let why = tally::why_unseen(input, service);
    format!("{}. {KNOWN} once a check has replayed them.", capitalized(&why))
}

/// That what follows is of the report, although `why` is the case by now.
pub(crate) fn as_of_the_report(why: &str) -> String {
    format!("As of the report, which may be wrong by now: {why}.")
}

/// The title above services of which it is not known which migrations they have.
pub(crate) const UNSEEN: &str = "Migrations not known, and why";

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// How much reading the YAML found, where no report says more; none where it found nothing.
pub(crate) fn found_in_yaml(input: &Lookup<'_>) -> Option<String> {
    let found = input.reading.len();
    (input.report.is_none() && found > 0).then(|| format!("Reading the YAML alone gave {}.", count(found, "finding")))
}

/// What is said where no finding of a service counts.
pub(crate) fn no_finding(standing: &Standing) -> String {
    match standing {
        Standing::NotVerified => "Not verified: the report does not speak of this service.".to_owned(),
        Standing::NotChecked(reason) => format!("Not checked: {reason}."),
        Standing::Unknown(reason) => format!("Unknown: {reason}. No finding says more."),
        Standing::Agrees { accepted: 0 } => "Compared, and nothing differs.".to_owned(),
        Standing::Agrees { accepted } => {
            format!("Compared, and nothing differs but what is accepted: {}.", count(*accepted, "finding"))
        }
        Standing::Differs { findings } => format!("{} count.", count(*findings, "finding")),
    }
}

/// How much a migration made or last wrote, by kind.
pub(crate) fn made_words(counts: &[usize; 3]) -> String {
    let nouns = ["table", "column", "index"];
    let parts: Vec<String> = counts
        .iter()
        .zip(nouns)
        .filter(|(number, _)| **number > 0)
        .map(|(number, noun)| count(*number, noun))
        .collect();
    if parts.is_empty() { "nothing declared that is still so".to_owned() } else { parts.join(", ") }
}

/// What kind of migration, in a word.
pub(crate) fn kind_words(kind: MigrationKind) -> &'static str {
    match kind {
        MigrationKind::Versioned => "versioned",
        MigrationKind::Repeatable => "repeatable",
        MigrationKind::Baseline => "baseline",
    }
}

/// `2026-11-25` of `2026-11-25T21:04:40.123Z`.
pub(crate) fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or(moment)
}

/// `2026-11-25 21:04 UTC` of `2026-11-25T21:04:40.123Z`.
pub(crate) fn minute(moment: &str) -> String {
    let minute = moment.rsplit_once(':').map_or(moment, |(minute, _)| minute);
    format!("{} UTC", minute.replacen('T', " ", 1))
}
