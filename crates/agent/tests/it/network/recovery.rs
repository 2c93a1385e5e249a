//! Killed half way, and started again.

use std::{os::fd::AsFd as _, process::Command};

use boltseal_agent::network::{Network, Recovered, Settings};

use super::machine::{ask, attached, group, on_a_machine};

fn shown(program: &str, line: &str) -> String {
    let done = Command::new(program).args(line.split(' ')).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn what_is_wanted_is_made_of_what_there_is() {
    on_a_machine(|_| {
        let (network, mut groups) = attached(vec![
            group(0, "a", &[], "tcp://b:80"),
            group(1, "b", &["80"], ""),
            group(2, "c", &["80"], ""),
            group(3, "d", &["80"], ""),
        ]);
        groups[1].serves(80);
        drop(network);
        // Somebody took a link away, and one is half made.
        shown("ip", "link del boltseal-2");
        groups[3].within(|| shown("ip", "address flush dev eth0"));
        shown("ip", "link set boltseal-3 down");
        let wanted: Vec<_> = groups.drain(..3).map(|one| (one.id, one.group, one.namespace)).collect();
        let mut network = Network::open(Settings::default()).unwrap();
        let before = super::machine::within(wanted[0].2.as_fd(), || ask("10.213.0.3".parse().unwrap(), 80));
        assert_eq!(before, "b to 10.213.0.2", "nothing is cut by opening it again");
        let recovered = network.recover(&wanted).unwrap();
        let expected = Recovered { removed: vec!["boltseal-3".to_owned()], repaired: vec!["c".to_owned()] };
        assert_eq!(recovered, expected);
        assert_eq!(network.recover(&wanted).unwrap(), Recovered::default(), "all is as it is wanted");
        let links = shown("ip", "-o link show type veth");
        assert_eq!(links.matches("boltseal-").count(), 3, "{links}");
        assert_eq!(network.recover(&[]).unwrap().removed.len(), 3);
        network.remove().unwrap();
        assert!(!shown("ip", "-o link show").contains("boltseal"));
    });
}
