//! Messages of netlink, written and read: a header, a structure of the family, and attributes, which may hold attributes.
//! Numbers are those of the machine; the firewall's own are big-endian (`netlink(7)`, linux/netlink.h).

use std::net::Ipv4Addr;

/// Bytes of the header of a message.
pub(super) const HEADER: usize = 16;
/// Bytes of the header of an attribute.
const ATTRIBUTE: usize = 4;
/// An attribute that holds attributes.
const NESTED: u16 = 1 << 15;
/// The kind of an attribute without the flags that it carries.
const KIND: u16 = 0x3fff;

/// It is a question.
pub(in crate::network) const REQUEST: u16 = 0x1;
/// It wants an answer even where all went well.
pub(in crate::network) const ACK: u16 = 0x4;
/// Every one there is.
pub(in crate::network) const DUMP: u16 = 0x300;
/// What is there is replaced.
pub(in crate::network) const REPLACE: u16 = 0x100;
/// It must not be there.
pub(in crate::network) const EXCLUSIVE: u16 = 0x200;
/// It is made where it is missing.
pub(in crate::network) const CREATE: u16 = 0x400;
/// It comes after those that are there.
pub(in crate::network) const APPEND: u16 = 0x800;

/// A message on its way to the kernel.
pub(in crate::network) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// `fixed` is what the family puts before attributes.
    pub(in crate::network) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        put(&mut bytes, 4, &kind.to_ne_bytes());
        put(&mut bytes, 6, &(flags | REQUEST).to_ne_bytes());
        bytes.extend(fixed);
        let mut message = Self { bytes };
        message.pad();
        message
    }

    /// An attribute with bytes.
    pub(in crate::network) fn bytes(&mut self, kind: u16, value: &[u8]) {
        self.attribute(kind, |message| message.bytes.extend(value));
    }

    /// One with a text that ends with a zero.
    pub(in crate::network) fn text(&mut self, kind: u16, value: &str) {
        self.attribute(kind, |message| {
            message.bytes.extend(value.as_bytes());
            message.bytes.push(0);
        });
    }

    /// One with a number of the machine.
    pub(in crate::network) fn number(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// One with a big-endian number.
    pub(in crate::network) fn big(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// One with an address.
    pub(in crate::network) fn address(&mut self, kind: u16, value: Ipv4Addr) {
        self.bytes(kind, &value.octets());
    }

    /// One that holds what `fill` puts in.
    pub(in crate::network) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.attribute(kind | NESTED, fill);
    }

    /// Bytes without a header: the structure that some attributes begin with.
    pub(in crate::network) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.pad();
    }

    /// How long it is so far.
    pub(in crate::network) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What is sent: of one conversation, by `sequence`.
    pub(in crate::network) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        put(&mut self.bytes, 0, &length.to_ne_bytes());
        put(&mut self.bytes, 8, &sequence.to_ne_bytes());
        self.bytes
    }

    /// Flags are added: what asks for an answer is only known when it is sent.
    pub(super) fn flag(&mut self, flags: u16) {
        let now = self.bytes.get(6..8).and_then(|two| two.try_into().ok()).map_or(0, u16::from_ne_bytes);
        put(&mut self.bytes, 6, &(now | flags).to_ne_bytes());
    }

    fn attribute(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0; ATTRIBUTE]);
        fill(self);
        // An attribute has at most 65,535 bytes. Whoever fills one with a list stays below; what does not is no message, which
        // the kernel refuses.
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(0);
        put(&mut self.bytes, start, &length.to_ne_bytes());
        put(&mut self.bytes, start + 2, &kind.to_ne_bytes());
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// A message of the kernel: its kind, and what follows the header.
#[derive(Debug)]
pub(in crate::network) struct Answer {
    pub(in crate::network) kind: u16,
    pub(in crate::network) sequence: u32,
    pub(in crate::network) body: Vec<u8>,
}

/// The messages of one datagram. What is cut short ends it.
pub(super) fn answers(datagram: &[u8]) -> Vec<Answer> {
    let mut rest = datagram;
    let mut found = Vec::new();
    while let (Some(length), Some(kind), Some(sequence)) = (number(rest, 0), half(rest, 4), number(rest, 8)) {
        let length = length as usize;
        let Some(body) = rest.get(HEADER..length) else { break };
        found.push(Answer { kind, sequence, body: body.to_vec() });
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// Attributes of `bytes`, by their kinds. What is cut short ends them.
pub(in crate::network) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(half(rest, 0)?), half(rest, 2)?);
        let value = rest.get(ATTRIBUTE..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & KIND, value))
    })
}

/// The attribute of one kind.
pub(in crate::network) fn attribute(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// Four bytes as a number of the machine.
pub(in crate::network) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// Two bytes as a number of the machine.
pub(in crate::network) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

/// Four bytes as an address.
pub(in crate::network) fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}

/// A text that ends with a zero.
pub(in crate::network) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut message = Message::new(20, ACK, &[1, 2]);
        message.text(3, "eth0");
        message.nest(5, |inner| {
            inner.number(1, 7);
            inner.big(2, 7);
            inner.address(3, Ipv4Addr::new(10, 0, 0, 1));
        });
        message.flag(CREATE);
        let bytes = message.finish(9);
        assert_eq!(half(&bytes, 6), Some(REQUEST | ACK | CREATE));
        let answers = answers(&bytes);
        assert_eq!((answers.len(), answers[0].kind, answers[0].sequence), (1, 20, 9));
        let body = &answers[0].body[4..];
        assert_eq!(attribute(body, 3).map(text), Some("eth0".to_owned()));
        let inner = attribute(body, 5).unwrap();
        assert_eq!(attribute(inner, 1).and_then(|value| number(value, 0)), Some(7));
        assert_eq!(attribute(inner, 2), Some(&[0, 0, 0, 7][..]));
        assert_eq!(attribute(inner, 3).and_then(address), Some(Ipv4Addr::new(10, 0, 0, 1)));
    }

    #[test]
    fn what_is_cut_short_ends() {
        let mut message = Message::new(20, 0, &[]);
        message.bytes(1, &[1; 9]);
        let bytes = message.finish(1);
        for length in 0..bytes.len() {
            assert!(answers(&bytes[..length]).is_empty(), "{length}");
            let _ = attributes(&bytes[HEADER.min(length)..length]).count();
        }
        // A length of nothing would never end.
        assert_eq!(attributes(&[0, 0, 1, 0]).count(), 0);
        assert!(answers(&[0; 16]).is_empty());
    }
}
