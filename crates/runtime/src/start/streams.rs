//! What the first process of a container has of its workload: pipes or a terminal, copied into the log and to whoever sits there.
//!
//! Nothing is read that cannot be passed on: of what is typed and of what is written, one message waits, and then whoever wrote it.
//! Whoever sits there and takes nothing holds a workload up, as a stopped terminal does, but not its end: that waits for them
//! [`PARTING`] long.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use boltseal_model::Timestamp;
use boltseal_sys::Signals;
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::OFlags,
    net::{RecvFlags, SendFlags, SocketFlags},
    pipe::PipeFlags,
};

use super::{
    attend::{Door, MAX, Shown, Typed},
    log::{Stream, Writer},
};

/// How long a workload that is theirs waits for whoever started it.
const COMING: Duration = Duration::from_secs(30);
/// How long whoever sits there may take what the workload wrote before it ended.
const PARTING: Duration = Duration::from_secs(5);
/// Bytes of what was written that are read at once: as many as a message says.
const CHUNK: usize = MAX - 1;

/// What the workload gets, in the copy of the process that becomes it.
#[derive(Debug)]
pub(super) enum Ends {
    /// To write to, and to read from where somebody types.
    Pipes { out: OwnedFd, err: OwnedFd, input: Option<OwnedFd> },
    /// It has the terminal already, as this process does.
    Terminal,
}

impl Ends {
    /// Puts them where programs look for them.
    pub fn take_place(self) -> io::Result<()> {
        match self {
            Self::Pipes { out, err, input } => {
                if let Some(input) = input {
                    rustix::stdio::dup2_stdin(&input)?;
                }
                rustix::stdio::dup2_stdout(&out)?;
                rustix::stdio::dup2_stderr(&err)?;
            }
            // What is typed to end something ends the workload's processes, not this one. No signal gets through yet, so that none
            // stops a process that is not in front.
            Self::Terminal => {
                rustix::process::setpgid(None, None)?;
                rustix::termios::tcsetpgrp(rustix::stdio::stdin(), rustix::process::getpid())?;
            }
        }
        Ok(())
    }
}

/// What comes and goes.
#[derive(Debug)]
pub(super) struct Streams {
    /// What the workload writes to and did not close.
    outlets: Vec<(Stream, File)>,
    /// Where what is typed goes.
    inlet: Option<File>,
    /// What was typed and is not taken yet.
    typed: Vec<u8>,
    /// Whether nothing comes after it.
    is_last: bool,
    /// Where people come in.
    door: Option<Arc<Door>>,
    /// Who sits there.
    guest: Option<OwnedFd>,
    /// A message that they did not take yet.
    unsent: Vec<u8>,
    /// Since when the workload has ended.
    ended: Option<Instant>,
}

/// What one waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Signals,
    Door,
    Guest,
    Inlet,
    Outlet(Stream),
}

/// What came.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// Signals wait.
    pub signals: bool,
    /// Signals for the workload that somebody sent from outside.
    pub sent: Vec<i32>,
}

impl Streams {
    /// Makes them, and gives what the workload gets of them.
    pub fn open(door: Option<&Arc<Door>>) -> io::Result<(Self, Ends)> {
        let mut streams = Self {
            outlets: Vec::new(),
            inlet: None,
            typed: Vec::new(),
            is_last: false,
            door: door.cloned(),
            guest: None,
            unsent: Vec::new(),
            ended: None,
        };
        let terminal = door.map(|door| door.terminal()).transpose()?.flatten();
        if let (Some(terminal), Some(size)) = (terminal, door.and_then(|door| door.how.terminal)) {
            rustix::termios::tcsetwinsize(&terminal, size.into())?;
            let terminal = File::from(terminal);
            unblock(&terminal)?;
            streams.inlet = Some(terminal.try_clone()?);
            streams.outlets.push((Stream::Stdout, terminal));
            return Ok((streams, Ends::Terminal));
        }
        let (out, out_in) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let (err, err_in) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        streams.outlets = vec![(Stream::Stdout, out.into()), (Stream::Stderr, err.into())];
        let mut input = None;
        if door.is_some_and(|door| door.how.input) {
            let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
            let write = File::from(write);
            unblock(&write)?;
            (streams.inlet, input) = (Some(write), Some(read));
        }
        Ok((streams, Ends::Pipes { out: out_in, err: err_in, input }))
    }

