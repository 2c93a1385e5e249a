//! Whoever sits at a container: what they type goes to its workload, what that writes comes back to them.
//!
//! ```text
//! boltseal run -it ──socket──▶ PID 1: init ──terminal, or pipes──▶ the workload
//!                              └ log, status
//! ```
//!
//! The first process of a container holds the other side of its terminal, and listens on a socket that was made outside before it
//! was confined. So neither an agent nor whoever sits there is needed for the container to go on, and who comes later comes to
//! the same place. The terminal is one of the container's own file system of terminals: what runs in there never holds that of
//! the machine.
//!
//! A message is one packet (`SOCK_SEQPACKET`): its kind, and what it says.
//!
//! Limits: one sits there at a time, and who comes later takes the place; [`MAX`] bytes a message; one message is on its way in
//! each direction, then whoever writes waits, as at any terminal.
//!
//! It must not know: agents, groups, what kind of terminal whoever sits there has.

use std::{
    fs::{self, File},
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{
            fs::{OpenOptionsExt as _, PermissionsExt as _},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::OFlags,
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, Shutdown,
        SocketAddrUnix, SocketFlags, SocketType,
    },
    termios::Winsize,
};
use serde::{Deserialize, Serialize};

use super::log::Stream;

/// Bytes of a message, with its kind.
pub const MAX: usize = 16 << 10;
/// How many may wait to sit there.
const WAITING: i32 = 4;

/// How many characters a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// From top to bottom.
    pub rows: u16,
    /// From left to right.
    pub columns: u16,
}

impl From<Size> for Winsize {
    fn from(size: Size) -> Self {
        Self { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
    }
}

/// How somebody can sit at a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attended {
    /// Its terminal; without one, it has pipes.
    pub terminal: Option<Size>,
    /// Whether what is typed goes to the workload.
    pub input: bool,
    /// Whether it is theirs who started it: it begins when they sit there, and where it has pipes, its input ends when they leave.
    pub held: bool,
}

/// Where they come to, in a folder for one container.
pub fn socket(bundle: &Path) -> PathBuf {
    bundle.join("attend")
}

/// What a container's first process has for them.
#[derive(Debug)]
pub struct Door {
    /// Where they come in.
    pub(super) listener: OwnedFd,
    /// Where whoever makes the container sends the other side of its terminal.
    pub(super) console: Option<UnixListener>,
    /// How they sit there.
    pub(super) how: Attended,
}

impl Door {
    /// Opens it, in the folder of the bundle.
    ///
    /// # Errors
    /// As bind(2).
    pub(super) fn open(bundle: &Path, how: Attended) -> io::Result<Self> {
        let listener = listen(&socket(bundle))?;
        let console = how.terminal.map(|_| bind(&console(bundle))).transpose()?;
        Ok(Self { listener, console, how })
    }

    /// The other side of the terminal, which was sent before this process went on. None where there are pipes.
    pub(super) fn terminal(&self) -> io::Result<Option<OwnedFd>> {
        let Some(console) = &self.console else { return Ok(None) };
        let (from, _) = console.accept()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut name = [0; 256];
        let mut into = [io::IoSliceMut::new(&mut name)];
        rustix::net::recvmsg(&from, &mut into, &mut beside, RecvFlags::CMSG_CLOEXEC)?;
        let sent = beside.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut sent) => sent.next(),
            _ => None,
        });
        sent.map(Some).ok_or_else(|| io::Error::other("no terminal was sent"))
    }
}

/// The socket that the terminal is sent to.
pub(super) fn console(bundle: &Path) -> PathBuf {
    bundle.join("console")
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    forget(path)?;
    let (_folder, near) = near(path)?;
    UnixListener::bind(near)
}

fn listen(path: &Path) -> io::Result<OwnedFd> {
    forget(path)?;
    let (_folder, near) = near(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(near)?)?;
    // Nobody gets in before it listens.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, WAITING)?;
    Ok(socket)
}

/// Removes a socket of the last time.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The same file by a path short enough for the address of a socket, as long as the folder is held.
fn near(path: &Path) -> io::Result<(File, PathBuf)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let flags = (OFlags::PATH | OFlags::DIRECTORY).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    let folder = File::options().read(true).custom_flags(flags).open(folder)?;
    let near = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok((folder, near))
}

/// A place at a container.
#[derive(Debug)]
pub struct Seat(OwnedFd);

impl Seat {
    /// Takes it. It fails with `NotFound` or `ConnectionRefused` where nobody listens yet, or any more.
    ///
    /// # Errors
    /// As connect(2).
    pub fn take(socket: &Path) -> io::Result<Self> {
        let (_folder, near) = near(socket)?;
        let flags = SocketFlags::CLOEXEC;
        let seat = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        rustix::net::connect(&seat, &SocketAddrUnix::new(near)?)?;
        Ok(Self(seat))
    }

