//! How far a run has come, for a person who waits at a terminal. Elsewhere there are lines only.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trueup_postgres::run::Event;

use super::human;
use crate::report::text::clean;

/// Columns of a path in the bar.
const PATH: usize = 60;

/// A bar on standard error; invisible where that is not a terminal, and until there is something to run.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(is_wanted: bool) -> Self {
        let visible = is_wanted && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} migrations  {elapsed}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// Takes in an event; what is to be said of it is said above the bar, and what the bar itself shows is not.
    pub(super) fn around(&self, event: &Event<'_>, say: impl FnOnce()) {
        match event {
            Event::Planned(migrations) => {
                self.0.set_length(*migrations as u64);
                self.0.enable_steady_tick(Duration::from_millis(200));
            }
            Event::Running { path } => self.0.set_message(clean(path, PATH)),
            Event::Building { path, built } if !self.0.is_hidden() => {
                self.0.set_message(format!("{}: {}", clean(path, PATH), human::stage(built)));
            }
            _ => self.0.suspend(say),
        }
        if matches!(event, Event::Applied(_)) {
            self.0.inc(1);
        }
    }

    /// Removes it.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