    /// The descriptors that they need.
    pub fn kept(&self) -> Vec<i32> {
        let files = self.outlets.iter().map(|(_, file)| file).chain(&self.inlet);
        files.map(File::as_raw_fd).chain(self.door.iter().map(|door| door.listener.as_raw_fd())).collect()
    }

    /// Waits for whoever started the workload, where it is theirs; not for ever, and not once this process is told something.
    pub fn await_first(&self, signals: &Signals) -> io::Result<()> {
        let Some(door) = self.door.as_ref().filter(|door| door.how.held) else { return Ok(()) };
        let mut watched = [PollFd::new(&door.listener, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        poll(&mut watched, Some(COMING))
    }

    /// Whether the workload can still write.
    pub fn are_open(&self) -> bool {
        !self.outlets.is_empty()
    }

    /// The workload has ended: what it wrote is still taken, but nothing is waited for.
    pub fn end(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
        self.inlet = None;
        self.typed.clear();
    }

    /// Waits until something comes, and passes it on.
    pub fn serve(&mut self, signals: &Signals, writer: &mut Writer<'_>) -> io::Result<Came> {
        // A terminal does not say that nobody will write to it any more: what is there is all.
        let drains = self.ended.is_some() && self.is_terminal() && self.unsent.is_empty();
        let patience = match self.ended {
            _ if drains => Some(Duration::ZERO),
            Some(ended) if !self.unsent.is_empty() => Some(PARTING.saturating_sub(ended.elapsed())),
            _ => None,
        };
        let ready = self.ready(signals, patience)?;
        let is_ready = |source| ready.contains(&source);
        let mut came = Came { signals: is_ready(Source::Signals), sent: Vec::new() };
        if is_ready(Source::Door) {
            self.admit();
        }
        if is_ready(Source::Inlet) {
            self.pass_in();
        }
        if is_ready(Source::Guest) {
            self.attend(&mut came);
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            if self.unsent.is_empty() && (is_ready(Source::Outlet(stream)) || drains) {
                self.pass_out(stream, writer);
            }
        }
        if self.ended.is_some_and(|ended| ended.elapsed() >= PARTING) {
            self.leave();
        }
        Ok(came)
    }

    /// Says that it ended, to whoever sits there.
    pub fn part(&mut self, code: i32) {
        let Some(guest) = &self.guest else { return };
        let mut watched = [PollFd::new(guest, PollFlags::OUT)];
        if poll(&mut watched, Some(PARTING)).is_ok() {
            // Whoever does not take it finds out otherwise.
            let _ = send(guest, &Shown::Ended(code).write());
        }
    }

    fn ready(&self, signals: &Signals, patience: Option<Duration>) -> io::Result<Vec<Source>> {
        let mut wanted: Vec<(Source, BorrowedFd<'_>, PollFlags)> =
            vec![(Source::Signals, signals.as_fd(), PollFlags::IN)];
        if let Some(door) = &self.door {
            wanted.push((Source::Door, door.listener.as_fd(), PollFlags::IN));
        }
        if let Some(guest) = &self.guest {
            let hears = if self.typed.is_empty() { PollFlags::IN } else { PollFlags::empty() };
            let says = if self.unsent.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            // One that is not asked for anything would say again and again that nobody is there.
            if !(hears | says).is_empty() {
                wanted.push((Source::Guest, guest.as_fd(), hears | says));
            }
        }
        if let Some(inlet) = self.inlet.as_ref().filter(|_| !self.typed.is_empty()) {
            wanted.push((Source::Inlet, inlet.as_fd(), PollFlags::OUT));
        }
        for (stream, file) in self.outlets.iter().filter(|_| self.unsent.is_empty()) {
            wanted.push((Source::Outlet(*stream), file.as_fd(), PollFlags::IN));
        }
        let mut watched: Vec<PollFd<'_>> =
            wanted.iter().map(|(_, file, flags)| PollFd::from_borrowed_fd(*file, *flags)).collect();
        poll(&mut watched, patience)?;
        let came = wanted.iter().zip(&watched).filter(|(_, watched)| !watched.revents().is_empty());
        Ok(came.map(|((source, ..), _)| *source).collect())
    }

    /// Whoever comes takes the place.
    fn admit(&mut self) {
        let Some(door) = &self.door else { return };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let Ok(guest) = rustix::net::accept_with(&door.listener, flags) else { return };
        if let Some(before) = self.guest.replace(guest) {
            let _ = send(&before, &Shown::Replaced.write());
        }
        self.unsent.clear();
    }

    fn leave(&mut self) {
        self.guest = None;
        self.unsent.clear();
        // A terminal stays as it is for whoever comes next.
        if self.door.as_ref().is_some_and(|door| door.how.held) && !self.is_terminal() {
            self.end_input();
        }
    }

    /// A pipe has an end, once all that was typed is taken; a terminal goes on.
    fn end_input(&mut self) {
        self.is_last = !self.is_terminal();
        if self.is_last && self.typed.is_empty() {
            self.inlet = None;
        }
    }

    fn is_terminal(&self) -> bool {
        self.door.as_ref().is_some_and(|door| door.how.terminal.is_some())
    }

    /// Takes what whoever sits there did not, and hears what they say.
    fn attend(&mut self, came: &mut Came) {
        let Some(guest) = &self.guest else { return };
        if !self.unsent.is_empty() {
            match send(guest, &self.unsent) {
                Ok(()) => self.unsent.clear(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.leave(),
            }
        }
        if !self.typed.is_empty() {
            return;
        }
        let mut space = [0; MAX];
        let read = match rustix::net::recv(guest, &mut space[..], RecvFlags::empty()) {
            Ok((read, _)) => read,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            Err(_) => 0,
        };
        match Typed::read(space.get(..read).unwrap_or_default()) {
            Some(Typed::Bytes(bytes)) => {
                let has_input = self.door.as_ref().is_some_and(|door| door.how.input);
                if has_input && self.inlet.is_some() {
                    self.typed.extend_from_slice(bytes);
                    self.pass_in();
                }
            }
            Some(Typed::End) => self.end_input(),
            Some(Typed::Size(size)) => self.resize(size.into()),
            Some(Typed::Signal(number)) => came.sent.push(number.into()),
            None => self.leave(),
        }
    }

    fn resize(&self, size: rustix::termios::Winsize) {
        if let Some(terminal) = self.inlet.as_ref().filter(|_| self.is_terminal()) {
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }

    /// Gives the workload what was typed, as far as it takes it.
    fn pass_in(&mut self) {
        let Some(inlet) = &mut self.inlet else { return self.typed.clear() };
        match inlet.write(&self.typed) {
            Ok(taken) => {
                drop(self.typed.drain(..taken));
                if self.is_last && self.typed.is_empty() {
                    self.inlet = None;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            // It closed its input.
            Err(_) => {
                self.inlet = None;
                self.typed.clear();
            }
        }
    }

    /// Copies what it wrote into the log, and to whoever sits there.
    fn pass_out(&mut self, stream: Stream, writer: &mut Writer<'_>) {
        let Some(place) = self.outlets.iter().position(|(of, _)| *of == stream) else { return };
        let Some((_, file)) = self.outlets.get_mut(place) else { return };
        let mut chunk = vec![0; CHUNK];
        let read = match file.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            // A terminal that nobody holds in there any more says nothing, and this process holds it until the workload ended.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.ended.is_none() => return,
            read => read.unwrap_or(0),
        };
        if read == 0 {
            self.outlets.remove(place);
            return;
        }
        let bytes = chunk.get(..read).unwrap_or_default();
        // A full disk is no reason for a workload to stand still.
        let _ = writer.take(stream, bytes, Timestamp::now());
        let Some(guest) = &self.guest else { return };
        let message = Shown::Bytes(stream, bytes).write();
        match send(guest, &message) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.unsent = message,
            Err(_) => self.leave(),
        }
    }
}

fn send(guest: &OwnedFd, message: &[u8]) -> io::Result<()> {
    rustix::net::send(guest, message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}

fn unblock(file: &File) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    Ok(rustix::fs::fcntl_setfl(file, flags | OFlags::NONBLOCK)?)
}

/// Waits; a signal that comes between ends that, too.
fn poll(watched: &mut [PollFd<'_>], patience: Option<Duration>) -> io::Result<()> {
    let patience = patience.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
    match rustix::event::poll(watched, patience.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
