//! What passes between groups, the machine and the world.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    os::fd::AsFd as _,
    process::Command,
    time::Duration,
};

use boltseal_agent::network::{Heard, Refusals};
use boltseal_testkit::peer;

use super::machine::{
    MACHINE, PATIENCE, SILENCE, WORLD, ask, attached, by_name, datagram, group, on_a_machine, serve, silent,
    within,
};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);

#[test]
fn everything_is_closed() {
    on_a_machine(|world| {
        let (_network, groups) = attached(vec![group(0, "a", &[], ""), group(1, "b", &["80"], "")]);
        let [a, b] = &groups[..] else { panic!("two groups") };
        b.serves(80);
        serve("machine", Ipv4Addr::UNSPECIFIED, 22);
        within(world.0.as_fd(), || serve("world", Ipv4Addr::UNSPECIFIED, 443));
        b.within(|| assert_eq!(ask(b.address(), 80), format!("b to {}", b.address()), "its own loopback"));
        assert_eq!(ask(MACHINE, 22), format!("machine to {MACHINE}"));
        a.within(|| {
            silent(b.address(), 80);
            silent(WORLD, 443);
            silent(MACHINE, 22);
            silent(GATEWAY, 22);
            datagram(b.namespace.as_fd(), b.address(), 5353, false);
            datagram(world.0.as_fd(), WORLD, 5353, false);
        });
        // Of the machine, nobody reaches a port that is not published, root neither.
        silent(b.address(), 80);
        let ip = peer("ip").unwrap();
        within(world.0.as_fd(), || {
            let route = format!("route add 10.213.0.0/16 via {MACHINE}");
            assert!(Command::new(ip).args(route.split(' ')).status().unwrap().success());
            silent(b.address(), 80);
        });
    });
}

#[test]
fn what_is_opened_passes_and_nothing_else() {
    on_a_machine(|world| {
        let egress =
            format!("tcp://b:80 tcp://{WORLD}:443 udp://203.0.113.0/24:5000-6000 tcp://0.0.0.0/0:8443");
        let (_network, groups) = attached(vec![
            group(0, "a", &[], &egress),
            group(1, "b", &["80", "81"], ""),
            group(2, "c", &["8443"], ""),
        ]);
        let [a, b, c] = &groups[..] else { panic!("three groups") };
        for port in [80, 81] {
            b.serves(port);
        }
        c.serves(8443);
        within(world.0.as_fd(), || {
            for port in [443, 444, 8443] {
                serve("world", Ipv4Addr::UNSPECIFIED, port);
            }
        });
        a.within(|| {
            assert_eq!(ask(b.address(), 80), format!("b to {}", a.address()));
            silent(b.address(), 81);
            // The world sees the machine.
            assert_eq!(ask(WORLD, 443), format!("world to {MACHINE}"));
            silent(WORLD, 444);
            datagram(world.0.as_fd(), Ipv4Addr::new(203, 0, 113, 5), 5353, true);
            datagram(world.0.as_fd(), Ipv4Addr::new(203, 0, 113, 5), 6001, false);
            datagram(world.0.as_fd(), WORLD, 5353, false);
            // All of the world is neither another group nor what hands out the identity of a machine in a cloud.
            assert_eq!(ask(Ipv4Addr::new(203, 0, 113, 5), 8443), format!("world to {MACHINE}"));
            silent(c.address(), 8443);
            silent(Ipv4Addr::new(169, 254, 169, 254), 8443);
        });
        b.within(|| silent(a.address(), 80));
    });
}

