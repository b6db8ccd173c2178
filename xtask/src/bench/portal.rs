//! The portal: the reference repository beside PlantUML, and generated repositories of growing size. No database.

mod intent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use trueup_testkit::{SKIPPED, shared_corpora};

use super::measure::{Measured, best, measure};
use super::table::Table;
use crate::machine::has;

/// Sizes of the generated repositories, in services.
const SIZES: [usize; 3] = [500, 1_000, 2_000];
/// Tables of each service.
const TABLES: usize = 20;
/// Seconds and megabytes that the largest may take.
const LARGEST: (f64, f64) = (20.0, 500.0);

/// Measures everything about the portal.
pub(super) fn portal(program: &Path, table: &mut Table) -> Result<(), String> {
    let work = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    match shared_corpora() {
        Some(corpora) => reference(program, &corpora.join("novatrek"), work.path(), table)?,
        None => println!("{SKIPPED}: the reference repository: there is no ../shared"),
    }
    generated(program, work.path(), table)
}

/// One build into a folder; anything but success ends the measurement.
fn build(program: &Path, project: &Path, out: &Path) -> Result<Measured, String> {
    let mut command = Command::new(program);
    command.arg("-C").arg(project).args(["portal", "build", "--out"]).arg(out);
    let measured = measure(&mut command)?;
    if measured.code == Some(0) { Ok(measured) } else { Err(format!("{command:?} ended with {:?}", measured.code)) }
}

/// The fastest of several builds, each into a new folder: files that were just removed would make the next ones slower. `out` is the
/// first of them.
fn fastest(program: &Path, project: &Path, out: &Path, runs: usize) -> Result<Measured, String> {
    let mut all = Vec::new();
    for run in 0..runs {
        let folder = if run == 0 { out.to_owned() } else { out.with_extension(run.to_string()) };
        all.push(build(program, project, &folder)?);
    }
    Ok(best(all))
}

/// The reference repository, and PlantUML on the sources that stand beside its pictures.
fn reference(program: &Path, project: &Path, work: &Path, table: &mut Table) -> Result<(), String> {
    let out = work.join("reference");
    let ours = fastest(program, project, &out, 10)?;
    table.time("portal of the reference repository, diagrams included", &ours, 0.1);
    let theirs = plantuml(&out.join("services"), &work.join("plantuml"));
    table.compared("the same, to PlantUML on the same diagrams in one JVM", &ours, &theirs);
    Ok(())
}

/// All `.puml` of a folder to SVG, in one JVM.
fn plantuml(folder: &Path, out: &Path) -> Result<Measured, String> {
    if !has("plantuml") || !has("dot") {
        return Err("there is no plantuml, or no Graphviz; apt-get install plantuml graphviz".to_owned());
    }
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut sources: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "puml")).collect();
    sources.sort();
    let mut command = Command::new("plantuml");
    command.args(["-tsvg", "-o"]).arg(out).args(&sources);
    let measured = measure(&mut command)?;
    // It draws its errors, too, and ends well: a picture counts that has a box of its source in it, by its alias.
    let shows = |picture: PathBuf| std::fs::read_to_string(picture).is_ok_and(|svg| svg.contains("e0\""));
    let pictures = std::fs::read_dir(out).into_iter().flatten();
    let made = pictures.filter(|entry| entry.as_ref().is_ok_and(|entry| shows(entry.path()))).count();
    if measured.code == Some(0) && made == sources.len() {
        Ok(measured)
    } else {
        Err(format!("it made {made} of {} pictures and ended with {:?}", sources.len(), measured.code))
    }
}

/// Repositories of growing size: time, memory, a second build, and how the time for one service grows.
fn generated(program: &Path, work: &Path, table: &mut Table) -> Result<(), String> {
    let mut each = Vec::new();
    for services in SIZES {
        let (project, out) = (work.join(services.to_string()), work.join(format!("{services}-out")));
        intent::write(&project, services, TABLES).map_err(|error| format!("{}: {error}", project.display()))?;
        let is_largest = services == SIZES[SIZES.len() - 1];
        let ours = fastest(program, &project, &out, 3)?;
        let what = format!("portal of {services} services of {TABLES} tables");
        if is_largest {
            table.time(&what, &ours, LARGEST.0);
            table.memory(&format!("{what}: peak memory"), &ours, LARGEST.1);
        } else {
            table.plain(&what, &ours);
        }
        // CPU time: it is the same whoever else is at work.
        #[allow(clippy::cast_precision_loss, reason = "two thousand")]
        each.push(ours.cpu.as_secs_f64() / services as f64);
        again(program, &project, &out, &what, table)?;
    }
    table.ratio("growth: CPU time for one of 2,000 services to one of 500", each[2] / each[0], 1.1);
    Ok(())
}

/// A second build with nothing changed: how long it takes, and how many files it writes.
fn again(program: &Path, project: &Path, out: &Path, what: &str, table: &mut Table) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", out.display());
    let before = written(out).map_err(failed)?;
    table.plain(&format!("{what}, once more with nothing changed"), &build(program, project, out)?);
    let after = written(out).map_err(failed)?;
    let rewritten = after.iter().filter(|(file, at)| before.get(*file) != Some(at)).count();
    table.number(&format!("{what}, once more: of {} files rewritten", after.len()), rewritten, 0);
    Ok(())
}

/// Every file below a folder, and when it was written.
fn written(folder: &Path) -> std::io::Result<BTreeMap<PathBuf, SystemTime>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            all.extend(written(&entry.path())?);
        } else {
            all.insert(entry.path(), entry.metadata()?.modified()?);
        }
    }
    Ok(all)
}
