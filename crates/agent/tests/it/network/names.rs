//! Names, asked for by groups.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    thread,
};

use boltseal_agent::network::dns::{Asked, Code, Resolver};

use super::machine::{PATIENCE, Sealed, attached, by_name, group, on_a_machine};

const GATEWAY: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 213, 0, 1), 53);
/// Where the machine asks.
const UPSTREAM: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 5353);
const A: u16 = 1;

/// A question with the number 7.
fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([0, u8::try_from(kind).unwrap(), 0, 1]);
    bytes
}

/// What an answer says: its code, and the last bytes of each of its records.
fn said(bytes: &[u8], name: &str) -> String {
    assert_eq!(bytes[..2], [0, 7], "the number of the question");
    let mut at = question(name, A).len();
    let mut all = format!("{}", bytes[3] & 0xf);
    for _ in 0..bytes[7] {
        let length = usize::from(bytes[at + 11]);
        let value = &bytes[at + 12..at + 12 + length];
        let address = <[u8; 4]>::try_from(value).map(Ipv4Addr::from);
        all.push(' ');
        match address {
            Ok(address) if bytes[at + 3] == 1 => all += &address.to_string(),
            _ => all += &String::from_utf8_lossy(&value[1..length - 1]),
        }
        at += 12 + length;
    }
    if bytes[2] & 2 != 0 {
        all += " cut";
    }
    all
}

fn udp(group: &Sealed, name: &str, kind: u16) -> String {
    group.within(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(GATEWAY).unwrap();
        socket.send(&question(name, kind)).unwrap();
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap();
        said(&bytes[..length], name)
    })
}

fn tcp(group: &Sealed, names: &[&str]) -> Vec<String> {
    group.within(|| {
        let mut stream = TcpStream::connect(GATEWAY).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut ask = |name: &&str| {
            let question = question(name, A);
            stream.write_all(&[&[0, u8::try_from(question.len()).unwrap()], &question[..]].concat()).unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut bytes).unwrap();
            said(&bytes, name)
        };
        names.iter().map(&mut ask).collect()
    })
}

/// A resolver of the machine. By UDP it answers under another number first, and cuts what is about `big`.
fn upstream() {
    let answer = |asked: &[u8], cut: bool| {
        let mut bytes = asked.to_vec();
        bytes[2] = if cut { 0x83 } else { 0x81 };
        if !cut {
            bytes[7] = 1;
            bytes.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 9]);
        }
        bytes
    };
    let socket = UdpSocket::bind(UPSTREAM).unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let asked = &bytes[..length];
            let mut guess = answer(asked, false);
            guess[0] ^= 0xff;
            guess[length + 12..].copy_from_slice(&[6, 6, 6, 6]);
            let cut = asked.windows(3).any(|three| three == b"big");
            for bytes in [guess, answer(asked, cut)] {
                socket.send_to(&bytes, from).unwrap();
            }
        }
    });
    let listener = TcpListener::bind(UPSTREAM).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut asked).unwrap();
            let bytes = answer(&asked, false);
            stream.write_all(&[&[0, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat()).unwrap();
        }
    });
}

#[test]
fn names_of_those_that_may_be_reached() {
    on_a_machine(|_| {
        let (mut network, groups) = attached(vec![
            group(0, "a", &[], "tcp://b:80 dns"),
            group(1, "b", &["80"], ""),
            group(2, "c", &["80"], "tcp://nobody:80"),
        ]);
        let [a, b, c] = &groups[..] else { panic!("three groups") };
        upstream();
        let (tell, told) = mpsc::channel::<Asked>();
        let tell = std::sync::Mutex::new(tell);
        let resolver = Resolver::new(vec![SocketAddr::from(UPSTREAM)], move |asked| {
            let _ = tell.lock().unwrap().send(asked);
        });
        resolver.know(network.names());
        let (ready, wait) = mpsc::channel();
        let running = resolver.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listening = running.listen(GATEWAY.0).await.unwrap();
                ready.send(()).unwrap();
                listening.run().await;
            });
        });
        wait.recv_timeout(PATIENCE).unwrap();
        for (from, name, kind, expected) in [
            (a, "b", A, "0 10.213.0.3"),
            (a, "B", A, "0 10.213.0.3"),
            (a, "b", 28, "0"),
            (a, "a-main", A, "0 10.213.0.2"),
            (a, "localhost", A, "0 127.0.0.1"),
            (a, "3.0.213.10.in-addr.arpa", 12, "0 b"),
            // Groups that it may not reach are not known to it, nor ever asked others for.
            (a, "c", A, "3"),
            (a, "4.0.213.10.in-addr.arpa", 12, "3"),
            (a, "www.example.com", A, "0 192.0.2.9"),
            (a, "big.example.com", A, "0 cut"),
            (b, "a", A, "3"),
            (b, "b", A, "0 10.213.0.3"),
            (b, "www.example.com", A, "5"),
            (b, "9.2.0.192.in-addr.arpa", 12, "5"),
            (c, "nobody", A, "3"),
        ] {
            assert_eq!(udp(from, name, kind), expected, "{name} for {}", from.id);
            let event = told.recv_timeout(PATIENCE).unwrap();
            assert_eq!((event.group, event.name), (from.id.clone(), name.to_ascii_lowercase()));
            assert_eq!(event.forwarded, from.id == "a" && name.contains("example"), "{name}");
            assert_eq!(event.code == Some(Code::Refused), expected == "5", "{name}");
        }
        assert_eq!(tcp(a, &["b", "big.example.com"]), ["0 10.213.0.3", "0 192.0.2.9"]);
        assert_eq!(tcp(b, &["www.example.com"]), ["5"]);
        // What changes is known at once.
        network.change(by_name([group(1, "b", &["80"], "dns tcp://c:80")])).unwrap();
        resolver.know(network.names());
        assert_eq!(
            (udp(b, "c", A), udp(b, "www.example.com", A)),
            ("0 10.213.0.4".into(), "0 192.0.2.9".into())
        );
    });
}
