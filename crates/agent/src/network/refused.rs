//! What was not let through: the kernel reports it (NFLOG), some hundred packets a second of each group.

use std::{io, net::Ipv4Addr, time::Duration};

use super::{
    Error,
    netlink::{
        Socket,
        message::{self, Message},
    },
    rules::LOG_GROUP,
};

/// `NFNL_SUBSYS_ULOG`
const SUBSYSTEM: u16 = 4;
/// `NFULNL_MSG_PACKET`
const PACKET: u16 = SUBSYSTEM << 8;
/// `NFULNL_MSG_CONFIG`
const CONFIG: u16 = SUBSYSTEM << 8 | 1;
/// Bytes of a packet: its headers.
const SNAP: u32 = 64;
/// What the kernel keeps for us until we read it.
const BUFFER: usize = 1 << 20;

/// A packet that was not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The group whose rules refused it; nothing where somebody sent as somebody else.
    pub group: Option<String>,
    /// The sender, as it says.
    pub from: Ipv4Addr,
    /// The receiver.
    pub to: Ipv4Addr,
    /// By its number: 6 is TCP.
    pub protocol: u8,
    /// The port of the receiver, where the protocol has ports.
    pub port: Option<u16>,
}

/// What is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This.
    Refused(Refused),
    /// Too much at once: some was lost.
    Lost,
}

/// Listens to what is refused.
pub struct Refusals(Socket);

impl std::fmt::Debug for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusals").finish_non_exhaustive()
    }
}

impl Refusals {
    /// Begins to listen. Only one can.
    ///
    /// # Errors
    /// Where somebody listens already, or the kernel reports no packets.
    pub fn open() -> Result<Self, Error> {
        let doing = || Error::kernel("listening to what is refused");
        let mut socket = Socket::filter().map_err(doing())?;
        socket.set_buffer(BUFFER).map_err(doing())?;
        let [high, low] = LOG_GROUP.to_be_bytes();
        let config = || Message::new(CONFIG, 0, &[0, 0, high, low]);
        let mut bind = config();
        // NFULNL_CFG_CMD_BIND
        bind.bytes(1, &[1]);
        socket.ask(bind).map_err(doing())?;
        let mut mode = config();
        // NFULNL_COPY_PACKET; reported one by one.
        mode.bytes(2, &[&SNAP.to_be_bytes()[..], &[2, 0]].concat());
        mode.big(5, 1);
        socket.ask(mode).map_err(doing())?;
        Ok(Self(socket))
    }

    /// What is refused next; nothing where nothing is for so long.
    ///
    /// # Errors
    /// Where the kernel says so.
    pub fn next(&mut self, patience: Duration) -> Result<Vec<Heard>, Error> {
        match self.0.hear(patience) {
            Ok(answers) => {
                let packets = answers.into_iter().filter(|answer| answer.kind == PACKET);
                Ok(packets.filter_map(|answer| packet(answer.body.get(4..)?)).map(Heard::Refused).collect())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Ok(Vec::new())
            }
            // ENOBUFS
            Err(error) if error.raw_os_error() == Some(105) => Ok(vec![Heard::Lost]),
            Err(error) => Err(Error::kernel("listening to what is refused")(error)),
        }
    }
}

/// `NFULA_PAYLOAD` and `NFULA_PREFIX` of a report.
fn packet(attributes: &[u8]) -> Option<Refused> {
    let payload = message::attribute(attributes, 9)?;
    let name = message::attribute(attributes, 10).map(message::text).unwrap_or_default();
    let group = name.strip_prefix("boltseal ").filter(|name| *name != "spoofed");
    let first = *payload.first()?;
    if first >> 4 != 4 {
        return None;
    }
    let address = |at: usize| payload.get(at..at + 4).and_then(message::address);
    let protocol = *payload.get(9)?;
    let header = usize::from(first & 0xf) * 4;
    let port =
        payload.get(header + 2..header + 4).and_then(|two| two.try_into().ok()).map(u16::from_be_bytes);
    let port = port.filter(|_| matches!(protocol, 6 | 17));
    Some(Refused {
        group: group.map(ToOwned::to_owned),
        from: address(12)?,
        to: address(16)?,
        protocol,
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_as_they_come() {
        let report = |name: &str, payload: &[u8]| {
            let mut message = Message::new(PACKET, 0, &[2, 0, 0, 181]);
            message.text(10, name);
            message.bytes(9, payload);
            let bytes = message.finish(0);
            packet(&bytes[20..])
        };
        let mut payload = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 213, 0, 2, 192, 0, 2, 1];
        let (from, to) = (Ipv4Addr::new(10, 213, 0, 2), Ipv4Addr::new(192, 0, 2, 1));
        let refused = |group: Option<&str>, protocol, port| {
            Some(Refused { group: group.map(ToOwned::to_owned), from, to, protocol, port })
        };
        assert_eq!(report("boltseal shop", &payload), refused(Some("shop"), 6, None), "cut short");
        payload.extend([0x12, 0x34, 0, 80]);
        assert_eq!(report("boltseal shop", &payload), refused(Some("shop"), 6, Some(80)));
        assert_eq!(report("boltseal spoofed", &payload), refused(None, 6, Some(80)));
        payload[9] = 1;
        assert_eq!(report("boltseal shop", &payload), refused(Some("shop"), 1, None));
        payload[0] = 0x65;
        assert_eq!(report("boltseal shop", &payload), None, "IPv6");
        for length in 0..20 {
            assert_eq!(report("boltseal shop", &payload[..length]), None);
        }
    }
}
