//! What advisories say to people: titles and references at hand, everything else in compressed blocks.

use std::borrow::Cow;

use boltseal_model::Advisory;
use zerocopy::{FromBytes as _, little_endian::U32};

use super::{
    layout::Section,
    view::{View, damaged},
};
use crate::Error;

/// A title fits a line of a report.
const TITLE_CHARS: usize = 160;
/// References a finding shows; the whole list is in the advisory.
pub(crate) const REFERENCES: usize = 5;
/// Texts are compressed together until they are this long: small enough to read one quickly, large enough to
/// compress well.
pub(super) const BLOCK_BYTES: usize = 64 << 10;
/// No text is longer: OSV's longest details are below 1 MiB.
pub(super) const MAX_TEXT_BYTES: usize = 4 << 20;

/// Title and references of an advisory, each with its length before it.
pub(super) fn brief(advisory: &Advisory) -> Vec<u8> {
    let title = title(advisory);
    let references: Vec<&String> =
        advisory.references.iter().filter(|r| r.len() < 1 << 12).take(REFERENCES).collect();
    let mut bytes = Vec::with_capacity(title.len() + 64 * references.len() + 8);
    bytes.push(u8::try_from(references.len()).unwrap_or(0)); // at most `REFERENCES`
    for text in std::iter::once(title.as_ref()).chain(references.iter().map(|r| r.as_str())) {
        bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// The summary, or the first line of the details where a feed has no summaries, shortened to a line.
fn title(advisory: &Advisory) -> Cow<'_, str> {
    let first = |text: &'_ str| text.trim().lines().next().map(str::trim).unwrap_or_default().len();
    let text = if advisory.summary.trim().is_empty() { &advisory.details } else { &advisory.summary }.trim();
    let line = text.get(..first(text)).unwrap_or_default();
    match line.char_indices().nth(TITLE_CHARS) {
        None => Cow::Borrowed(line),
        Some((end, _)) => {
            let cut = line.get(..end).unwrap_or_default();
            Cow::Owned(format!("{}…", cut.rsplit_once(' ').map_or(cut, |(words, _)| words)))
        }
    }
}

impl<'a> View<'a> {
    /// Title and references of an advisory.
    pub(super) fn brief(&self, advisory: u32) -> Result<(&'a str, Vec<&'a str>), Error> {
        let at = self.record(advisory)?.brief.get();
        let outside = || damaged(Section::Briefs, at, "the title lies outside the section");
        let rest = usize::try_from(at).ok().and_then(|at| self.briefs.get(at..)).ok_or_else(outside)?;
        let (references, mut rest) = rest.split_first().ok_or_else(outside)?;
        let mut text = || -> Result<&'a str, Error> {
            let (length, after) = U32::read_from_prefix(rest).map_err(|_| outside())?;
            let (text, after) = after.split_at_checked(length.get() as usize).ok_or_else(outside)?;
            rest = after;
            std::str::from_utf8(text).map_err(|_| damaged(Section::Briefs, at, "the title is not UTF-8"))
        };
        let title = text()?;
        let references = (0..*references).map(|_| text()).collect::<Result<_, _>>()?;
        Ok((title, references))
    }

    /// Everything an advisory says, without the packages it speaks about.
    pub(super) fn text(&self, advisory: u32) -> Result<Advisory, Error> {
        let record = self.record(advisory)?;
        let at = record.block.get();
        let outside = || damaged(Section::Blocks, at, "no such block of texts");
        let block = self.blocks.get(at as usize).ok_or_else(outside)?;
        let start = usize::try_from(block.offset.get()).map_err(|_| outside())?;
        let end = start.checked_add(block.length.get() as usize).ok_or_else(outside)?;
        let packed = self.texts.get(start..end).ok_or_else(outside)?;
        let most = block.inflated.get() as usize;
        if most > BLOCK_BYTES + MAX_TEXT_BYTES {
            return Err(damaged(Section::Blocks, at, "a block of texts is larger than any builder writes"));
        }
        let broken = |_| damaged(Section::Texts, block.offset.get(), "a block of texts cannot be inflated");
        let plain = zstd::bulk::decompress(packed, most).map_err(broken)?;
        let unreadable = || damaged(Section::Texts, block.offset.get(), "an advisory's text is not JSON");
        let rest = plain.get(record.within.get() as usize..).ok_or_else(unreadable)?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Advisory>();
        values.next().and_then(Result::ok).ok_or_else(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_one_short_line() {
        let title = |summary: &str, details: &str| {
            let advisory =
                Advisory { summary: summary.into(), details: details.into(), ..Advisory::default() };
            super::title(&advisory).into_owned()
        };
        assert_eq!(title("one\ntwo", "three"), "one");
        assert_eq!(title(" ", "\n three\nfour"), "three");
        assert_eq!(title("", ""), "");
        let long = title(&"wörter ".repeat(60), "");
        assert!(long.ends_with("wörter…") && long.chars().count() <= TITLE_CHARS + 1, "{long}");
    }
}
