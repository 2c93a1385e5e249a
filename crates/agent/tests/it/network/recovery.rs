//! Killed half way, and started again.

use std::{
    io::{BufRead as _, BufReader},
    os::fd::AsFd as _,
    process::{Command, Stdio},
    time::Duration,
};

use boltseal_agent::network::{Namespace, Network, Recovered, Settings};
use boltseal_testkit::peer;

use super::machine::{Sealed, ask, attached, group, on_a_machine, within};

/// Where this is set, a process attaches and detaches until it is killed.
const VICTIM: &str = "BOLTSEAL_TEST_NETWORK_VICTIM";
/// Kills at different moments, where nobody wants more.
const KILLS: u64 = 40;
/// A thousand take minutes: here they are enough.
const MAX_KILLS: u64 = 100;

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
        let before = within(wanted[0].2.as_fd(), || ask("10.213.0.3".parse().unwrap(), 80));
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

/// An agent in a network that goes away with it: the next one in another network may come before the kernel has removed the
/// ends within groups.
#[test]
fn an_end_without_its_other_is_replaced() {
    on_a_machine(|_| {
        let (network, mut groups) = attached(vec![group(0, "a", &["80", "8080>80"], "")]);
        groups[0].serves(80);
        drop(network);
        shown("ip", "link set boltseal-0 down");
        shown("ip", "link set boltseal-0 name elsewhere");
        let wanted: Vec<_> = groups.drain(..).map(|one| (one.id, one.group, one.namespace)).collect();
        let mut network = Network::open(Settings::default()).unwrap();
        let expected = Recovered { removed: Vec::new(), repaired: vec!["a".to_owned()] };
        assert_eq!(network.recover(&wanted).unwrap(), expected);
        assert!(ask("127.0.0.1".parse().unwrap(), 8080).starts_with("a to"));
        assert!(!shown("ip", "-o link show").contains("elsewhere"));
        network.remove().unwrap();
    });
}

#[test]
fn killed_at_any_moment() {
    on_a_machine(|_| {
        let Some(nft) = peer("nft") else { return };
        let nft = nft.to_str().unwrap();
        let (network, groups) = attached(vec![group(0, "stays", &["80", "8080>80"], "")]);
        drop(network);
        let [stays] = &groups[..] else { panic!("one group") };
        stays.serves(80);
        let wanted =
            groups.iter().map(|one| (one.id.clone(), one.group.clone(), found(one))).collect::<Vec<_>>();
        let before = (links(), shown(nft, "list ruleset"));
        let kills = std::env::var("BOLTSEAL_CRASH_KILLS").ok().and_then(|text| text.parse().ok());
        for kill in 0..kills.unwrap_or(KILLS).min(MAX_KILLS) {
            let mut victim = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "network::recovery::attaches_until_it_is_killed", "--nocapture"])
                .env(VICTIM, "1")
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut told = BufReader::new(victim.stdout.take().unwrap()).lines();
            assert!(
                told.by_ref().map_while(Result::ok).any(|line| line.contains("attaching")),
                "it does not come to it"
            );
            std::thread::sleep(Duration::from_micros(kill * 997 % 30_000));
            victim.kill().unwrap();
            victim.wait().unwrap();
            let mut network = Network::open(Settings::default()).unwrap();
            network.recover(&wanted).unwrap();
            assert_eq!((links(), shown(nft, "list ruleset")), before, "kill {kill}");
        }
        assert!(ask("127.0.0.1".parse().unwrap(), 8080).starts_with("stays to"));
    });
}

/// Links, addresses, routes and neighbours that stay. Whether a link without an other end has a carrier is told late.
fn links() -> String {
    let links = shown("ip", "-o link show");
    let names = links.lines().filter_map(|line| line.split(' ').nth(1)).collect::<String>();
    let rest =
        ["-4 -o address show", "-4 route show", "-4 neigh show nud permanent"].map(|line| shown("ip", line));
    (names + &rest.concat()).replace(" linkdown", "")
}

/// The same namespace once more.
fn found(group: &Sealed) -> Namespace {
    Namespace::from(group.namespace.as_fd().try_clone_to_owned().unwrap())
}

#[test]
fn attaches_until_it_is_killed() {
    if std::env::var_os(VICTIM).is_none() {
        return;
    }
    let mut network = Network::open(Settings::default()).unwrap();
    println!("attaching");
    loop {
        let namespaces = [1, 2].map(|slot| (slot, Namespace::create().unwrap()));
        for (slot, namespace) in &namespaces {
            network
                .attach(
                    &format!("victim-{slot}"),
                    group(*slot, "victim", &["81>81"][..usize::from(slot % 2)], "tcp://192.0.2.1:1"),
                    namespace,
                )
                .unwrap();
        }
        for (slot, _) in &namespaces {
            network.detach(&format!("victim-{slot}")).unwrap();
        }
    }
}
