//! Colour, when it was asked for, and how wide the page is.

use anstyle::{AnsiColor, Effects};

/// How text is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences may be written; the words are the same without.
    pub color: bool,
    /// Columns of the page; at least 60 are used.
    pub width: usize,
}

/// What a piece of text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary.
    Plain,
    /// Headings, names.
    Strong,
    /// What one need not read first.
    Faint,
    /// Errors.
    Bad,
    /// Warnings.
    Warn,
    /// What is not known.
    Unknown,
    /// What agrees.
    Good,
    /// Things to type.
    Command,
}

impl Style {
    /// Without colour.
    pub fn plain(width: usize) -> Self {
        Self { color: false, width }
    }

    /// With colour.
    pub fn colored(width: usize) -> Self {
        Self { color: true, width }
    }

    /// The columns to fill.
    pub(super) fn columns(&self) -> usize {
        self.width.clamp(60, 160)
    }

    /// `text` in a tone. The text must be clean: escapes in it would reach the terminal.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() || tone == Tone::Plain {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }
}

impl Tone {
    fn style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        match self {
            Self::Plain => plain,
            Self::Strong => plain.effects(Effects::BOLD),
            Self::Faint => plain.effects(Effects::DIMMED),
            Self::Bad => plain.fg_color(Some(AnsiColor::Red.into())).effects(Effects::BOLD),
            Self::Warn => plain.fg_color(Some(AnsiColor::Yellow.into())),
            Self::Unknown => plain.fg_color(Some(AnsiColor::Magenta.into())),
            Self::Good => plain.fg_color(Some(AnsiColor::Green.into())),
            Self::Command => plain.fg_color(Some(AnsiColor::Cyan.into())),
        }
    }
}