#[test]
fn what_is_closed_again_is_closed_at_once() {
    on_a_machine(|_| {
        let open = || vec![group(0, "a", &[], "tcp://b:80"), group(1, "b", &["80"], "")];
        let (mut network, groups) = attached(open());
        let [a, b] = &groups[..] else { panic!("two groups") };
        b.within(|| echo(80));
        let mut stream = a.within(|| TcpStream::connect((b.address(), 80)).unwrap());
        let mut said = |text: &[u8], patience| {
            stream.set_read_timeout(Some(patience)).unwrap();
            stream.write_all(text).unwrap();
            let mut heard = vec![0; text.len()];
            stream.read_exact(&mut heard).map(|()| heard)
        };
        assert_eq!(said(b"one", PATIENCE).unwrap(), b"one");
        network.change(by_name([group(0, "a", &[], "")])).unwrap();
        assert!(said(b"two", SILENCE).is_err(), "the conversation goes on");
        network.change(by_name(open())).unwrap();
        assert_eq!(said(b"", PATIENCE).unwrap(), b"");
        let mut late = [0; 3];
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.read_exact(&mut late).unwrap();
        assert_eq!(&late, b"two");
    });
}

#[test]
fn published_ports() {
    on_a_machine(|world| {
        let (mut network, groups) = attached(vec![
            group(0, "a", &["8080>80", "81"], ""),
            group(1, "b", &[], "tcp://a:80"),
            group(2, "c", &["80"], ""),
        ]);
        let [a, b, c] = &groups[..] else { panic!("three groups") };
        for port in [80, 81] {
            a.serves(port);
        }
        c.serves(80);
        // From the world, whom it sees; from the machine by any of its addresses.
        within(world.0.as_fd(), || {
            assert_eq!(ask(MACHINE, 8080), format!("a to {WORLD}"));
            silent_or_refused(MACHINE, 80);
            silent_or_refused(MACHINE, 81);
        });
        assert_eq!(ask(MACHINE, 8080), format!("a to {MACHINE}"));
        assert_eq!(ask(Ipv4Addr::LOCALHOST, 8080), format!("a to {GATEWAY}"));
        // Another address of the loopback is a resolver's, or somebody else's.
        serve("machine", Ipv4Addr::new(127, 0, 0, 53), 8080);
        assert_eq!(ask(Ipv4Addr::new(127, 0, 0, 53), 8080), "machine to 127.0.0.1");
        // By the address of the machine: to itself, and where it may go in any case.
        a.within(|| assert_eq!(ask(MACHINE, 8080), format!("a to {GATEWAY}")));
        b.within(|| assert_eq!(ask(MACHINE, 8080), format!("a to {GATEWAY}")));
        c.within(|| silent(MACHINE, 8080));
        // It moves at one moment.
        let moved = by_name([group(0, "a", &["80"], ""), group(2, "c", &["8080>80"], "")]);
        network.change(moved).unwrap();
        within(world.0.as_fd(), || assert_eq!(ask(MACHINE, 8080), format!("c to {WORLD}")));
        network.detach("c").unwrap();
        within(world.0.as_fd(), || silent_or_refused(MACHINE, 8080));
    });
}

#[test]
fn nobody_is_another() {
    on_a_machine(|_| {
        let open = "tcp://b:80 udp://198.51.100.2:53";
        let (_network, groups) =
            attached(vec![group(0, "a", &[], ""), group(1, "b", &["80"], ""), group(2, "c", &[], open)]);
        let [a, b, c] = &groups[..] else { panic!("three groups") };
        b.serves(80);
        c.within(|| assert_eq!(ask(b.address(), 80), format!("b to {}", c.address())));
        // With the power that nobody in a container has: the address of another.
        let ip = |line: &str| {
            let done = Command::new(peer("ip").unwrap()).args(line.split(' ')).output().unwrap();
            assert!(done.status.success(), "ip {line}: {}", String::from_utf8_lossy(&done.stderr));
        };
        a.within(|| {
            ip(&format!("address add {}/32 dev eth0", c.address()));
            ip(&format!("address del {}/32 dev eth0", a.address()));
            silent(b.address(), 80);
        });
        c.within(|| assert_eq!(ask(b.address(), 80), format!("b to {}", c.address()), "as before"));
    });
}

