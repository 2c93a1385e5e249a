//! The order of Maven versions (Maven documentation, "Version Order Specification"), as Maven 3.9 has it.
//!
//! A version is a chain of lists: a hyphen, and a change between letters and digits, starts a list inside the one before,
//! which nothing follows. So a chain is kept flat, and compared in one pass.

use std::cmp::Ordering;

use crate::{VersionError, semver::number};

/// What proofs call this order.
pub(super) const NAME: &str = "Maven order";

/// Nothing real is longer; the longest on Maven Central has some 60 characters.
const MAX_LENGTH: usize = 256;

/// Words with a meaning, oldest first; any other word comes after all of them.
const WORDS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
/// The place of the empty word, which a release has.
const RELEASE: usize = 5;

/// Compares; both texts must be one word of printable ASCII.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    for text in [a, b] {
        if text.is_empty() || text.len() > MAX_LENGTH || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(VersionError::new(
                text,
                NAME,
                "it is not one word of up to 256 printable ASCII characters",
            ));
        }
    }
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    Ok(chains(&parse(&a), &parse(&b)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item<'a> {
    Number(&'a str),
    Word(&'a str),
}

impl<'a> Item<'a> {
    fn number(digits: &'a str) -> Self {
        Self::Number(digits.trim_start_matches('0'))
    }

    /// `a`, `b` and `m` are short for something where a digit follows.
    fn word(word: &'a str, digit_follows: bool) -> Self {
        Self::Word(match word {
            "a" if digit_follows => "alpha",
            "b" if digit_follows => "beta",
            "m" if digit_follows => "milestone",
            "ga" | "final" | "release" => "",
            "cr" => "rc",
            other => other,
        })
    }

    fn is_null(self) -> bool {
        matches!(self, Self::Number("") | Self::Word(""))
    }

    /// Against what is missing.
    fn against_nothing(self) -> Ordering {
        match self {
            Self::Number("") => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => rank(word).cmp(&(RELEASE, "")),
        }
    }

    fn against(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => number(a, b),
            (Self::Word(a), Self::Word(b)) => rank(a).cmp(&rank(b)),
            (Self::Number(_), Self::Word(_)) => Ordering::Greater,
            (Self::Word(_), Self::Number(_)) => Ordering::Less,
        }
    }
}

fn rank(word: &str) -> (usize, &str) {
    WORDS.iter().position(|known| *known == word).map_or((WORDS.len(), word), |place| (place, ""))
}

type Chain<'a> = Vec<Vec<Item<'a>>>;

fn parse(text: &str) -> Chain<'_> {
    let mut chain: Chain<'_> = vec![Vec::new()];
    let (mut start, mut digits) = (0, false);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let item = |from: usize, to: usize, digits: bool| {
        if digits { Item::number(part(from, to)) } else { Item::word(part(from, to), false) }
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'.' | b'-' => {
                if at == start {
                    add(&mut chain, Item::Number(""));
                } else {
                    add(&mut chain, item(start, at, digits));
                }
                start = at + 1;
                if byte == b'-' {
                    open(&mut chain);
                }
            }
            b'0'..=b'9' => {
                if !digits && at > start {
                    add(&mut chain, Item::word(part(start, at), true));
                    start = at;
                    open(&mut chain);
                }
                digits = true;
            }
            _ => {
                if digits && at > start {
                    add(&mut chain, item(start, at, true));
                    start = at;
                    open(&mut chain);
                }
                digits = false;
            }
        }
    }
    if text.len() > start {
        add(&mut chain, item(start, text.len(), digits));
    }
    normalise(&mut chain);
    chain
}

/// Starts a list inside the last one, unless that has nothing in it yet.
fn open(chain: &mut Chain<'_>) {
    if chain.last().is_some_and(|list| !list.is_empty()) {
        chain.push(Vec::new());
    }
}

fn add<'a>(chain: &mut Chain<'a>, item: Item<'a>) {
    if let Some(list) = chain.last_mut() {
        list.push(item);
    }
}

/// Drops what means nothing at the end of each list, from the innermost on: zeros and release words, unless a list that
/// starts with a number follows.
fn normalise(chain: &mut Chain<'_>) {
    let mut inner: Option<Item<'_>> = None;
    for at in (0..chain.len()).rev() {
        let Some(list) = chain.get_mut(at) else { return };
        if !matches!(inner, Some(Item::Number(_))) {
            while list.pop_if(|item| item.is_null()).is_some() {}
        }
        if list.is_empty() && inner.is_none() && at > 0 {
            chain.pop();
            continue;
        }
        inner = list.first().copied().or(inner);
    }
}

fn chains(a: &Chain<'_>, b: &Chain<'_>) -> Ordering {
    let mut level = 0;
    loop {
        let (list_a, list_b) =
            (a.get(level).map_or(&[][..], Vec::as_slice), b.get(level).map_or(&[][..], Vec::as_slice));
        let (more_a, more_b) = (a.len() > level + 1, b.len() > level + 1);
        let mut at = 0;
        loop {
            let order = match (list_a.get(at), list_b.get(at)) {
                (Some(a), Some(b)) => a.against(*b),
                // A list is before a number and after a word.
                (Some(item), None) if more_b => against_list(*item),
                (None, Some(item)) if more_a => against_list(*item).reverse(),
                (Some(a), None) => a.against_nothing(),
                (None, Some(b)) => b.against_nothing().reverse(),
                (None, None) => break,
            };
            if order.is_ne() {
                return order;
            }
            at += 1;
        }
        match (more_a, more_b) {
            (true, true) => level += 1,
            (true, false) => return rest(a, level + 1),
            (false, true) => return rest(b, level + 1).reverse(),
            (false, false) => return Ordering::Equal,
        }
    }
}

const fn against_list(item: Item<'_>) -> Ordering {
    match item {
        Item::Number(_) => Ordering::Greater,
        Item::Word(_) => Ordering::Less,
    }
}

/// Everything from `level` on against nothing.
fn rest(chain: &Chain<'_>, level: usize) -> Ordering {
    let mut items = chain.iter().skip(level).flatten();
    items
        .find_map(|item| Some(item.against_nothing()).filter(|order| order.is_ne()))
        .unwrap_or(Ordering::Equal)
}
