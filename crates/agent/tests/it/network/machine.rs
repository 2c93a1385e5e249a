//! A machine of its own for each test: a network namespace with a world outside behind it. Nothing of it is ever in the
//! namespace of the tests themselves.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use boltseal_agent::network::{Group, Namespace, Network, Settings, Slot, enter};
use boltseal_runtime::network::{self, Egress, Line, Opened, Port, Protocol};
use boltseal_testkit::{peer, skip};

/// How long is waited for what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for what must not.
pub const SILENCE: Duration = Duration::from_millis(300);

/// The machine, as the world knows it, and somebody in the world.
pub const MACHINE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub const WORLD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// What is outside of the machine.
pub struct World(pub OwnedFd);

/// Runs `test` on a machine of its own, in its network namespace.
pub fn on_a_machine(test: impl FnOnce(&World) + Send) {
    if !boltseal_sys::is_root() {
        return skip("root, who makes network namespaces");
    }
    let Some(ip) = peer("ip") else { return };
    let machine = boltseal_sys::network_namespace().unwrap();
    let world = World(boltseal_sys::network_namespace().unwrap());
    let run = |line: &str| {
        let done = Command::new(&ip).args(line.split(' ')).output().unwrap();
        assert!(done.status.success(), "ip {line}: {}", String::from_utf8_lossy(&done.stderr));
    };
    within(machine.as_fd(), || {
        let other = format!("/proc/{}/fd/{}", std::process::id(), world.0.as_raw_fd());
        std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").unwrap();
        run("link set lo up");
        run(&format!("link add wan type veth peer name eth0 netns {other}"));
        run("link set wan up");
        run(&format!("address add {MACHINE}/24 dev wan"));
        within(world.0.as_fd(), || {
            run("link set lo up");
            run("link set eth0 up");
            run(&format!("address add {WORLD}/24 dev eth0"));
            run("address add 203.0.113.5/32 dev lo");
            run("address add 169.254.169.254/32 dev lo");
            up("eth0");
        });
        up("wan");
        run(&format!("route add default via {WORLD}"));
        test(&world);
    });
}

/// Waits until a link takes packets, which it does some time after its other end is up.
pub fn up(link: &str) {
    let began = Instant::now();
    loop {
        let shown = Command::new("ip").args(["-o", "link", "show", link]).output().unwrap();
        if String::from_utf8(shown.stdout).unwrap().contains("state UP") {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{link} does not come up");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Does something in a network namespace.
pub fn within<T: Send>(namespace: BorrowedFd<'_>, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let there = scope.spawn(|| {
            enter(namespace).unwrap();
            work()
        });
        match there.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// A group with a network namespace of its own.
pub struct Sealed {
    pub id: String,
    pub group: Group,
    pub namespace: Namespace,
}

/// A group: `ports` are `80` or `8080>80`, all of TCP; `egress` is what a tag says.
pub fn group(slot: u16, name: &str, ports: &[&str], egress: &str) -> Group {
    let line = Line { path: "test".to_owned(), line: 1 };
    let port = |text: &&str| {
        let (published, number) = match text.split_once('>') {
            Some((outside, inside)) => (Some(outside.parse().unwrap()), inside),
            None => (None, *text),
        };
        Port { protocol: Protocol::Tcp, number: number.parse().unwrap(), published, line: line.clone() }
    };
    let mut network = network::Network { ports: ports.iter().map(port).collect(), ..Default::default() };
    for word in egress.split_whitespace() {
        if word == "identity" {
            network.identity = Some(line.clone());
            continue;
        }
        match network::opened(word).unwrap() {
            Opened::Dns => network.dns = Some(line.clone()),
            Opened::Egress(protocol, to, ports) => {
                network.egress.push(Egress { protocol, to, ports, line: line.clone() });
            }
        }
    }
    Group { slot: Slot::new(slot), name: name.to_owned(), containers: vec![format!("{name}-main")], network }
}

/// Opens the network of the machine and attaches groups to it.
pub fn attached(groups: Vec<Group>) -> (Network, Vec<Sealed>) {
    let mut network = Network::open(Settings::default()).unwrap();
    let sealed = groups
        .into_iter()
        .map(|group| {
            let namespace = Namespace::create().unwrap();
            let id = group.name.clone();
            network.attach(&id, group.clone(), &namespace).unwrap();
            Sealed { id, group, namespace }
        })
        .collect();
    (network, sealed)
}

impl Sealed {
    pub fn address(&self) -> Ipv4Addr {
        Settings::default().range.address(self.group.slot).unwrap()
    }

    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(self.namespace.as_fd(), work)
    }

    /// Answers whoever connects to a port with `name` and who they are.
    pub fn serves(&self, port: u16) {
        self.within(|| serve(&self.id, Ipv4Addr::UNSPECIFIED, port));
    }
}

/// Answers whoever connects, on a thread that ends with the tests.
pub fn serve(name: &str, address: Ipv4Addr, port: u16) {
    let listener = TcpListener::bind((address, port)).unwrap();
    let name = name.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream: TcpStream = stream;
            let from = stream.peer_addr().unwrap().ip();
            // Whoever connected may be gone.
            let _ = stream.write_all(format!("{name} to {from}").as_bytes());
        }
    });
}

/// What answers at a place; from the network namespace of the calling thread.
pub fn ask(address: Ipv4Addr, port: u16) -> String {
    let mut stream = TcpStream::connect_timeout(&place(address, port), PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Nobody answers there: not even that there is nobody.
pub fn silent(address: Ipv4Addr, port: u16) {
    let error = TcpStream::connect_timeout(&place(address, port), SILENCE).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{address}:{port}: {error}");
}

/// What comes of a datagram from here to there: what `there` was sent, or nothing.
pub fn datagram(there: BorrowedFd<'_>, address: Ipv4Addr, port: u16, passes: bool) {
    let (ready, wait) = mpsc::channel();
    let arrived = thread::scope(|scope| {
        let heard = scope.spawn(move || {
            enter(there).unwrap();
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
            socket.set_read_timeout(Some(if passes { PATIENCE } else { SILENCE })).unwrap();
            ready.send(()).unwrap();
            let mut bytes = [0; 16];
            socket.recv_from(&mut bytes).map(|(length, _)| bytes[..length].to_vec())
        });
        wait.recv().unwrap();
        UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"hello", (address, port)).unwrap();
        heard.join().unwrap()
    });
    assert_eq!(arrived.is_ok(), passes, "{address}:{port}/udp: {arrived:?}");
}

fn place(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(address), port)
}

/// Groups by their names.
pub fn by_name(groups: impl IntoIterator<Item = Group>) -> BTreeMap<String, Group> {
    groups.into_iter().map(|group| (group.name.clone(), group)).collect()
}
