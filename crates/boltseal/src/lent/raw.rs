//! The terminal of whoever sits here: every key passed on, until they are done.

use std::{
    io::{self, stdin, stdout},
    os::fd::AsFd as _,
};

use boltseal_runtime::start::attend::Size;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The terminal passes on every key, until this is dropped.
pub struct Raw(Termios);

impl Raw {
    /// From now on.
    pub fn new() -> io::Result<Self> {
        let before = tcgetattr(stdin().as_fd())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin().as_fd(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }

    /// As it was.
    pub const fn before(&self) -> &Termios {
        &self.0
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore(&self.0);
    }
}

/// Makes it as it was.
pub fn restore(before: &Termios) {
    // A terminal that is gone needs no modes.
    let _ = tcsetattr(stdin().as_fd(), OptionalActions::Now, before);
}

/// Its size, whichever of the two streams it is.
pub fn size() -> Option<Size> {
    let size = tcgetwinsize(stdin().as_fd()).or_else(|_| tcgetwinsize(stdout().as_fd())).ok()?;
    Some(Size { rows: size.ws_row, columns: size.ws_col })
}
