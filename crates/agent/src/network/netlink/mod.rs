//! Talking to the kernel about links, addresses, routes and rules: plain sockets, waited for. A socket belongs to the network
//! namespace of the thread that opened it, and goes on talking to that one.

pub(super) mod message;
pub(super) mod route;

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
    time::Duration,
};

use rustix::net::{
    AddressFamily, Protocol, SocketFlags, SocketType, netlink, socket_with,
    sockopt::{self, Timeout},
};

use message::{ACK, Answer, Message};

/// The kernel answers at once; who waits longer waits for nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest datagram that the kernel sends (linux/netlink.h: `NLMSG_GOODSIZE` and dumps of up to 32 KiB).
const DATAGRAM: usize = 64 << 10;
/// Answers of one question: links and routes of a machine with some thousands of them.
const MAX_ANSWERS: usize = 1 << 20;
/// `NLMSG_ERROR`, which is also how success is told.
const ERROR: u16 = 2;
/// `NLMSG_DONE`
const DONE: u16 = 3;

/// A conversation.
pub(super) struct Socket {
    socket: OwnedFd,
    sequence: u32,
}

impl Socket {
    /// About links, addresses and routes.
    pub(super) fn route() -> io::Result<Self> {
        // NETLINK_ROUTE is number 0.
        Self::open(None)
    }

    /// About rules.
    pub(super) fn filter() -> io::Result<Self> {
        Self::open(Some(netlink::NETFILTER))
    }

    fn open(family: Option<Protocol>) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, family)?;
        sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Asks for something to be done, and waits until it is.
    pub(super) fn ask(&mut self, message: Message) -> io::Result<()> {
        self.batch(vec![message], 0)
    }

    /// Sends all of it at once. What asks for an answer is the last but `closing`, which the kernel gives when all is done.
    pub(super) fn batch(&mut self, messages: Vec<Message>, closing: usize) -> io::Result<()> {
        let first = self.sequence + 1;
        let last = messages.len().saturating_sub(1 + closing);
        let mut answered = first;
        let mut bytes = Vec::with_capacity(messages.iter().map(Message::len).sum());
        for (place, mut message) in messages.into_iter().enumerate() {
            if place == last {
                message.flag(ACK);
                answered = self.sequence + 1;
            }
            self.sequence += 1;
            bytes.extend(message.finish(self.sequence));
        }
        self.send(&bytes)?;
        loop {
            for answer in self.receive()? {
                let ours = (first..=self.sequence).contains(&answer.sequence);
                match code(&answer) {
                    Some(0) if answer.sequence == answered => return Ok(()),
                    Some(code) if code != 0 && ours => return Err(io::Error::from_raw_os_error(-code)),
                    _ => {}
                }
            }
        }
    }

    /// Asks for all there is of something.
    pub(super) fn dump(&mut self, message: Message) -> io::Result<Vec<Answer>> {
        self.sequence += 1;
        let sequence = self.sequence;
        self.send(&message.finish(sequence))?;
        let mut all = Vec::new();
        loop {
            for answer in self.receive()?.into_iter().filter(|answer| answer.sequence == sequence) {
                match code(&answer) {
                    Some(0) => return Ok(all),
                    Some(code) => return Err(io::Error::from_raw_os_error(-code)),
                    None if answer.kind == DONE => return Ok(all),
                    None if all.len() >= MAX_ANSWERS => return Err(io::ErrorKind::FileTooLarge.into()),
                    None => all.push(answer),
                }
            }
        }
    }

    /// What the kernel keeps until it is read.
    pub(super) fn set_buffer(&mut self, bytes: usize) -> io::Result<()> {
        Ok(sockopt::set_socket_recv_buffer_size_force(&self.socket, bytes)?)
    }

    /// What comes without being asked for.
    pub(super) fn hear(&mut self, patience: Duration) -> io::Result<Vec<Answer>> {
        sockopt::set_socket_timeout(&self.socket, Timeout::Recv, Some(patience))?;
        self.receive()
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A batch is one datagram, and the buffer for it is counted with the kernel's own bookkeeping. Ten thousand openings
        // need more than the machine grants to everybody; root may ask for it.
        let wanted = bytes.len().saturating_mul(2).max(1 << 16);
        if sockopt::socket_send_buffer_size(&self.socket)? < wanted {
            sockopt::set_socket_send_buffer_size_force(&self.socket, wanted)?;
        }
        let sent = rustix::io::write(self.socket.as_fd(), bytes)?;
        if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn receive(&mut self) -> io::Result<Vec<Answer>> {
        let mut buffer = vec![0; DATAGRAM];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&self.socket, buffer.as_mut_slice()))?;
        Ok(message::answers(buffer.get(..length).unwrap_or_default()))
    }
}

/// What went wrong, negative; 0 where nothing did.
fn code(answer: &Answer) -> Option<i32> {
    if answer.kind != ERROR {
        return None;
    }
    message::number(&answer.body, 0).map(u32::cast_signed)
}
