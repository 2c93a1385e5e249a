//! A terminal for a program that joins a container: made in there by the process that becomes the program, whose other side comes
//! here by a socket.

use std::{
    fs::File,
    io::{self, Read as _, Write as _, stdout},
    os::{
        fd::OwnedFd,
        unix::{
            net::{UnixListener, UnixStream},
            process::CommandExt as _,
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use boltseal_runtime::start::attend::Size;
use rustix::{
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags},
    termios::tcsetwinsize,
};

use super::{Far, How, Left, sit};
use crate::{confined, exit::Failure};

/// How long the program may take to come for its terminal.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the other side of the terminal comes.
pub struct Coming {
    _folder: tempfile::TempDir,
    path: PathBuf,
    listener: UnixListener,
}

impl Coming {
    /// Waits for it.
    pub fn new() -> Result<Self, Failure> {
        let made = || -> io::Result<Self> {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("terminal");
            let listener = UnixListener::bind(&path)?;
            listener.set_nonblocking(true)?;
            Ok(Self { _folder: folder, path, listener })
        };
        made().map_err(Failure::fault)
    }

    /// Where it can be sent.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sits at it until `child` ends or is left.
    pub fn sit(self, mut child: Child, how: &How) -> Result<Left, Failure> {
        let ended = |mut child: Child| child.wait().map(|ended| Left::Ended(ended.code()));
        let Some(other) = self.taken(&mut child).map_err(Failure::fault)? else {
            return ended(child).map_err(Failure::fault);
        };
        let far = Arc::new(Terminal(File::from(other)));
        let shown = far.0.try_clone().map_err(Failure::fault)?;
        let left = sit(&far, how, move || {
            show(shown);
            ended(child).unwrap_or(Left::Ended(None))
        })?;
        if left == Left::Detached {
            hold(&far.0).map_err(Failure::fault)?;
        }
        Ok(left)
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

/// Until nobody holds the terminal any more, which it says by an error.
fn show(mut from: File) {
    let mut chunk = [0; 4_096];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        let mut out = stdout().lock();
        if out.write_all(chunk.get(..read).unwrap_or_default()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// The program would be hung up on when this one ends: another one keeps its terminal, and takes what it writes.
fn hold(other: &File) -> io::Result<()> {
    Command::new(std::env::current_exe()?)
        .arg(confined::HOLD)
        .env_clear()
        .stdin(Stdio::from(other.try_clone()?))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    Ok(())
}

/// The other side of its terminal.
struct Terminal(File);

impl Far for Terminal {
    fn typed(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    fn no_more(&self) -> io::Result<()> {
        Ok(())
    }

    fn sized(&self, size: Size) -> io::Result<()> {
        Ok(tcsetwinsize(&self.0, size.into())?)
    }

    /// What joins has a terminal here, so none is passed on.
    fn signal(&self, _: i32) -> io::Result<()> {
        Ok(())
    }
}
