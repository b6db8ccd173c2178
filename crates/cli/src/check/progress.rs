//! How far the run has come, for a person who waits at a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; invisible where that is not a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(services: usize) -> Self {
        let visible = std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(services as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} services  {elapsed}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(super) fn done(&self, service: &str) {
        self.0.inc(1);
        self.0.set_message(crate::report::text::clean(service, 60));
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
