//! As much of DNS messages as a resolver of a few names needs (RFC 1035 4): a question is read, an answer written. Whoever asks
//! may send anything.

use std::{net::Ipv4Addr, ops::Range};

/// Bytes of a header.
pub(super) const HEADER: usize = 12;
/// Bytes of a name (RFC 1035 2.3.4).
const MAX_NAME: usize = 255;
/// Bytes of one of its labels.
const MAX_LABEL: usize = 63;
/// Records of one answer: with any name they fit into the 512 bytes that everybody takes.
const MAX_RECORDS: usize = 14;
/// How long an answer counts, in seconds: groups are replaced by others.
const LIFE: u32 = 5;
/// The class of the Internet.
const INTERNET: u16 = 1;
/// Of addresses.
pub(super) const A: u16 = 1;
/// Of names by addresses.
pub(super) const PTR: u16 = 12;
/// What both sides can beyond RFC 1035 (RFC 6891).
const OPT: u16 = 41;
/// Bytes that we take by UDP, which fit a packet everywhere.
pub(super) const MAX_DATAGRAM: u16 = 1_232;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// By which the answer is known.
    pub(super) id: u16,
    /// Whether others are to be asked.
    recursion: bool,
    /// In small letters, without the last dot.
    pub name: String,
    /// What is asked about it: 1 is an address.
    pub kind: u16,
    /// Where the question itself lies, which is repeated by the answer.
    place: Range<usize>,
    /// Whether whoever asks knows RFC 6891.
    extended: bool,
}

/// Why there is no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing is said to it: it is an answer, or too short to be anything.
    Silent,
    /// It is said to be wrong.
    Said(Code),
}

/// What came of it (RFC 1035 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Here it is, or there is nothing of this kind.
    Fine,
    /// It cannot be read.
    Format,
    /// Whoever was asked did not answer.
    Failed,
    /// There is no such name.
    NoSuchName,
    /// That cannot be asked.
    NotImplemented,
    /// That is not answered to this one.
    Refused,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An address.
    Address(Ipv4Addr),
    /// A name.
    Name(String),
}

impl Question {
    /// Reads one.
    pub fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let half =
            |at: usize| bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_be_bytes);
        let (Some(id), Some(flags), Some(questions)) = (half(0), half(2), half(4)) else {
            return Err(Wrong::Silent);
        };
        let (Some(answers), Some(authorities), Some(more)) = (half(6), half(8), half(10)) else {
            return Err(Wrong::Silent);
        };
        if flags & 0x8000 != 0 {
            return Err(Wrong::Silent);
        }
        if flags & 0x7800 != 0 {
            return Err(Wrong::Said(Code::NotImplemented));
        }
        let wrong = Wrong::Said(Code::Format);
        if questions != 1 || answers != 0 || authorities != 0 {
            return Err(wrong);
        }
        let (name, end) = name(bytes).ok_or(wrong)?;
        let (kind, class) = (half(end).ok_or(wrong)?, half(end + 2).ok_or(wrong)?);
        if class != INTERNET {
            return Err(Wrong::Said(Code::Refused));
        }
        let place = HEADER..end + 4;
        // The name of the root, then the kind.
        let extended = more > 0 && bytes.get(place.end) == Some(&0) && half(place.end + 1) == Some(OPT);
        Ok(Self { id, recursion: flags & 0x0100 != 0, name, kind, place, extended })
    }

    /// An answer of our own to the question that `asked` is.
    pub fn answer(&self, asked: &[u8], code: Code, records: &[Record]) -> Vec<u8> {
        let records = records.get(..records.len().min(MAX_RECORDS)).unwrap_or_default();
        // It is an answer, and nobody knows better (AA); others can be asked (RA).
        let flags = 0x8000 | 0x0400 | 0x0080 | u16::from(self.recursion) << 8 | code.number();
        let counts = [1, u16::try_from(records.len()).unwrap_or(0), 0, u16::from(self.extended)];
        let mut bytes = head(self.id, flags, counts);
        bytes.extend(asked.get(self.place.clone()).unwrap_or_default());
        for record in records {
            // The name of the question.
            bytes.extend([0xc0, 0x0c]);
            match record {
                Record::Address(address) => field(&mut bytes, A, &address.octets()),
                Record::Name(name) => field(&mut bytes, PTR, &written(name)),
            }
        }
        if self.extended {
            bytes.push(0);
            bytes.extend([OPT, MAX_DATAGRAM].map(u16::to_be_bytes).concat());
            bytes.extend([0; 6]);
        }
        bytes
    }

    /// Whether `answer` is one to the question that `asked` is, under the number `id`.
    pub(super) fn is_answered(&self, asked: &[u8], id: u16, answer: &[u8]) -> bool {
        let same = |place: &Range<usize>| match (asked.get(place.clone()), answer.get(place.clone())) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            _ => false,
        };
        answer.get(..2) == Some(&id.to_be_bytes())
            && answer.get(2).is_some_and(|flags| flags & 0x80 != 0)
            && answer.get(4..6) == Some(&[0, 1])
            && same(&self.place)
    }
}

