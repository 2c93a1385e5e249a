//! A share on paper: `BSS1` and eighteen groups of four characters and a check character.
//!
//! ```text
//! set 4 | quorum 1 | shares 1 | index 1 | value 32 | zero 1 | checksum 5 = 45 bytes = 72 characters of 5 bits
//! ```
//!
//! The check character of a group is a remainder in the field of 32 elements: it finds every single wrong character,
//! every two neighbours in the wrong order, and groups in the wrong place. The checksum is of SHA-256 and finds the rest.

use zeroize::Zeroizing;

use super::{KEY, PREFIX, SetId, Share, ShareError, check_numbers};
use crate::{
    base32::{CROCKFORD, crockford, encode, letter},
    primitive::sha256,
    secret::Secret,
};

const BYTES: usize = 45;
const CHECKED: usize = BYTES - 5;
/// Characters of a group without its check character.
const GROUP: usize = 4;
const GROUPS: usize = 18;
/// Longer texts are no share, however they are spaced.
const MAX_TYPED: usize = 512;

pub(super) fn write(share: &Share) -> Secret {
    let Share { set, quorum, shares, index, value } = share;
    let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES));
    bytes.extend_from_slice(&set.0);
    bytes.extend_from_slice(&[*quorum, *shares, *index]);
    bytes.extend_from_slice(value.as_slice());
    bytes.push(0);
    let checksum = sha256(&bytes);
    bytes.extend(checksum.iter().take(BYTES - CHECKED));
    let plain = Zeroizing::new(encode(CROCKFORD, &bytes));
    let values: Zeroizing<Vec<u8>> = Zeroizing::new(plain.chars().filter_map(crockford).collect());
    let mut out = String::with_capacity(PREFIX.len() + GROUPS * (GROUP + 2));
    out.push_str(PREFIX);
    for (place, group) in values.chunks(GROUP).enumerate() {
        out.push('-');
        out.extend(group.iter().map(|value| letter(CROCKFORD, (*value).into())));
        out.push(letter(CROCKFORD, remainder(place, group).into()));
    }
    Secret::new(out)
}

pub(super) fn read(typed: &str) -> Result<Share, ShareError> {
    let malformed = |problem: String| ShareError::Malformed { problem };
    if typed.len() > MAX_TYPED {
        return Err(malformed(format!("{} bytes are more than {MAX_TYPED}", typed.len())));
    }
    let kept = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let plain: Zeroizing<String> = Zeroizing::new(kept.collect());
    let body = plain.get(..PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(PREFIX));
    let body = body.and_then(|_| plain.get(PREFIX.len()..));
    let body = body.ok_or_else(|| malformed(format!("it does not start with {PREFIX}")))?;
    let (length, wanted) = (body.chars().count(), GROUPS * (GROUP + 1));
    if length != wanted {
        return Err(malformed(format!("{length} characters after {PREFIX}, {wanted} are wanted")));
    }
    let mut values = Zeroizing::new(Vec::with_capacity(GROUPS * GROUP));
    let typed: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.chars().map(|c| crockford(c).unwrap_or(u8::MAX)).collect());
    for (place, group) in typed.chunks(GROUP + 1).enumerate() {
        let right = group.split_last().is_some_and(|(check, group)| {
            values.extend_from_slice(group);
            group.iter().all(|value| *value < 32) && remainder(place, group) == *check
        });
        if !right {
            return Err(ShareError::Typo { group: place + 1 });
        }
    }
    unpack(&joined(&values))
}

fn unpack(bytes: &[u8]) -> Result<Share, ShareError> {
    let (checked, checksum) = bytes.split_at_checked(CHECKED).ok_or(ShareError::Checksum)?;
    if !sha256(checked).starts_with(checksum) {
        return Err(ShareError::Checksum);
    }
    let (set, rest) = checked.split_first_chunk::<4>().ok_or(ShareError::Checksum)?;
    let ([quorum, shares, index], rest) = rest.split_first_chunk::<3>().ok_or(ShareError::Checksum)?;
    let (value, rest) = rest.split_first_chunk::<KEY>().ok_or(ShareError::Checksum)?;
    check_numbers(*quorum, *shares)?;
    if rest != [0] || !(1..=*shares).contains(index) {
        return Err(ShareError::Malformed { problem: format!("it says to be number {index} of {shares}") });
    }
    let (quorum, shares, index) = (*quorum, *shares, *index);
    Ok(Share { set: SetId(*set), quorum, shares, index, value: Zeroizing::new(*value) })
}

/// The bytes of characters of five bits each.
fn joined(values: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES));
    for eight in values.chunks(8) {
        let held = eight.iter().fold(0_u64, |held, value| (held << 5) | u64::from(*value));
        bytes.extend_from_slice(held.to_be_bytes().get(3..).unwrap_or_default());
    }
    bytes
}

/// The group as a polynomial over the field of 32 elements, its place in front, at the element 2.
fn remainder(place: usize, group: &[u8]) -> u8 {
    let place = u8::try_from(place).unwrap_or_default();
    let sum = group.iter().fold(place, |sum, value| doubled(sum) ^ value);
    doubled(sum)
}

/// Times 2 modulo x⁵ + x² + 1.
const fn doubled(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { (shifted & 0b1_1111) ^ 0b101 }
}
