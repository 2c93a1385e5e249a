//! Berkeley DB hash files, as rpm used them until 4.16. After `dbinc/db_page.h` of Berkeley DB 5.3.
//!
//! Page 0 describes the file. Hash pages hold keys and values by turns; a value that does not fit lies in a chain of
//! overflow pages. Which bucket a page belongs to does not matter: every page is looked at once, in the order of the
//! file. Numbers are in the byte order of the machine that wrote them.

use std::borrow::Cow;

use super::{
    bytes::{Endian, run},
    database::Problem,
};

const HASH_MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;
/// What every page starts with.
const PAGE_HEADER: usize = 26;
/// Page types: hash pages of old and new versions, overflow pages, the description of a hash file.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH: u8 = 13;
/// Item types: bytes on the page, bytes on overflow pages.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

pub(super) fn is(content: &[u8]) -> bool {
    endian(content).is_some()
}

fn endian(content: &[u8]) -> Option<Endian> {
    [Endian::Little, Endian::Big].into_iter().find(|endian| endian.u32(content, MAGIC_AT) == Some(HASH_MAGIC))
}

pub(super) fn each(content: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    let endian = endian(content).ok_or("it is no hash file")?;
    let size = endian.size(content, 20).ok_or("the first page is cut off")?;
    if !size.is_power_of_two() || !(512..=65_536).contains(&size) {
        return Err("the size of its pages is impossible".to_owned());
    }
    if content.get(25) != Some(&HASH_META) {
        return Err("the first page does not describe a hash file".to_owned());
    }
    // Encrypted pages, and pages with checksums, which rpm never wrote.
    if content.get(24) != Some(&0) || content.get(26).is_none_or(|flags| flags & 1 != 0) {
        return Err("its pages are encrypted or have checksums".to_owned());
    }
    let last = endian.size(content, 32).ok_or("the first page is cut off")?;
    let file = File { content, endian, size };
    let mut used = vec![false; content.len() / size];
    let mut problem = Problem::default();
    for number in 1..=last {
        let Some(page) = file.page(number) else {
            problem.note::<()>(Err(format!("page {number} lies outside the file")));
            break;
        };
        if matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            let read = file.pairs(page, &mut used, &mut problem, found);
            problem.note(read.map_err(|why| format!("page {number}: {why}")));
        }
    }
    problem.finish()
}

struct File<'a> {
    content: &'a [u8],
    endian: Endian,
    size: usize,
}

impl<'a> File<'a> {
    fn page(&self, number: usize) -> Option<&'a [u8]> {
        run(self.content, number.checked_mul(self.size)?, self.size)
    }

    /// Every value of a hash page. Items are written from the end of the page towards its head.
    fn pairs(
        &self,
        page: &[u8],
        used: &mut [bool],
        problem: &mut Problem,
        found: &mut dyn FnMut(&[u8]),
    ) -> Result<(), &'static str> {
        let entries = usize::from(self.endian.u16(page, 20).unwrap_or_default());
        let mut end = page.len();
        let mut key: Option<&[u8]> = None;
        for index in 0..entries {
            let start = self.endian.u16(page, PAGE_HEADER + 2 * index).map(usize::from);
            let item = start.and_then(|start| page.get(start..end)).ok_or("an item lies outside the page")?;
            end = end.saturating_sub(item.len());
            let Some(name) = key.take() else {
                key = Some(item.get(1..).unwrap_or_default());
                continue;
            };
            // Under the number 0 rpm keeps the next free number.
            if name.iter().any(|byte| *byte != 0)
                && let Some(value) = problem.note(self.value(item, used))
            {
                found(&value);
            }
        }
        Ok(())
    }

    fn value<'p>(&self, item: &'p [u8], used: &mut [bool]) -> Result<Cow<'p, [u8]>, &'static str> {
        match item.first() {
            Some(&ON_PAGE) => Ok(item.get(1..).unwrap_or_default().into()),
            Some(&OFF_PAGE) => {
                let (page, length) = (self.endian.size(item, 4), self.endian.size(item, 8));
                let (page, length) = page.zip(length).ok_or("an item is cut off")?;
                self.chain(page, length, used).map(Cow::Owned)
            }
            _ => Err("an item is of a kind that rpm does not write"),
        }
    }

    /// The bytes of a chain of overflow pages. A page belongs to one chain, so chains cannot be longer than the file.
    fn chain(&self, first: usize, length: usize, used: &mut [bool]) -> Result<Vec<u8>, &'static str> {
        let mut bytes = Vec::with_capacity(length.min(self.content.len()));
        let mut next = first;
        while bytes.len() < length {
            let used = used.get_mut(next).ok_or("an overflow page lies outside the file")?;
            if std::mem::replace(used, true) {
                return Err("an overflow page is used twice");
            }
            let page = self.page(next).filter(|page| page.get(25) == Some(&OVERFLOW));
            let page = page.ok_or("a chain leads to a page that is none of it")?;
            let count = usize::from(self.endian.u16(page, 22).unwrap_or_default());
            let data = run(page, PAGE_HEADER, count).ok_or("an overflow page holds more than it can")?;
            bytes.extend_from_slice(data.get(..length - bytes.len()).unwrap_or(data));
            next = self.endian.size(page, 16).unwrap_or_default();
        }
        Ok(bytes)
    }
}
