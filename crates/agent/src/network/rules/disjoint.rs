//! Ranges that overlap, as ranges that do not: the kernel takes no others.

use std::net::Ipv4Addr;

/// Addresses from the first to the last, at ports from the first to the last.
pub(super) type Block = ((u32, u32), (u16, u16));
/// Blocks of the same ports.
type Slice = (Vec<(u32, u32)>, (u16, u16));

/// Blocks that cover the same and have nothing in common.
pub(super) fn disjoint(blocks: &[Block]) -> Vec<((Ipv4Addr, Ipv4Addr), (u16, u16))> {
    // Ports are cut wherever some block begins or ends; between two cuts, the same blocks hold for all ports.
    let mut cuts: Vec<u32> =
        blocks.iter().flat_map(|(_, (first, last))| [u32::from(*first), u32::from(*last) + 1]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut slices: Vec<Slice> = Vec::new();
    for (start, end) in cuts.iter().zip(cuts.iter().skip(1)) {
        let Ok(first) = u16::try_from(*start) else { continue };
        let last = u16::try_from(end - 1).unwrap_or(u16::MAX);
        let here = blocks.iter().filter(|(_, (from, to))| *from <= first && last <= *to);
        let merged = merged(here.map(|(addresses, _)| *addresses).collect());
        match slices.last_mut() {
            Some((before, ports)) if *before == merged && ports.1.checked_add(1) == Some(first) => {
                ports.1 = last;
            }
            _ if merged.is_empty() => {}
            _ => slices.push((merged, (first, last))),
        }
    }
    let apart = |(addresses, ports): Slice| {
        let block = move |(first, last)| ((Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(last)), ports);
        addresses.into_iter().map(block)
    };
    slices.into_iter().flat_map(apart).collect()
}

/// Ranges joined that touch.
fn merged(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_cover_the_same_and_nothing_twice() {
        let check = |blocks: &[Block]| {
            let found = disjoint(blocks);
            for address in 0..12_u32 {
                for port in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65_534, 65_535] {
                    let inside = |(first, last): (u32, u32), ports: (u16, u16)| {
                        (first..=last).contains(&address) && (ports.0..=ports.1).contains(&port)
                    };
                    let wanted = blocks.iter().any(|(addresses, ports)| inside(*addresses, *ports));
                    let times = found
                        .iter()
                        .filter(|((first, last), ports)| inside((first.to_bits(), last.to_bits()), *ports))
                        .count();
                    assert_eq!(times, usize::from(wanted), "{address} at {port} of {blocks:?}: {found:?}");
                }
            }
            found.len()
        };
        assert_eq!(check(&[]), 0);
        assert_eq!(check(&[((1, 3), (1, 3)), ((4, 5), (1, 3))]), 1);
        assert_eq!(check(&[((1, 5), (1, 5)), ((2, 3), (2, 3))]), 1);
        assert_eq!(check(&[((1, 5), (1, 5)), ((3, 9), (4, 8))]), 3);
        assert_eq!(check(&[((1, 5), (1, 2)), ((1, 5), (3, 65_535)), ((7, 7), (0, 65_535))]), 3);
        assert_eq!(check(&[((0, u32::MAX), (9, 9)), ((5, 5), (5, 9)), ((5, 5), (9, 9))]), 2);
    }
}
