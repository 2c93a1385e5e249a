//! Asking people, on the terminal itself, whatever standard input and output are.

use std::{
    fs::File,
    io::{self, BufRead as _, Read as _, Write as _},
};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// Bytes of a name, a secret or a share; longer ones are a mistake.
const MAX_LINE: usize = 16 << 10;

/// Asks for something that may be seen.
pub fn ask(what: &str, instead: &str) -> Result<Zeroizing<String>, Failure> {
    Terminal::open(what, instead)?.line(what, true)
}

/// Asks for a secret: what is typed is not shown.
pub fn ask_secret(what: &str, instead: &str) -> Result<Zeroizing<String>, Failure> {
    Terminal::open(what, instead)?.line(what, false)
}

/// Lines of standard input, one after the other: a secret, then perhaps a code.
pub struct Lines(io::StdinLock<'static>);

impl Lines {
    /// Reads standard input from here on.
    pub fn new() -> Self {
        Self(io::stdin().lock())
    }

    /// The next line, without its end; `None` after the last.
    pub fn next(&mut self, what: &str) -> Result<Option<Zeroizing<String>>, Failure> {
        let mut line = Zeroizing::new(Vec::with_capacity(256));
        let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let read = self.0.by_ref().take(limit).read_until(b'\n', &mut line);
        let read = read.map_err(|wrong| {
            Failure::usage(format_args!("cannot read {what} from standard input: {wrong}"))
        })?;
        let text = text(&line).ok_or_else(|| Failure::usage(format_args!("{what} is not UTF-8")))?;
        Ok((read > 0).then_some(text))
    }

    /// The next line, which must be there.
    pub fn need(&mut self, what: &str) -> Result<Zeroizing<String>, Failure> {
        let line = self.next(what)?.filter(|line| !line.is_empty());
        line.ok_or_else(|| Failure::usage(format_args!("{what} is missing on standard input")))
    }
}

/// The terminal of the process, with lines as they are typed.
struct Terminal {
    file: File,
    before: Termios,
}

impl Terminal {
    fn open(what: &str, instead: &str) -> Result<Self, Failure> {
        let none = |wrong: io::Error| {
            Failure::usage(format_args!("there is no terminal to ask for {what}: {wrong}")).next(instead)
        };
        let file = File::options().read(true).write(true).open("/dev/tty").map_err(none)?;
        let before = tcgetattr(&file).map_err(|wrong| none(wrong.into()))?;
        let mut silent = before.clone();
        // Key by key, and without signals: a terminal that stays silent after Ctrl-C is of no use to anybody.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&file, OptionalActions::Flush, &silent).map_err(|wrong| none(wrong.into()))?;
        Ok(Self { file, before })
    }

    fn line(&mut self, what: &str, shown: bool) -> Result<Zeroizing<String>, Failure> {
        let read = self.read(what, shown);
        let line = read.map_err(|wrong| Failure::usage(format_args!("cannot ask for {what}: {wrong}")))?;
        let line = line.ok_or_else(|| Failure::usage(format_args!("{what} was not given")))?;
        text(&line)
            .filter(|line| !line.is_empty())
            .ok_or_else(|| Failure::usage(format_args!("{what} is empty, or not UTF-8")))
    }

    /// `None` where it was broken off.
    fn read(&mut self, what: &str, shown: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        write!(self.file, "{what}: ")?;
        let mut line = Zeroizing::new(Vec::with_capacity(256));
        let given = loop {
            let mut key = [0];
            if self.file.read(&mut key)? == 0 {
                break false;
            }
            match key {
                [b'\r' | b'\n'] => break true,
                [0x03] => break false,
                [0x04] => break !line.is_empty(),
                [0x08 | 0x7f] => self.take_back(&mut line, shown)?,
                [0x15] => {
                    while !line.is_empty() {
                        self.take_back(&mut line, shown)?;
                    }
                }
                [byte] if line.len() < MAX_LINE && !byte.is_ascii_control() => {
                    line.push(byte);
                    if shown {
                        self.file.write_all(&key)?;
                    }
                }
                _ => {}
            }
        };
        writeln!(self.file)?;
        Ok(given.then_some(line))
    }

    /// Takes the last character back, which may have several bytes.
    fn take_back(&mut self, line: &mut Vec<u8>, shown: bool) -> io::Result<()> {
        while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        if shown { self.file.write_all(b"\x08 \x08") } else { Ok(()) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no modes.
        let _ = tcsetattr(&self.file, OptionalActions::Now, &self.before);
    }
}

fn text(line: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches(['\r', '\n']);
    Some(Zeroizing::new(text.to_owned()))
}
