//! Serves a router over TCP, with or without TLS, so that no client can hold more than its share.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use boltseal_wire::server::{Limits, serve};
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
//! let router = axum::Router::new().route("/healthz", axum::routing::get(|| async { "ok" }));
//! let stop = async { drop(tokio::signal::ctrl_c().await) };
//! serve(listener, router, None, Limits::default(), stop).await;
//! # Ok(()) }
//! ```
//!
//! Every request carries a [`Peer`] in its extensions: who is at the other end, and whether the way there is sealed.

mod body;
mod crowd;
mod stall;

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use body::Patient;
use crowd::{Answered, Crowd, Seat};
use stall::Stall;

/// How much one client, and all together, may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time. Each costs some kilobytes and a descriptor. For one more, the one that has waited
    /// longest for a request is closed; when all are in requests, it waits.
    pub connections: usize,
    /// Header lines of a request; browsers and container tools send about twenty.
    pub headers: usize,
    /// Bytes of a request's head. Tokens are the longest thing in it, some kilobytes.
    pub head: usize,
    /// From the connection, or the last response, to the end of the next head.
    pub head_time: Duration,
    /// Between two pieces of a request's body.
    pub body_pause: Duration,
    /// How long a client may refuse to take what we send.
    pub write_pause: Duration,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// How long what a client still sends after it was refused is taken and thrown away, so that it can read why.
    pub linger: Duration,
    /// From being told to stop to cutting what still runs.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            headers: 100,
            head: 64 << 10,
            head_time: Duration::from_secs(30),
            body_pause: Duration::from_mins(1),
            write_pause: Duration::from_mins(1),
            handshake: Duration::from_secs(10),
            linger: Duration::from_secs(3),
            drain: Duration::from_secs(20),
        }
    }
}

/// The other end of the connection that a request came over; in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
}

/// Bytes that a connection holds on their way in or out, apart from what its request or response holds.
const BUFFER: usize = 64 << 10;
/// How long to wait when the process has no descriptor left for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done; then finishes what runs, for [`Limits::drain`] at most.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let crowd = Crowd::new(limits.connections);
    let acceptor = tls.map(TlsAcceptor::from);
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    // Dropped at the end, it cuts what still runs.
    let mut running = JoinSet::new();
    loop {
        let next = async {
            let (stream, address) = accept(&listener).await;
            Some((crowd.enter().await?, stream, address))
        };
        let (seat, stream, address) = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(next) = next => next,
            else => break,
        };
        let connection = Connection {
            seat: Arc::new(seat),
            router: router.clone(),
            peer: Peer { address, tls: acceptor.is_some() },
            limits,
            watcher: graceful.watcher(),
        };
        let acceptor = acceptor.clone();
        while running.try_join_next().is_some() {}
        running.spawn(async move {
            let (seat, peer) = (Arc::clone(&connection.seat), connection.peer);
            tokio::select! {
                () = connection.run(stream, acceptor) => {}
                () = seat.dismissed() => tracing::debug!(peer = %peer.address, "made room for another connection"),
            }
        });
    }
    drop(listener);
    if timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = limits.drain.as_secs(), "connections did not end in time and were cut");
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "accepting a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Connection {
    seat: Arc<Seat>,
    router: Router,
    peer: Peer,
    limits: Limits,
    watcher: Watcher,
}

impl Connection {
    async fn run(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        let _latency_matters_more_than_packets = stream.set_nodelay(true);
        let Some(acceptor) = acceptor else { return self.http(stream).await };
        match timeout(self.limits.handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.http(stream).await,
            Ok(Err(error)) => tracing::debug!(peer = %self.peer.address, %error, "TLS handshake"),
            Err(_) => tracing::debug!(peer = %self.peer.address, "TLS handshake took too long"),
        }
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let Self { seat, router, peer, limits, watcher } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let (seat, mut router) = (Arc::clone(&seat), router.clone());
            seat.works();
            let mut request = request.map(|body| Body::new(Patient::new(body, limits.body_pause)));
            request.extensions_mut().insert(peer);
            async move {
                let response: Result<Response, Infallible> = router.call(request).await;
                response.map(|response| response.map(|body| Answered::new(body, seat)))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_headers(limits.headers)
            .max_header_size(limits.head)
            .max_buf_size(limits.head.max(BUFFER))
            .serve_connection(TokioIo::new(Stall::new(stream, limits.write_pause, limits.linger)), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(peer = %peer.address, %error, "connection ended");
        }
    }
}
