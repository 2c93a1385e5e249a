//! Extracts as bytes: a SHA-256 of what follows, then a zstd frame of the facts about the layer, entries, answers.

use std::io::Read as _;

use boltseal_model::{Digest, FileMeta, GapKind, Want};

use super::{
    Extract, MAX_EXTRACT, MAX_STORED,
    bytes::{Bytes, put_bytes, put_number},
};
use crate::{
    Limits,
    overlay::{Ask, Kept, Outcome},
    tar::{Entry, Kind},
};

/// Tells extracts from everything else, and this form of them from others.
const MAGIC: &[u8] = b"boltseal extract 1";
/// Bytes of the digest before everything.
const DIGEST: usize = 32;
/// Compression: the fastest, since a cold scan waits for it.
const LEVEL: i32 = 1;
/// Bytes of facts before entries and answers: a few digests.
const FACTS: usize = 4 << 10;

const KINDS: [Kind; 5] = [Kind::File, Kind::HardLink, Kind::Symlink, Kind::Directory, Kind::Other];
const WANTS: [Want; 4] = [Want::Skip, Want::Whole, Want::Hashed, Want::Distilled];
const GAPS: [GapKind; 2] = [GapKind::FileNotParsed, GapKind::LimitReached];

/// One entry.
pub struct Row<'a> {
    /// Headers of the archive since the entry before.
    pub headers: u64,
    pub kind: Kind,
    pub path: &'a str,
    pub target: &'a str,
    pub meta: FileMeta,
}

impl<'a> Row<'a> {
    pub fn of(entry: &'a Entry, headers: u64) -> Self {
        Self { headers, kind: entry.kind, path: &entry.path, target: &entry.target, meta: entry.meta }
    }

    pub fn entry(&self) -> Entry {
        Entry::listed(self.path.to_owned(), self.kind, self.target.to_owned(), self.meta)
    }

    pub fn write(&self, to: &mut Vec<u8>) {
        put_number(to, self.headers);
        put_number(to, place(&KINDS, self.kind));
        put_bytes(to, self.path.as_bytes());
        put_bytes(to, self.target.as_bytes());
        let FileMeta { size, mode, uid, gid } = self.meta;
        for number in [size, mode.into(), uid.into(), gid.into()] {
            put_number(to, number);
        }
    }

    pub fn read(from: &mut Bytes<'a>) -> Option<Self> {
        let headers = from.number()?;
        let kind = *KINDS.get(usize::try_from(from.number()?).ok()?)?;
        let (path, target) = (from.text()?, from.text()?);
        let (size, mode, uid, gid) = (from.number()?, from.small()?, from.small()?, from.small()?);
        Some(Self { headers, kind, path, target, meta: FileMeta { size, mode, uid, gid } })
    }
}

/// What is known of one entry's content.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// Which entry, from 0.
    pub row: u32,
    /// Where the file was found to be; `None`: at the entry's own path.
    pub path: Option<&'a str>,
    pub want: Want,
    /// Whether its text was asked about.
    pub inspected: bool,
    kept: Held<'a>,
    /// Of a text: the remarks as written, and how many.
    remarks: Option<(u64, &'a [u8])>,
}

