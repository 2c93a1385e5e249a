//! A table of a SQLite 3 file, read page by page. After "Database File Format" of SQLite.
//!
//! Only what reading one table whole needs: no indexes, no writing, no SQL. rpm keeps headers in the table `Packages
//! (hnum INTEGER PRIMARY KEY, blob BLOB)`. Pages that still wait in a write-ahead log beside the file count in the place of
//! the file's own ([`Log`]).

use std::collections::HashSet;

use super::{
    bytes::{Endian, run},
    database::{Problem, Stored},
    wal::Log,
};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Of page 1, before its tree starts.
const FILE_HEADER: usize = 100;
/// Page types.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// A tree of pages with two entries each could not be deeper and still be a file.
const MAX_DEPTH: usize = 40;
const BE: Endian = Endian::Big;
const TABLE: &[u8] = b"Packages";

pub(super) fn is(content: &[u8]) -> bool {
    content.starts_with(MAGIC)
}

pub(super) fn each(stored: Stored<'_>, found: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    let mut problem = Problem::default();
    let file = File::open(stored, &mut problem)?;
    let mut root = None;
    let mut walk = Walk { used: HashSet::new(), left: stored.content.len() + stored.log.len(), problem };
    file.rows(1, 0, &mut walk, &mut |row| {
        // type, name, tbl_name, rootpage, sql
        let columns = columns(row).unwrap_or_default();
        if let [kind, name, _, page, ..] = columns.as_slice()
            && (kind.bytes, name.bytes) == (b"table", TABLE)
        {
            root = page.integer();
        }
    });
    let root = root.and_then(|root| usize::try_from(root).ok()).ok_or("it has no table Packages")?;
    let mut broken = false;
    file.rows(root, 0, &mut walk, &mut |row| match columns(row).as_deref() {
        Some([_, blob, ..]) if blob.kind >= 12 && blob.kind.is_multiple_of(2) => found(blob.bytes),
        _ => broken = true,
    });
    if broken {
        walk.problem.note::<()>(Err("a row of the table Packages is damaged"));
    }
    walk.problem.finish()
}

/// Which pages were seen, and what was wrong with them.
struct Walk {
    used: HashSet<usize>,
    /// Bytes that records may still have: those of an honest file do not share any.
    left: usize,
    problem: Problem,
}

struct File<'a> {
    content: &'a [u8],
    log: Log<'a>,
    size: usize,
    /// Bytes of a page that are not reserved for extensions.
    usable: usize,
}

impl<'a> File<'a> {
    /// A log that cannot be read is a problem; the file is read all the same.
    fn open(stored: Stored<'a>, problem: &mut Problem) -> Result<Self, String> {
        let Stored { content, log } = stored;
        let size = match BE.u16(content, 16) {
            Some(1) => 65_536,
            Some(size) => usize::from(size),
            None => return Err("the header is cut off".to_owned()),
        };
        let reserved = usize::from(content.get(20).copied().unwrap_or_default());
        let usable = size.saturating_sub(reserved);
        if !size.is_power_of_two() || size < 512 || usable < 480 {
            return Err("the size of its pages is impossible".to_owned());
        }
        let log = problem.note(Log::read(log, size)).unwrap_or_default();
        Ok(Self { content, log, size, usable })
    }

