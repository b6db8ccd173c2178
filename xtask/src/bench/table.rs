//! Figures beside their targets.

use std::fmt;

use super::measure::Measured;

#[derive(Debug)]
struct Line {
    what: String,
    figure: String,
    target: String,
    /// Figure to target; at most 1 is good.
    ratio: Option<f64>,
}

/// All figures of one run, in order.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Line>);

impl Table {
    /// A wall time that must stay below `seconds`; the CPU time stands beside it.
    pub(super) fn time(&mut self, what: &str, measured: &Measured, seconds: f64) {
        let ratio = Some(measured.wall.as_secs_f64() / seconds);
        self.push(what, times(measured), format!("{seconds} s"), ratio);
    }

    /// A wall time without a target.
    pub(super) fn plain(&mut self, what: &str, measured: &Measured) {
        self.push(what, times(measured), String::new(), None);
    }

    /// The peak memory of a run, which must stay below `target` megabytes.
    pub(super) fn memory(&mut self, what: &str, measured: &Measured, target: f64) {
        #[allow(clippy::cast_precision_loss, reason = "memory of this machine")]
        let megabytes = measured.memory as f64 / 1e6;
        self.push(what, format!("{megabytes:.0} MB"), format!("{target} MB"), Some(megabytes / target));
    }

    /// A ratio of two measurements of this run.
    pub(super) fn ratio(&mut self, what: &str, figure: f64, target: f64) {
        self.push(what, format!("{figure:.2}"), format!("{target}"), Some(figure / target));
    }

    /// A number that has to be exactly `target`.
    pub(super) fn number(&mut self, what: &str, figure: usize, target: usize) {
        let ratio = if figure == target { 1.0 } else { f64::INFINITY };
        self.push(what, figure.to_string(), target.to_string(), Some(ratio));
    }

    /// The ratio of two wall times of this run, which must stay below `target`.
    pub(super) fn against(&mut self, what: &str, ours: &Measured, theirs: &Measured, target: f64) {
        let ratio = to(ours, theirs);
        self.push(what, beside(ratio, theirs), format!("{target}"), Some(ratio / target));
    }

    /// The ratio of two wall times of this run without a target; why there is none when the other did not run.
    pub(super) fn compared(&mut self, what: &str, ours: &Measured, theirs: &Result<Measured, String>) {
        let figure = match theirs {
            Ok(theirs) => beside(to(ours, theirs), theirs),
            Err(why) => format!("not measured: {why}"),
        };
        self.push(what, figure, String::new(), None);
    }

    fn push(&mut self, what: &str, figure: String, target: String, ratio: Option<f64>) {
        println!("{what}: {figure}");
        self.0.push(Line { what: what.to_owned(), figure, target, ratio });
    }

    /// How many figures there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every target was met.
    pub(super) fn is_good(&self) -> bool {
        self.0.iter().all(|line| line.ratio.is_none_or(|ratio| ratio <= 1.0))
    }
}

fn to(ours: &Measured, theirs: &Measured) -> f64 {
    ours.wall.as_secs_f64() / theirs.wall.as_secs_f64()
}

fn beside(ratio: f64, theirs: &Measured) -> String {
    format!("{ratio:.3} of {:.3} s", theirs.wall.as_secs_f64())
}

fn times(measured: &Measured) -> String {
    format!("{:.3} s (CPU {:.3} s)", measured.wall.as_secs_f64(), measured.cpu.as_secs_f64())
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | measured | target | ratio to target |\n|---|---|---|---|")?;
        for Line { what, figure, target, ratio } in &self.0 {
            let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            writeln!(f, "| {what} | {figure} | {target} | {ratio} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missed_target_is_not_good() {
        let mut table = Table::default();
        table.ratio("a", 0.5, 0.9);
        assert!(table.is_good());
        table.ratio("b", 1.0, 0.9);
        assert!(!table.is_good());
        assert!(table.to_string().contains("| b | 1.00 | 0.9 | 1.11 |"), "{table}");
    }
}