#[test]
fn other_protocols_do_not_pass() {
    on_a_machine(|_| {
        let open = format!("tcp://b:80 tcp://{WORLD}:80 udp://0.0.0.0/0:1-65535 tcp://0.0.0.0/0:1-65535");
        let (_network, groups) = attached(vec![group(0, "a", &[], &open), group(1, "b", &["80"], "")]);
        let [a, b] = &groups[..] else { panic!("two groups") };
        a.within(|| {
            assert!(echoes(Ipv4Addr::LOCALHOST, PATIENCE), "the way of asking works");
            for address in [b.address(), GATEWAY, MACHINE, WORLD] {
                assert!(!echoes(address, SILENCE), "{address}");
            }
        });
        assert!(!echoes(b.address(), SILENCE), "from the machine");
        assert!(echoes(WORLD, PATIENCE), "what is not about groups is not ours");
    });
}

/// Says back what it hears, to one that connects.
fn echo(port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 64];
        while let Ok(length @ 1..) = stream.read(&mut bytes) {
            stream.write_all(&bytes[..length]).unwrap();
        }
    });
}

/// Whether somebody answers a ping.
fn echoes(address: Ipv4Addr, patience: Duration) -> bool {
    use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, sockopt};
    let socket = net::socket(AddressFamily::INET, SocketType::DGRAM, Some(ipproto::ICMP)).unwrap();
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(patience)).unwrap();
    let to = std::net::SocketAddrV4::new(address, 0);
    // What a rule of the sender's own machine drops is an error at once.
    if net::sendto(&socket, &[8, 0, 0, 0, 0, 0, 0, 1], SendFlags::empty(), &to).is_err() {
        return false;
    }
    net::recv(&socket, &mut [0; 64][..], RecvFlags::empty()).is_ok()
}

/// Of a port of the machine that is not published: nobody listens.
fn silent_or_refused(address: Ipv4Addr, port: u16) {
    let error = TcpStream::connect_timeout(&(address, port).into(), SILENCE).unwrap_err().kind();
    assert!(matches!(error, ErrorKind::ConnectionRefused | ErrorKind::TimedOut), "{address}:{port}: {error}");
}

#[test]
fn what_is_refused_is_told() {
    on_a_machine(|_| {
        let (_network, groups) = attached(vec![group(0, "a", &[], ""), group(1, "b", &["80"], "")]);
        let [a, b] = &groups[..] else { panic!("two groups") };
        let mut refusals = Refusals::open().unwrap();
        let mut next = || loop {
            match refusals.next(PATIENCE).unwrap().as_slice() {
                [Heard::Refused(one), ..] => {
                    let (name, port) = (one.group.clone().unwrap_or_default(), one.port.unwrap_or_default());
                    return format!("{name}: {} to {}:{port}/{}", one.from, one.to, one.protocol);
                }
                [] => panic!("nothing is heard"),
                [Heard::Lost, ..] => {}
            }
        };
        let send =
            |to: Ipv4Addr, port: u16| drop(UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"x", (to, port)));
        a.within(|| send(b.address(), 80));
        assert_eq!(next(), format!("a: {} to {}:80/17", a.address(), b.address()));
        a.within(|| send(MACHINE, 53));
        assert_eq!(next(), format!("a: {} to {MACHINE}:53/17", a.address()));
        send(b.address(), 81);
        assert_eq!(next(), format!("b: {GATEWAY} to {}:81/17", b.address()));
        b.within(|| send(WORLD, 443));
        assert_eq!(next(), format!("b: {} to {WORLD}:443/17", b.address()));
        let ip = peer("ip").unwrap();
        a.within(|| {
            assert!(
                Command::new(&ip)
                    .args(["address", "add", "10.213.0.9/32", "dev", "eth0"])
                    .status()
                    .unwrap()
                    .success()
            );
            drop(UdpSocket::bind("10.213.0.9:0").unwrap().send_to(b"x", (b.address(), 80)));
        });
        assert_eq!(next(), format!(": 10.213.0.9 to {}:80/17", b.address()));
        assert!(Refusals::open().is_err(), "only one listens");
    });
}