    /// Says something; waits until it is taken.
    ///
    /// # Errors
    /// As send(2): nobody is there any more.
    pub fn say(&self, what: &Typed<'_>) -> io::Result<()> {
        rustix::net::send(&self.0, &what.write(), SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// What comes next; nothing where nothing will come any more.
    ///
    /// # Errors
    /// As recv(2).
    pub fn hear<'a>(&self, space: &'a mut [u8; MAX]) -> io::Result<Option<Shown<'a>>> {
        loop {
            let (read, _) = match rustix::net::recv(&self.0, &mut space[..], RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(rustix::io::Errno::CONNRESET) => return Ok(None),
                read => read?,
            };
            return Ok(Shown::read(space.get(..read).unwrap_or_default()));
        }
    }

    /// Leaves, whoever else still says or hears something.
    pub fn leave(&self) {
        // One that is gone has left.
        let _ = rustix::net::shutdown(&self.0, Shutdown::Both);
    }
}

/// What whoever sits there says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed<'a> {
    /// They typed this.
    Bytes(&'a [u8]),
    /// Nothing more is typed.
    End,
    /// Their terminal has another size.
    Size(Size),
    /// The workload is to get this signal.
    Signal(u8),
}

impl<'a> Typed<'a> {
    /// As a message.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => [b"d", *bytes].concat(),
            Self::End => b"c".to_vec(),
            Self::Size(size) => [&b"s"[..], &size.rows.to_be_bytes(), &size.columns.to_be_bytes()].concat(),
            Self::Signal(number) => vec![b'k', *number],
        }
    }

    /// Of a message; nothing where it says nothing that is known.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        match message.split_first()? {
            (b'd', bytes) => Some(Self::Bytes(bytes)),
            (b'c', []) => Some(Self::End),
            (b's', [high, low, of_columns @ ..]) => {
                let columns = u16::from_be_bytes(of_columns.try_into().ok()?);
                Some(Self::Size(Size { rows: u16::from_be_bytes([*high, *low]), columns }))
            }
            (b'k', [number]) => Some(Self::Signal(*number)),
            _ => None,
        }
    }
}

/// What they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// The workload wrote this.
    Bytes(Stream, &'a [u8]),
    /// It ended, with this code.
    Ended(i32),
    /// Somebody else sits there now.
    Replaced,
}

impl<'a> Shown<'a> {
    /// As a message.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Bytes(Stream::Stdout, bytes) => [b"o", *bytes].concat(),
            Self::Bytes(Stream::Stderr, bytes) => [b"e", *bytes].concat(),
            Self::Ended(code) => [&b"x"[..], &code.to_be_bytes()].concat(),
            Self::Replaced => b"r".to_vec(),
        }
    }

    /// Of a message; nothing where it says nothing that is known.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        match message.split_first()? {
            (b'o', bytes) => Some(Self::Bytes(Stream::Stdout, bytes)),
            (b'e', bytes) => Some(Self::Bytes(Stream::Stderr, bytes)),
            (b'x', code) => Some(Self::Ended(i32::from_be_bytes(code.try_into().ok()?))),
            (b'r', []) => Some(Self::Replaced),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_was_said() {
        for typed in [
            Typed::Bytes(b"ls\n"),
            Typed::Bytes(b""),
            Typed::End,
            Typed::Size(Size { rows: 24, columns: 65_535 }),
            Typed::Signal(15),
        ] {
            assert_eq!(Typed::read(&typed.write()), Some(typed));
        }
        for shown in [
            Shown::Bytes(Stream::Stdout, b"\0\xff"),
            Shown::Bytes(Stream::Stderr, b"no"),
            Shown::Ended(-1),
            Shown::Replaced,
        ] {
            assert_eq!(Shown::read(&shown.write()), Some(shown));
        }
    }

    #[test]
    fn what_is_no_message_says_nothing() {
        for message in [&b""[..], b"?", b"c.", b"s\0\x01\0", b"s\0\x01\0\x01\0", b"k", b"kk\0"] {
            assert_eq!(Typed::read(message), None, "{message:?}");
        }
        for message in [&b""[..], b"?", b"x\0\0\0", b"x\0\0\0\0\0", b"r."] {
            assert_eq!(Shown::read(message), None, "{message:?}");
        }
    }

    #[test]
    fn a_place_in_a_folder_with_a_long_name() {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("b".repeat(200));
        fs::create_dir(&bundle).unwrap();
        let refused = Seat::take(&socket(&bundle)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotFound);
        let how = Attended { terminal: None, input: true, held: false };
        for _ in 0..2 {
            let door = Door::open(&bundle, how).unwrap();
            let mode = fs::metadata(socket(&bundle)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let seat = Seat::take(&socket(&bundle)).unwrap();
            let guest = rustix::net::accept(&door.listener).unwrap();
            seat.say(&Typed::Signal(1)).unwrap();
            let mut space = [0; MAX];
            let (read, _) = rustix::net::recv(&guest, &mut space[..], RecvFlags::empty()).unwrap();
            assert_eq!(Typed::read(&space[..read]), Some(Typed::Signal(1)));
            rustix::net::send(&guest, &Shown::Ended(3).write(), SendFlags::empty()).unwrap();
            drop(guest);
            assert_eq!(seat.hear(&mut space).unwrap(), Some(Shown::Ended(3)));
            assert_eq!(seat.hear(&mut space).unwrap(), None);
        }
        assert_eq!(Seat::take(&socket(&bundle)).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
