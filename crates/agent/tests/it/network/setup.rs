//! What a machine and a namespace are set to.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, UdpSocket},
    os::fd::{AsFd as _, AsRawFd as _},
    process::Command,
};

use boltseal_agent::network::{Namespace, Network, Settings, Slot};
use boltseal_testkit::peer;

use super::machine::{
    MACHINE, PATIENCE, WORLD, ask, attached, by_name, datagram, group, on_a_machine, serve, silent, up,
    within,
};

#[test]
fn a_namespace_is_sealed_and_found_again() {
    on_a_machine(|_| {
        let namespace = Namespace::create().unwrap();
        let read = |path: &str| std::fs::read_to_string(format!("/proc/sys/net/{path}")).unwrap_or_default();
        let settings = |path| within(namespace.as_fd(), || read(path).trim().to_owned());
        assert_eq!(settings("ipv4/ip_unprivileged_port_start"), "0");
        assert_eq!(settings("ipv4/ping_group_range"), "0\t2147483647");
        assert_ne!(settings("ipv6/conf/all/disable_ipv6"), "0");
        within(namespace.as_fd(), || serve("own", Ipv4Addr::LOCALHOST, 80));
        within(namespace.as_fd(), || assert_eq!(ask(Ipv4Addr::LOCALHOST, 80), "own to 127.0.0.1"));
        // By a process in it, as after a crash; and a process that is in none is nobody's.
        let mut sleeps = within(namespace.as_fd(), || Command::new("sleep").arg("1000").spawn().unwrap());
        drop(namespace);
        let found = Namespace::of_process(sleeps.id()).unwrap();
        within(found.as_fd(), || assert_eq!(ask(Ipv4Addr::LOCALHOST, 80), "own to 127.0.0.1"));
        sleeps.kill().unwrap();
        sleeps.wait().unwrap();
        let mut ours = Command::new("sleep").arg("1000").spawn().unwrap();
        let refused = Namespace::of_process(ours.id()).unwrap_err().to_string();
        assert!(refused.contains("the network of the machine itself"), "{refused}");
        ours.kill().unwrap();
        ours.wait().unwrap();
    });
}

#[test]
fn addresses_that_somebody_has() {
    on_a_machine(|_| {
        let refused = |settings| Network::open(settings).map(|_| ()).unwrap_err().to_string();
        let range = |text: &str| Settings { range: text.parse().unwrap(), ..Settings::default() };
        let ip = |line: &str| {
            assert!(Command::new("ip").args(line.split(' ')).status().unwrap().success(), "{line}");
        };
        ip("route add 10.213.128.0/24 dev wan");
        assert_eq!(
            refused(Settings::default()),
            "the addresses 10.213.0.0/16 of groups are taken: this machine has a route to 10.213.128.0/24 by wan; set another range"
        );
        ip("link add boltseal0 type veth");
        assert!(refused(range("10.7.0.0/24")).contains("which is not ours"));
        ip("link del boltseal0");
        let mut network = Network::open(range("10.7.0.0/24")).unwrap();
        Network::open(range("10.7.0.0/24")).unwrap();
        let namespace = Namespace::create().unwrap();
        let error = network.attach("a", group(254, "a", &[], ""), &namespace).unwrap_err().to_string();
        assert_eq!(error, "a has place 254, and 10.7.0.0/24 has no more than 253");
        assert_eq!(
            network.attach("a", group(252, "a", &[], ""), &namespace).unwrap().address,
            Ipv4Addr::new(10, 7, 0, 254)
        );
        network.remove().unwrap();
        assert_eq!(Slot::new(3).number(), 3);
    });
}

