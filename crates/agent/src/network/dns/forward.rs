//! Asking the resolvers of the machine.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use super::message::{HEADER, Question};

/// How long one of them is waited for; a client asks again after five seconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of an answer by UDP; what is longer says so, and is asked for by TCP.
const DATAGRAM: usize = 4_096;

/// How a question came, and is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Udp,
    Tcp,
}

/// The first answer of one of `resolvers`, under the number of the question.
pub(super) async fn forward(
    resolvers: &[SocketAddr],
    by: By,
    question: &Question,
    asked: &[u8],
) -> Option<Vec<u8>> {
    for resolver in resolvers {
        // A number that nobody can guess, on a port of its own: others cannot answer in its place.
        let id = (uuid::Uuid::new_v4().as_u128() & 0xffff) as u16;
        let mut sent = asked.to_vec();
        sent.get_mut(..2)?.copy_from_slice(&id.to_be_bytes());
        let answer = match by {
            By::Udp => timeout(PATIENCE, udp(*resolver, question, &sent, id)).await,
            By::Tcp => timeout(PATIENCE, tcp(*resolver, &sent)).await,
        };
        let Ok(Ok(mut answer)) = answer else { continue };
        if question.is_answered(&sent, id, &answer) {
            answer.get_mut(..2)?.copy_from_slice(asked.get(..2)?);
            return Some(answer);
        }
    }
    None
}

async fn udp(resolver: SocketAddr, question: &Question, sent: &[u8], id: u16) -> io::Result<Vec<u8>> {
    let any = if resolver.is_ipv4() {
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(resolver).await?;
    socket.send(sent).await?;
    let mut buffer = vec![0; DATAGRAM];
    // What is no answer to this is somebody else's guess, and the true one is still waited for.
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = buffer.get(..length).unwrap_or_default();
        if question.is_answered(sent, id, answer) {
            return Ok(answer.to_vec());
        }
    }
}

async fn tcp(resolver: SocketAddr, sent: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(resolver).await?;
    write(&mut stream, sent).await?;
    read(&mut stream).await
}

/// A message with its length before it (RFC 1035 4.2.2).
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    if length < HEADER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Sends one.
pub(super) async fn write(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let whole = [&length.to_be_bytes(), message].concat();
    stream.write_all(&whole).await
}
