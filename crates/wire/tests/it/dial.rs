//! Streams with and without TLS.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use boltseal_wire::{
    dial::{Target, dial},
    tls::Certificates,
};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Takes one connection and gives back what came over it.
fn receive(tls: Option<Arc<ServerConfig>>) -> (SocketAddr, JoinHandle<std::io::Result<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let receiving = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept()?;
        let mut bytes = Vec::new();
        match tls {
            Some(config) => {
                let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
                StreamOwned::new(connection, socket).read_to_end(&mut bytes)?;
            }
            None => drop(socket.read_to_end(&mut bytes)?),
        }
        Ok(bytes)
    });
    (address, receiving)
}

fn target(port: u16, tls: bool, ca_file: Option<PathBuf>) -> Target {
    Target { host: "127.0.0.1".to_owned(), port, tls, ca_file, patience: Duration::from_secs(5) }
}

#[test]
fn everything_arrives_and_strangers_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::open(folder.path(), &[]).unwrap();
    let ca = Some(certificates.authority());
    let message = vec![b'x'; 300_000];
    for tls in [false, true] {
        let (address, receiving) = receive(tls.then(|| certificates.server_config().unwrap()));
        let mut stream = dial(&target(address.port(), tls, ca.clone())).unwrap();
        stream.write_all(&message).unwrap();
        stream.finish().unwrap();
        assert_eq!(receiving.join().unwrap().unwrap().len(), message.len(), "TLS: {tls}");
    }
    let (address, receiving) = receive(Some(certificates.server_config().unwrap()));
    let mut stream = dial(&target(address.port(), true, None)).unwrap();
    let sent = stream.write_all(&message).and_then(|()| stream.finish());
    assert!(sent.is_err(), "a certificate that nobody vouches for was taken");
    assert!(receiving.join().unwrap().map_or(true, |bytes| bytes.is_empty()));
}

#[test]
fn nobody_there_is_an_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(dial(&target(port, false, None)).is_err());
    let nameless = Target { host: "no-such-host.invalid".to_owned(), ..target(1, false, None) };
    assert!(dial(&nameless).is_err());
}
