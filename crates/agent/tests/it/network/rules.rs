//! The firewall as a value: what it says, and that the kernel is told the same.

use std::process::Command;

use boltseal_agent::network::{Conflict, Node, Range, Rules};
use boltseal_testkit::peer;

use super::machine::{attached, by_name, group, on_a_machine};

fn node() -> Node {
    Node {
        range: Range::default(),
        closed: vec![("wan".to_owned(), "wan".to_owned()), ("wan".to_owned(), "lan".to_owned())],
    }
}

/// As `nft` shows a table that it read from `text`.
fn normal(text: &str, nft: &std::path::Path) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    let machine = boltseal_sys::network_namespace().unwrap();
    super::machine::within(std::os::fd::AsFd::as_fd(&machine), || {
        let read = Command::new(nft).arg("-f").arg(file.path()).output().unwrap();
        assert!(read.status.success(), "{text}\n{}", String::from_utf8_lossy(&read.stderr));
        listed(nft)
    })
}

fn listed(nft: &std::path::Path) -> String {
    let list = Command::new(nft).args(["list", "ruleset"]).output().unwrap();
    String::from_utf8(list.stdout).unwrap()
}

#[test]
fn the_kernel_is_told_what_is_shown() {
    on_a_machine(|_| {
        let Some(nft) = peer("nft") else { return };
        let egress = "tcp://b:80 tcp://192.0.2.1:443 udp://192.0.2.0/24:53 tcp://0.0.0.0/0:1000-2000 tcp://192.0.2.7:1500-3000 identity";
        let (network, _groups) = attached(vec![
            group(0, "a", &["8080>80"], egress),
            group(1, "b", &["80", "81>81"], "tcp://a:80"),
        ]);
        let rules = network.rules().unwrap();
        assert_eq!(listed(&nft), normal(&rules.to_string(), &nft));
        assert_eq!(rules.openings(), 8);
        assert_eq!(network.unmet(), []);
    });
}

#[test]
fn what_it_says() {
    let egress = "tcp://b:80 udp://b:80 tcp://b:81 tcp://nobody:80 tcp://192.0.2.1:443 tcp://10.213.0.3:81 udp://10.0.0.0/8:514 identity";
    let groups = [group(0, "a", &["8080>80"], egress), group(1, "b", &["80"], "")];
    let rules = Rules::of(&node(), &by_name(groups)).unwrap();
    let reviewed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/network/rules.nft");
    // After a change that is meant, `BOLTSEAL_BLESS=1` writes it, and the difference is reviewed like code.
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        std::fs::write(reviewed, rules.to_string()).unwrap();
    }
    assert_eq!(rules.to_string(), std::fs::read_to_string(reviewed).unwrap());
}

#[test]
fn what_leads_nowhere() {
    on_a_machine(|_| {
        let egress =
            "tcp://b:80 tcp://b:79-81 udp://b:80 tcp://c:80 tcp://10.213.0.3:80 tcp://10.213.0.0/16:80";
        let (network, _groups) = attached(vec![group(0, "a", &[], egress), group(1, "b", &["80"], "")]);
        let unmet: Vec<_> =
            network.unmet().into_iter().map(|one| format!("{}: {}", one.opening, one.why)).collect();
        assert_eq!(
            unmet,
            [
                "udp://b:80: that group has no such port under `ipAddress.ports`",
                "tcp://c:80: there is no group of this name",
                "tcp://10.213.0.3:80: it is the address of a group: those are reached by their names",
            ]
        );
    });
}

#[test]
fn what_cannot_be() {
    let check = |groups: Vec<_>, expected: &str| {
        let error = Rules::of(&node(), &by_name(groups)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(vec![group(1, "a", &[], ""), group(1, "b", &[], "")], "a and b have the same address, 10.213.0.3");
    check(
        vec![group(1, "a", &["80>80"], ""), group(2, "b", &["80>8080"], "")],
        "a and b both publish port 80/tcp of this machine",
    );
    check(
        vec![group(1, "a\"", &[], "")],
        "`a\"` is no name of a group: letters, digits and - of at most 63 characters",
    );
    let wide: Vec<String> = (1..=60_000).map(|port| format!("tcp://192.0.2.1:{port}")).collect();
    let groups = by_name([group(1, "a", &[], &wide.join(" ")), group(2, "b", &[], &wide.join(" "))]);
    assert_eq!(Rules::of(&node(), &groups), Err(Conflict::TooMany { openings: 120_000 }));
}
