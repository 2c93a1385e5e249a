//! A stream of bytes to somebody who does not speak HTTP, with or without TLS, and with deadlines.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::client::public::{is_public, refused};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};

/// A CA file larger than this is something else.
const MAX_CA_FILE: u64 = 8 << 20;

/// Where to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether TLS is spoken, checked against the system's authorities.
    pub tls: bool,
    /// A PEM file with authorities to trust besides those.
    pub ca_file: Option<PathBuf>,
    /// For the connection, and for any single read or write.
    pub patience: Duration,
}

/// An open connection.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// What a name resolves to. With `public_only`, addresses that are not of the Internet are left out, and it is an error
/// if none is left: connect to what this gives, and nobody is led astray by what the name means a moment later.
pub fn resolve(host: &str, port: u16, public_only: bool) -> io::Result<Vec<SocketAddr>> {
    let mut found: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    found.retain(|address| !public_only || is_public(address.ip()));
    if found.is_empty() { Err(refused()) } else { Ok(found) }
}

/// Connects. TLS is shaken when the first bytes are sent.
pub fn dial(target: &Target) -> io::Result<Stream> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for address in resolve(&target.host, target.port, false)? {
        match TcpStream::connect_timeout(&address, target.patience) {
            Ok(socket) => return open(target, socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn open(target: &Target, socket: TcpStream) -> io::Result<Stream> {
    socket.set_read_timeout(Some(target.patience))?;
    socket.set_write_timeout(Some(target.patience))?;
    if !target.tls {
        return Ok(Stream(Kind::Plain(socket)));
    }
    let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots(target)?)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(Stream(Kind::Tls(Box::new(StreamOwned::new(connection, socket)))))
}

fn roots(target: &Target) -> io::Result<RootCertStore> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &target.ca_file {
        if std::fs::metadata(path)?.len() > MAX_CA_FILE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file with authorities is too large"));
        }
        for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
    }
    Ok(roots)
}

impl Stream {
    /// Says that nothing more comes, and waits for the other end to hang up, for a read's patience at most. An error
    /// means that not everything arrived; silence is not one.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let Kind::Tls(stream) = &mut self.0 {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        let socket = match &self.0 {
            Kind::Plain(socket) => socket,
            Kind::Tls(stream) => &stream.sock,
        };
        socket.shutdown(Shutdown::Write)?;
        let mut rest = [0; 512];
        loop {
            match self.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) => return is_silence(error),
            }
        }
    }
}

fn is_silence(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::UnexpectedEof => Ok(()),
        _ => Err(error),
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(stream) => stream.read(buffer),
            Kind::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(stream) => stream.write(bytes),
            Kind::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Plain(stream) => stream.flush(),
            Kind::Tls(stream) => stream.flush(),
        }
    }
}
