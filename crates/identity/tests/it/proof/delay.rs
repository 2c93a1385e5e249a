//! Those who guess wait, and nobody else does.

use std::net::IpAddr;

use boltseal_identity::delay::{Delays, FORGET, MAX_PAIRS, MAX_WAIT, network};

use super::at;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn waits_double_and_end() {
    let mut delays = Delays::new();
    let guesser = ip("2001:db8::1");
    let waits: Vec<i64> = (0..14).map(|_| delays.failed("ann", guesser, at(0))).collect();
    assert_eq!(waits, [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    assert_eq!(delays.wait("ann", guesser, at(0)), MAX_WAIT);
    assert_eq!(delays.wait("ann", guesser, at(299)), 1);
    assert_eq!(delays.wait("ann", guesser, at(300)), 0);
    assert_eq!(delays.failed("ann", guesser, at(300 + FORGET)), 0, "forgotten after an hour");
}

#[test]
fn a_principal_is_never_locked_out_elsewhere() {
    let mut delays = Delays::new();
    for _ in 0..20 {
        delays.failed("ann", ip("192.0.2.7"), at(0));
    }
    let check = |name: &str, from: &str, wanted: i64| {
        assert_eq!(delays.wait(name, ip(from), at(0)), wanted, "{name} from {from}");
    };
    check("ann", "192.0.2.200", 300);
    check("Ann", "192.0.2.200", 300);
    check("ann", "::ffff:192.0.2.9", 300);
    check("ann", "192.0.3.7", 0);
    check("bob", "192.0.2.7", 0);
    delays.succeeded("ann", ip("192.0.2.200"));
    assert_eq!(delays.wait("ann", ip("192.0.2.7"), at(0)), 0, "success forgives");
}

#[test]
fn networks_are_what_one_customer_has() {
    for (address, wanted) in [
        ("192.0.2.7", "192.0.2.0"),
        ("::ffff:192.0.2.7", "192.0.2.0"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"),
    ] {
        assert_eq!(network(ip(address)), ip(wanted), "{address}");
    }
}

#[test]
fn memory_is_bounded_and_spraying_does_not_wash_a_wait_away() {
    let mut delays = Delays::new();
    let guesser = ip("192.0.2.7");
    for _ in 0..20 {
        delays.failed("ann", guesser, at(0));
    }
    for n in 0..MAX_PAIRS + 50 {
        delays.failed(&n.to_string(), guesser, at(1));
    }
    assert_eq!(delays.wait("ann", guesser, at(1)), 299);
    assert_eq!(delays.remembered(), MAX_PAIRS);
    delays.failed("x".repeat(1 << 20).as_str(), guesser, at(FORGET + 2));
    assert_eq!(delays.remembered(), 1, "what is over makes room");
}