#[derive(Clone, Copy)]
enum Held<'a> {
    Nothing,
    Content(&'a [u8]),
    Gap(GapKind, &'a str),
}

impl<'a> Answer<'a> {
    /// Appends the answer to `ask` about the entry number `row`, which lies at `path`.
    pub fn record(to: &mut Vec<u8>, row: u32, path: &str, ask: Ask<'_>, outcome: &Outcome) {
        let mut written = Vec::new();
        for remark in outcome.remarks.iter().flatten() {
            put_bytes(&mut written, remark);
        }
        let remarks = outcome.remarks.as_ref().map(|remarks| (remarks.len() as u64, written.as_slice()));
        let kept = match &outcome.kept {
            Kept::Nothing => Held::Nothing,
            Kept::Content(content) | Kept::Shared(content) => Held::Content(content),
            Kept::Gap(kind, why) => Held::Gap(*kind, why),
        };
        let path = (ask.path != path).then_some(ask.path);
        Answer { row, path, want: ask.want, inspected: ask.inspects, kept, remarks }.write(to);
    }

    pub fn write(&self, to: &mut Vec<u8>) {
        put_number(to, self.row.into());
        put_number(to, place(&WANTS, self.want));
        to.push(u8::from(self.inspected));
        match self.path {
            None => to.push(0),
            Some(path) => {
                to.push(1);
                put_bytes(to, path.as_bytes());
            }
        }
        match self.kept {
            Held::Nothing => to.push(0),
            Held::Content(content) => {
                to.push(1);
                put_bytes(to, content);
            }
            Held::Gap(kind, why) => {
                to.push(2);
                put_number(to, place(&GAPS, kind));
                put_bytes(to, why.as_bytes());
            }
        }
        match self.remarks {
            None => to.push(0),
            Some((count, remarks)) => {
                to.push(1);
                put_number(to, count);
                put_bytes(to, remarks);
            }
        }
    }

    fn read(from: &mut Bytes<'a>) -> Option<Self> {
        let row = from.small()?;
        let want = *WANTS.get(usize::try_from(from.number()?).ok()?)?;
        let inspected = from.byte()? == 1;
        let path = if from.byte()? == 1 { Some(from.text()?) } else { None };
        let kept = match from.byte()? {
            0 => Held::Nothing,
            1 => Held::Content(from.bytes()?),
            2 => Held::Gap(*GAPS.get(usize::try_from(from.number()?).ok()?)?, from.text()?),
            _ => return None,
        };
        let remarks = if from.byte()? == 1 { Some((from.number()?, from.bytes()?)) } else { None };
        if let Some((count, written)) = remarks {
            let mut written = Bytes(written);
            (0..count).try_for_each(|_| written.bytes().map(|_| ()))?;
        }
        Some(Self { row, path, want, inspected, kept, remarks })
    }

    /// Which question it answers, but for inspection.
    pub fn question(&self) -> (u32, Option<String>, u64) {
        (self.row, self.path.map(str::to_owned), place(&WANTS, self.want))
    }

    /// Whether it answers `ask` about an entry at `path`.
    pub fn answers(&self, ask: Ask<'_>, path: &str) -> bool {
        self.want == ask.want && (self.inspected || !ask.inspects) && self.path.unwrap_or(path) == ask.path
    }

    pub fn outcome(&self) -> Outcome {
        let kept = match self.kept {
            Held::Nothing => Kept::Nothing,
            Held::Content(content) => Kept::Content(content.into()),
            Held::Gap(kind, why) => Kept::Gap(kind, why.to_owned()),
        };
        let remarks = self.remarks.map(|(count, written)| {
            let mut written = Bytes(written);
            (0..count).map_while(|_| written.bytes().map(<[u8]>::to_vec)).collect()
        });
        Outcome { kept, remarks }
    }
}

/// All entries; `None` where they cannot be read.
pub fn rows(bytes: &[u8]) -> impl Iterator<Item = Option<Row<'_>>> {
    let mut left = Bytes(bytes);
    std::iter::from_fn(move || (!left.0.is_empty()).then(|| Row::read(&mut left)))
}

/// All answers; `None` where they cannot be read.
pub fn answers(bytes: &[u8]) -> impl Iterator<Item = Option<Answer<'_>>> {
    let mut left = Bytes(bytes);
    std::iter::from_fn(move || (!left.0.is_empty()).then(|| Answer::read(&mut left)))
}

fn place<T: PartialEq + Copy>(all: &[T], one: T) -> u64 {
    all.iter().position(|other| *other == one).unwrap_or(all.len()) as u64
}

/// What other limits would make other answers of.
fn limits_word(limits: &Limits) -> String {
    Digest::of(format!("{limits:?}").as_bytes()).short()
}

pub fn pack(extract: &Extract, limits: &Limits) -> Option<Vec<u8>> {
    let mut facts = Vec::new();
    put_bytes(&mut facts, MAGIC);
    put_bytes(&mut facts, limits_word(limits).as_bytes());
    put_bytes(&mut facts, extract.diff_id.to_string().as_bytes());
    put_number(&mut facts, extract.archive);
    put_number(&mut facts, extract.headers);
    facts.push(u8::from(extract.ended));
    put_number(&mut facts, extract.stored.len() as u64);
    for (digest, size) in &extract.stored {
        put_bytes(&mut facts, digest.to_string().as_bytes());
        put_number(&mut facts, *size);
    }
    put_number(&mut facts, extract.rows.len() as u64);
    let mut packer = zstd::Encoder::new(vec![0; DIGEST], LEVEL).ok()?;
    for part in [&facts, &extract.rows, &extract.answers] {
        std::io::Write::write_all(&mut packer, part).ok()?;
    }
    let mut out = packer.finish().ok()?;
    let (head, body) = out.split_at_mut_checked(DIGEST)?;
    head.copy_from_slice(Digest::of(body).bytes());
    Some(out)
}

pub fn unpack(packed: &[u8], limits: &Limits) -> Option<Extract> {
    let (digest, body) = packed.split_at_checked(DIGEST)?;
    if digest != Digest::of(body).bytes() {
        return None;
    }
    let mut all = Vec::new();
    let most = (MAX_EXTRACT + FACTS) as u64;
    zstd::Decoder::new(body).ok()?.take(most + 1).read_to_end(&mut all).ok()?;
    if all.len() as u64 > most {
        return None;
    }
    let mut from = Bytes(&all);
    if from.bytes()? != MAGIC || from.text()? != limits_word(limits) {
        return None;
    }
    let diff_id = from.text()?.parse().ok()?;
    let (archive, headers, ended) = (from.number()?, from.number()?, from.byte()? == 1);
    let count = usize::try_from(from.number()?).ok().filter(|count| *count <= MAX_STORED)?;
    let mut stored = Vec::with_capacity(count);
    for _ in 0..count {
        stored.push((from.text()?.parse().ok()?, from.number()?));
    }
    let rows = from.bytes()?.to_vec();
    Some(Extract { diff_id, stored, archive, ended, headers, rows, answers: from.0.to_vec() })
}
