//! Where text goes: data to stdout, everything else to stderr, colour and progress only where they help.

use std::{
    env, fmt,
    io::{self, IsTerminal as _, Write as _},
};

use crate::{cli::Color, exit::Failure};

/// Columns of a table where nobody tells how wide the terminal is.
const WIDTH: u16 = 100;
/// Narrower than this, tables cannot be read; long lines may wrap then.
const NARROWEST: u16 = 60;

/// What the two output streams can do.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent answers about two streams, none a state")]
pub struct Console {
    colour_out: bool,
    colour_err: bool,
    progress: bool,
    quiet: bool,
    width: u16,
}

impl Console {
    /// Looks at the streams and the environment.
    pub fn new(when: Color, quiet: bool) -> Self {
        let unwelcome = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let colour = |terminal: bool| match when {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !unwelcome && !dumb,
        };
        let terminal = io::stderr().is_terminal();
        Self {
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(terminal),
            progress: terminal && !dumb && !quiet,
            quiet,
            width: width(),
        }
    }

    /// Whether data on stdout may be coloured.
    pub const fn colour(&self) -> bool {
        self.colour_out
    }

    /// Whether text on stderr may be coloured.
    pub const fn colour_err(&self) -> bool {
        self.colour_err
    }

    /// Whether progress may be drawn on stderr.
    pub const fn progress(&self) -> bool {
        self.progress
    }

    /// Columns of the terminal.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Writes data to stdout. A reader that has seen enough (`| head`) is no failure.
    #[expect(clippy::unused_self, reason = "whoever writes data has been handed the console")]
    pub fn data(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(wrong) if wrong.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::fault(format_args!("cannot write to standard output: {wrong}")))
            }
            _ => Ok(()),
        }
    }

    /// Tells people something that is not data.
    pub fn note(&self, text: impl fmt::Display) {
        if !self.quiet {
            self.tell("1", "note", &text);
        }
    }

    /// Tells people what they have to do now; also when quiet.
    pub fn asks(&self, text: impl fmt::Display) {
        self.tell("1;36", "please", &text);
    }

    /// Tells people about something that is not as it should be; also when quiet.
    pub fn warning(&self, text: impl fmt::Display) {
        self.tell("1;33", "warning", &text);
    }

    /// Tells people what went wrong.
    pub fn error(&self, failure: &Failure) {
        self.tell("1;31", "error", failure);
    }

    /// A closed stderr is no reason to fail.
    fn tell(&self, style: &str, word: &str, text: &dyn fmt::Display) {
        let mut err = io::stderr().lock();
        let _ = if self.colour_err {
            writeln!(err, "\u{1b}[{style}m{word}:\u{1b}[0m {text}")
        } else {
            writeln!(err, "{word}: {text}")
        };
    }
}

fn width() -> u16 {
    let named = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || io::stdout().is_terminal().then(|| comfy_table::Table::new().width()).flatten();
    named.or_else(seen).unwrap_or(WIDTH).max(NARROWEST)
}