    /// The usable bytes of a page; they count from 1.
    fn page(&self, number: usize) -> Option<&'a [u8]> {
        if let Some(page) = self.log.page(number) {
            return page.get(..self.usable);
        }
        run(self.content, number.checked_sub(1)?.checked_mul(self.size)?, self.usable)
    }

    /// The same, of a page that was not used before.
    fn fresh(&self, number: usize, walk: &mut Walk) -> Result<&'a [u8], String> {
        let page = self.page(number).ok_or_else(|| format!("page {number} lies outside the file"))?;
        let seen = !walk.used.insert(number);
        if seen { Err(format!("page {number} is used twice")) } else { Ok(page) }
    }

    /// Calls `found` with the record of every row in the tree below page `number`.
    fn rows(&self, number: usize, depth: usize, walk: &mut Walk, found: &mut dyn FnMut(&[u8])) {
        let page = self.fresh(number, walk).and_then(|page| {
            if depth > MAX_DEPTH { Err(format!("page {number}: the tree is too deep")) } else { Ok(page) }
        });
        let Some(page) = walk.problem.note(page) else { return };
        let header = if number == 1 { FILE_HEADER } else { 0 };
        let count = usize::from(BE.u16(page, header + 3).unwrap_or_default());
        let cell = |first: usize, index: usize| {
            let cell = BE.u16(page, first + 2 * index).and_then(|at| page.get(usize::from(at)..));
            cell.ok_or_else(|| format!("page {number}: a cell lies outside the page"))
        };
        match page.get(header) {
            Some(&INTERIOR) => {
                for index in 0..count {
                    let child = walk.problem.note(cell(header + 12, index)).and_then(|cell| BE.size(cell, 0));
                    self.rows(child.unwrap_or_default(), depth + 1, walk, found);
                }
                let last = BE.size(page, header + 8).unwrap_or_default();
                self.rows(last, depth + 1, walk, found);
            }
            Some(&LEAF) => {
                for index in 0..count {
                    let read = cell(header + 8, index).and_then(|cell| {
                        self.leaf(cell, walk, found).map_err(|why| format!("page {number}: {why}"))
                    });
                    walk.problem.note(read);
                }
            }
            _ => _ = walk.problem.note::<()>(Err(format!("page {number} is no page of a table"))),
        }
    }

    /// A row: length of its record, row id, the record, of which the end may lie on overflow pages.
    fn leaf(&self, cell: &[u8], walk: &mut Walk, found: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let mut rest = cell;
        let length = varint(&mut rest).and_then(|length| usize::try_from(length).ok());
        let (Some(length), Some(_)) = (length, varint(&mut rest)) else {
            return Err("a cell is cut off".to_owned());
        };
        walk.left =
            walk.left.checked_sub(length).ok_or("rows share their bytes, or are longer than the file")?;
        let local = self.local(length);
        let own = rest.get(..local).ok_or("a cell is cut off")?;
        if local == length {
            found(own);
            return Ok(());
        }
        let mut record = Vec::with_capacity(length);
        record.extend_from_slice(own);
        let mut next = BE.size(rest, local).ok_or("a cell is cut off")?;
        while record.len() < length {
            let page = self.fresh(next, walk)?;
            let data = page.get(4..).unwrap_or_default();
            record.extend_from_slice(data.get(..length - record.len()).unwrap_or(data));
            next = BE.size(page, 0).unwrap_or_default();
        }
        found(&record);
        Ok(())
    }

    /// How many bytes of a record of `length` lie in the cell itself.
    const fn local(&self, length: usize) -> usize {
        let usable = self.usable;
        if length <= usable - 35 {
            return length;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (usable - 4);
        if fitting <= usable - 35 { fitting } else { least }
    }
}

/// One value of a record.
struct Column<'a> {
    kind: u64,
    bytes: &'a [u8],
}

impl Column<'_> {
    fn integer(&self) -> Option<u64> {
        match self.kind {
            1..=6 => Some(self.bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
            8 | 9 => Some(self.kind - 8),
            _ => None,
        }
    }
}

/// The values of a record: its header lists their types, their bytes follow.
fn columns(record: &[u8]) -> Option<Vec<Column<'_>>> {
    /// Tables of rpm have two columns, the schema has five.
    const MAX_COLUMNS: usize = 16;
    let mut rest = record;
    let header = usize::try_from(varint(&mut rest)?).ok()?;
    let mut kinds = record.get(record.len() - rest.len()..header)?;
    let mut values = record.get(header..)?;
    let mut columns = Vec::new();
    while !kinds.is_empty() && columns.len() < MAX_COLUMNS {
        let kind = varint(&mut kinds)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => kind.checked_sub(12)? / 2,
        };
        let (bytes, after) = values.split_at_checked(usize::try_from(length).ok()?)?;
        columns.push(Column { kind, bytes });
        values = after;
    }
    Some(columns)
}

/// Up to nine bytes, seven bits each, the ninth whole.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for index in 0..9 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        if index == 8 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}