/// A machine that forwards nothing forwards for groups, and for nobody else.
#[test]
fn a_machine_stays_what_it_is() {
    on_a_machine(|world| {
        let ip = |line: &str| {
            assert!(Command::new("ip").args(line.split(' ')).status().unwrap().success(), "{line}");
        };
        let lan = boltseal_sys::network_namespace().unwrap();
        ip(&format!(
            "link add lan type veth peer name eth0 netns /proc/{}/fd/{}",
            std::process::id(),
            lan.as_raw_fd()
        ));
        ip("link set lan up");
        ip("address add 192.0.2.1/24 dev lan");
        within(lan.as_fd(), || {
            ip("link set lo up");
            ip("link set eth0 up");
            ip("address add 192.0.2.2/24 dev eth0");
            ip("route add default via 192.0.2.1");
            up("eth0");
        });
        up("lan");
        let there = Ipv4Addr::new(192, 0, 2, 2);
        datagram(lan.as_fd(), there, 53, true);
        within(world.0.as_fd(), || ip(&format!("route add 192.0.2.0/24 via {MACHINE}")));
        let forwards = |passes| within(world.0.as_fd(), || datagram(lan.as_fd(), there, 53, passes));
        forwards(false);
        let setting = |link: &str| {
            std::fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{link}/forwarding")).unwrap()
        };
        let (mut network, groups) = attached(vec![group(0, "a", &[], "")]);
        assert_eq!(setting("wan"), "0\n", "nothing needs it");
        let open = format!("tcp://{WORLD}:443 tcp://{there}:443");
        network.change(by_name([group(0, "a", &[], &open)])).unwrap();
        assert_eq!(
            (setting("wan").as_str(), setting("lan").as_str(), setting("all").as_str()),
            ("1\n", "0\n", "0\n")
        );
        forwards(false);
        within(world.0.as_fd(), || serve("world", Ipv4Addr::UNSPECIFIED, 443));
        groups[0].within(|| assert_eq!(ask(WORLD, 443), format!("world to {MACHINE}")));
        // One that forwards on its own is not touched.
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        network.change(BTreeMap::new()).unwrap();
        forwards(true);
    });
}

#[test]
fn other_firewalls_are_named() {
    on_a_machine(|world| {
        let Some(nft) = peer("nft") else { return };
        let nft = |line: &str| {
            let done = Command::new(&nft).arg(line).output().unwrap();
            assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
        };
        let (network, groups) = attached(vec![group(0, "a", &[], &format!("tcp://{WORLD}:443"))]);
        within(world.0.as_fd(), || serve("world", Ipv4Addr::UNSPECIFIED, 443));
        assert_eq!(network.obstacles().unwrap(), []);
        nft("add table ip filter");
        nft("add chain ip filter INPUT { type filter hook input priority 0; policy accept; }");
        nft("add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }");
        let told: Vec<_> = network.obstacles().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("the chain FORWARD of the table ip filter drops what is forwarded"),
            "{told:?}"
        );
        groups[0].within(|| silent(WORLD, 443));
        nft("add rule ip filter FORWARD iifname boltseal-* accept");
        nft("add rule ip filter FORWARD oifname boltseal-* accept");
        groups[0].within(|| assert_eq!(ask(WORLD, 443), format!("world to {MACHINE}")));
    });
}

/// A link takes packets as soon as its group is attached, and not some time later.
#[test]
fn the_first_packet_is_answered() {
    on_a_machine(|_| {
        let mut network = Network::open(Settings::default()).unwrap();
        let socket = UdpSocket::bind("10.213.0.1:53").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        for time in 0..50 {
            let namespace = Namespace::create().unwrap();
            network.attach("a", group(time, "a", &[], ""), &namespace).unwrap();
            let asks = within(namespace.as_fd(), || UdpSocket::bind("0.0.0.0:0").unwrap());
            asks.set_read_timeout(Some(PATIENCE)).unwrap();
            asks.send_to(b"first", "10.213.0.1:53").unwrap();
            let (_, from) = socket.recv_from(&mut [0; 8]).unwrap();
            socket.send_to(b"first", from).unwrap();
            assert!(asks.recv(&mut [0; 8]).is_ok(), "what answers the first, time {time}");
            network.detach("a").unwrap();
        }
    });
}