impl Code {
    /// What an answer says.
    pub(super) fn of(answer: &[u8]) -> Self {
        match answer.get(3).map(|flags| flags & 0xf) {
            Some(0) => Self::Fine,
            Some(1) => Self::Format,
            Some(3) => Self::NoSuchName,
            Some(4) => Self::NotImplemented,
            Some(5) => Self::Refused,
            _ => Self::Failed,
        }
    }

    const fn number(self) -> u16 {
        match self {
            Self::Fine => 0,
            Self::Format => 1,
            Self::Failed => 2,
            Self::NoSuchName => 3,
            Self::NotImplemented => 4,
            Self::Refused => 5,
        }
    }
}

/// What is said to something that is no question.
pub(super) fn refusal(asked: &[u8], code: Code) -> Vec<u8> {
    let id = asked.get(..2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_be_bytes);
    head(id, 0x8000 | code.number(), [0; 4])
}

fn head(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let [questions, answers, authorities, more] = counts;
    [id, flags, questions, answers, authorities, more].map(u16::to_be_bytes).concat()
}

fn field(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend([kind, INTERNET].map(u16::to_be_bytes).concat());
    bytes.extend(LIFE.to_be_bytes());
    bytes.extend(u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
    bytes.extend(value);
}

/// A name as it is sent. Ours are labels.
fn written(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty() && label.len() <= MAX_LABEL) {
        bytes.push(u8::try_from(label.len()).unwrap_or(0));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// The name that the question is about, and where it ends. A question comes first, so there is nothing that it could point to.
fn name(bytes: &[u8]) -> Option<(String, usize)> {
    let mut at = HEADER;
    let mut text = String::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            return Some((text, at));
        }
        if length > MAX_LABEL || at + length - HEADER >= MAX_NAME {
            return None;
        }
        if !text.is_empty() {
            text.push('.');
        }
        // What is no plain letter is no name of ours, and is shown so.
        let shown = |byte: &u8| {
            if byte.is_ascii_graphic() && *byte != b'.' { byte.to_ascii_lowercase().into() } else { '?' }
        };
        text.extend(bytes.get(at..at + length)?.iter().map(shown));
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &[&[u8]], kind: u16) -> Vec<u8> {
        let mut bytes = head(7, 0x0100, [1, 0, 0, 0]);
        for label in name {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(*label);
        }
        bytes.push(0);
        bytes.extend([kind, INTERNET].map(u16::to_be_bytes).concat());
        bytes
    }

    #[test]
    fn questions_and_answers() {
        let bytes = asked(&[b"Db", b"x\xff."], A);
        let question = Question::read(&bytes).unwrap();
        assert_eq!((question.id, question.name.as_str(), question.kind), (7, "db.x??", A));
        let answer = question.answer(&bytes, Code::Fine, &[Record::Address(Ipv4Addr::new(10, 0, 0, 1))]);
        assert_eq!(answer[..12], [0, 7, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(answer[12..bytes.len()], bytes[12..]);
        assert_eq!(answer[bytes.len()..], [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 1]);
        assert!(question.is_answered(&bytes, 7, &answer));
        assert!(!question.is_answered(&bytes, 8, &answer), "another number");
        assert!(!question.is_answered(&bytes, 7, &bytes), "a question");
        let other = asked(&[b"DB", b"y\xff."], A);
        let theirs = Question::read(&other).unwrap().answer(&other, Code::Fine, &[]);
        assert!(!question.is_answered(&bytes, 7, &theirs), "about something else");
        let many = vec![Record::Address(Ipv4Addr::LOCALHOST); 1_000];
        let longest: Vec<&[u8]> = vec![&[b'a'; 63], &[b'a'; 63], &[b'a'; 63], &[b'a'; 61]];
        let bytes = asked(&longest, A);
        assert!(Question::read(&bytes).unwrap().answer(&bytes, Code::Fine, &many).len() <= 512);
    }

    #[test]
    fn what_is_no_question() {
        let good = asked(&[b"db"], A);
        let changed = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            Question::read(&bytes).err()
        };
        assert_eq!(changed(2, 0x81), Some(Wrong::Silent), "an answer");
        assert_eq!(changed(2, 0x11), Some(Wrong::Said(Code::NotImplemented)), "a status");
        assert_eq!(changed(5, 2), Some(Wrong::Said(Code::Format)), "two questions");
        assert_eq!(changed(12, 0xc0), Some(Wrong::Said(Code::Format)), "a pointer");
        assert_eq!(changed(12, 60), Some(Wrong::Said(Code::Format)), "cut short");
        assert_eq!(changed(19, 3), Some(Wrong::Said(Code::Refused)), "another class");
        for length in 0..good.len() {
            let wrong = Question::read(&good[..length]).unwrap_err();
            assert_eq!(wrong == Wrong::Silent, length < 12, "{length}");
        }
        let long: Vec<&[u8]> = vec![&[b'a'; 63]; 4];
        assert_eq!(Question::read(&asked(&long, A)), Err(Wrong::Said(Code::Format)), "a name of 257 bytes");
    }
}
