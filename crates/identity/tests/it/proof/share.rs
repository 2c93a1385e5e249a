//! Break-glass shares: any quorum gives the key, anything else is named.

use boltseal_identity::share::{Share, ShareError, ShareSet, split, split_key};
use zeroize::Zeroizing;

fn typed(shares: &[Share], which: &[usize]) -> Vec<Share> {
    which.iter().map(|index| Share::parse(shares[*index].text().expose()).unwrap()).collect()
}

#[test]
fn every_quorum_gives_the_key() {
    let key = Zeroizing::new([9; 32]);
    for (quorum, count) in [(2, 2), (2, 3), (3, 5), (16, 16)] {
        let (set, shares) = split_key(&key, quorum, count).unwrap();
        assert_eq!(shares.len(), usize::from(count));
        let needed = usize::from(quorum);
        for start in 0..shares.len() {
            let which: Vec<usize> = (start..start + needed).map(|index| index % shares.len()).collect();
            let combined = set.combine(&typed(&shares, &which)).unwrap();
            assert_eq!(*combined.key, *key);
            assert_eq!(combined.indexes.len(), needed);
            let found = set.combine(&typed(&shares, &which[1..])).unwrap_err();
            assert_eq!(found, ShareError::TooFew { found: needed - 1, wanted: quorum });
        }
        let all: Vec<usize> = (0..shares.len()).collect();
        assert_eq!(*set.combine(&typed(&shares, &all)).unwrap().key, *key, "all of them");
    }
}

#[test]
fn shares_that_do_not_go_together_are_named() {
    let (set, shares) = split(2, 3).unwrap();
    let (other, others) = split(2, 3).unwrap();
    let check = |given: &[&Share], wanted: ShareError| {
        let given: Vec<Share> = given.iter().map(|share| (*share).clone()).collect();
        assert_eq!(set.combine(&given).unwrap_err(), wanted);
    };
    check(&[&shares[0], &shares[0]], ShareError::Repeated { index: 1 });
    check(&[&shares[0], &others[1]], ShareError::OtherSet { index: 2, wanted: set.id, found: other.id });
    check(&[], ShareError::TooFew { found: 0, wanted: 2 });
    check(&[&shares[0], &shares[1], &shares[2], &shares[0]], ShareError::TooMany { found: 4 });
    // The hash that is kept is of another key.
    let mut forged = serde_json::to_value(&set).unwrap();
    forged["hash"] = serde_json::json!("00".repeat(32));
    let forged: ShareSet = serde_json::from_value(forged).unwrap();
    assert_eq!(forged.combine(&shares[..2]).unwrap_err(), ShareError::WrongKey);
    let again: ShareSet = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
    assert_eq!(again, set);
    assert!(again.combine(&shares[1..]).is_ok());
}

#[test]
fn numbers_are_bounded() {
    for (quorum, count) in [(0, 0), (1, 1), (1, 3), (3, 2), (2, 17), (17, 17), (255, 255)] {
        assert_eq!(split(quorum, count).unwrap_err(), ShareError::Numbers { quorum, shares: count });
    }
}

#[test]
fn a_share_is_read_as_people_type_it() {
    let (_, shares) = split(3, 5).unwrap();
    let text = shares[4].text();
    assert!(text.expose().starts_with("BSS1-") && text.expose().len() == 4 + 18 * 6);
    let check = |typed: &str| {
        let read = Share::parse(typed).unwrap();
        assert_eq!(read.text().expose(), text.expose());
        assert_eq!((read.index(), read.quorum(), read.set()), (5, (3, 5), shares[4].set()));
    };
    check(text.expose());
    check(&text.expose().to_lowercase());
    check(&text.expose().replace('-', ""));
    check(&format!("  {}\n", text.expose().replace('-', " - ")));
    let (prefix, rest) = text.expose().split_at(4);
    check(&format!("{prefix}{}", rest.replace('0', "o").replace('1', "L")));
    let shown = format!("{:?}", shares[4]);
    assert_eq!(shown, format!("Share(5 of 5, 3 needed, set {})", shares[4].set()));
}

#[test]
fn every_typo_is_named_by_its_group() {
    let (_, shares) = split(2, 2).unwrap();
    let text = shares[0].text();
    let plain: Vec<char> = text.expose().chars().collect();
    for place in 5..plain.len() {
        if plain[place] == '-' {
            continue;
        }
        let group = (place - 5) / 6 + 1;
        let mut wrong = plain.clone();
        for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZU*".chars().filter(|other| *other != plain[place]) {
            wrong[place] = other;
            let found = Share::parse(&wrong.iter().collect::<String>()).unwrap_err();
            assert_eq!(found, ShareError::Typo { group }, "{other} at {place}");
        }
        // Neighbours in the wrong order.
        let mut wrong = plain.clone();
        if place + 1 < plain.len() && plain[place + 1] != '-' && plain[place] != plain[place + 1] {
            wrong.swap(place, place + 1);
            let found = Share::parse(&wrong.iter().collect::<String>()).unwrap_err();
            assert_eq!(found, ShareError::Typo { group }, "swapped at {place}");
        }
    }
    // Two groups in the wrong order.
    let mut groups: Vec<&str> = text.expose().split('-').collect();
    groups.swap(3, 4);
    assert_eq!(Share::parse(&groups.join("-")).unwrap_err(), ShareError::Typo { group: 3 });
    // A group of another share of the set looks right by itself.
    let other = shares[1].text();
    let mut groups: Vec<&str> = text.expose().split('-').collect();
    groups[9] = other.expose().split('-').nth(9).unwrap();
    assert_eq!(Share::parse(&groups.join("-")).unwrap_err(), ShareError::Checksum);
}

#[test]
fn what_is_no_share_is_refused() {
    let (_, shares) = split(2, 2).unwrap();
    let text = shares[0].text();
    let check = |typed: &str, wanted: &str| {
        let found = Share::parse(typed).unwrap_err().to_string();
        assert!(found.contains(wanted), "{typed}: {found}");
    };
    check("", "does not start with BSS1");
    check("bsl_AAAA", "does not start with BSS1");
    check("BSS2-AAAAA", "does not start with BSS1");
    check("BSS1", "0 characters");
    check(&text.expose()[..text.expose().len() - 1], "89 characters");
    check(&format!("{}0", text.expose()), "91 characters");
    check("ÄÖÜ", "does not start with BSS1");
    check(&format!("BSS1{}", "Ä".repeat(90)), "group 1");
    check(&"A".repeat(100_000), "more than 512");
}
