//! The terminal of whoever sits here, lent to a program in a container.
//!
//! The program gets a terminal of the container's own; what is typed here is written there, and what is written there is shown
//! here. So nothing in the container ever holds the terminal of the machine.

use std::{
    fs::File,
    io::{self, IsTerminal as _, stdin, stdout},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags},
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
};

use crate::exit::Failure;

/// How long the program may take to come for its terminal.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the size of the window is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// A terminal to be lent.
pub struct Lent {
    _folder: tempfile::TempDir,
    path: PathBuf,
    listener: UnixListener,
}

impl Lent {
    /// Waits for who takes it.
    pub fn new() -> Result<Self, Failure> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(Failure::usage("there is no terminal here to lend").next("leave out --terminal"));
        }
        let made = || -> io::Result<Self> {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("terminal");
            let listener = UnixListener::bind(&path)?;
            listener.set_nonblocking(true)?;
            Ok(Self { _folder: folder, path, listener })
        };
        made().map_err(Failure::fault)
    }

    /// Where it can be taken.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lends it until `child` ends; gives the code it ended with.
    pub fn lend(self, mut child: Child) -> Result<Option<i32>, Failure> {
        let Some(other) = self.taken(&mut child).map_err(Failure::fault)? else {
            return Ok(child.wait().map_err(Failure::fault)?.code());
        };
        let other = File::from(other);
        let _raw = Raw::new().map_err(Failure::fault)?;
        let from = other.try_clone().map_err(Failure::fault)?;
        let sized = other.try_clone().map_err(Failure::fault)?;
        let mut to = other;
        // Both of these end with the process.
        thread::spawn(move || copy(&mut stdin().lock(), &mut to));
        thread::spawn(move || follow_size(&sized));
        let mut from = from;
        // A terminal that nobody holds any more says so by an error.
        copy(&mut from, &mut stdout());
        Ok(child.wait().map_err(Failure::fault)?.code())
    }

    /// The other side of the terminal that was made; nothing where the program ended before.
    fn taken(&self, child: &mut Child) -> io::Result<Option<OwnedFd>> {
        let begun = Instant::now();
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return received(&stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn received(stream: &UnixStream) -> io::Result<Option<OwnedFd>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; 256];
    rustix::net::recvmsg(
        stream,
        &mut [io::IoSliceMut::new(&mut text)],
        &mut beside,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut descriptors = beside.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(descriptors.next())
}

fn copy(from: &mut impl io::Read, to: &mut impl io::Write) {
    let mut chunk = [0; 4_096];
    loop {
        match from.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                let written = to.write_all(chunk.get(..read).unwrap_or_default()).and_then(|()| to.flush());
                if written.is_err() {
                    return;
                }
            }
        }
    }
}

fn follow_size(other: &File) {
    let mut last = None;
    loop {
        let Ok(size) = tcgetwinsize(stdin().as_fd()) else { return };
        let now = (size.ws_row, size.ws_col);
        if last != Some(now) && tcsetwinsize(other, size).is_err() {
            return;
        }
        last = Some(now);
        thread::sleep(LOOK);
    }
}

/// The terminal passes on every key, until this is dropped.
struct Raw(Termios);

impl Raw {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(stdin().as_fd())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin().as_fd(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin().as_fd(), OptionalActions::Now, &self.0);
    }
}
